"""Dashboards: one model, written as YAML, and what it is rendered to."""
