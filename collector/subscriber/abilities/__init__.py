"""What a device says that it can: asked for, as facts, and held against what is wanted."""
