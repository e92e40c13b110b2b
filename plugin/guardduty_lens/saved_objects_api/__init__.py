"""OpenSearch Dashboards over HTTP: which saved objects are there, what would change, and putting them."""
