"""What was said about received records, as Parquet files for people and programs to query."""
