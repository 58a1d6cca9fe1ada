"""Who comes to the device.

    credentials   how users log in
    access        what each of them may do and see

Rule: who is not named may do little, and a password stays where the scenario says it is.
"""
