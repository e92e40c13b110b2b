"""Compilers: the catalogue's plan as what other engines run, each with its interpreter as a real file."""
