"""The life of originators, and the declared list held against the data."""
