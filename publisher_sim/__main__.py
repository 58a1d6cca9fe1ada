"""``python -m publisher_sim``: the same as the ``publisher-sim`` command."""

from publisher_sim.cli import main

if __name__ == "__main__":
    main()
