"""Outputs: where records and rejects go."""
