"""The catalogue: which fields a record gets, where they come from and what they mean."""
