"""The OpenSearch side: names, identities of documents, templates, and what an installation consists of."""
