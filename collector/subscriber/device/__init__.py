"""One device: its session kept up, where it stands, and the looks into what it has."""
