"""Records as Parquet, partitioned by day: typed columns for Athena, DuckDB and Spark."""
