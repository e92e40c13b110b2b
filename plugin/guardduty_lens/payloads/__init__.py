"""Payloads: the bytes and shapes GuardDuty arrives in, and the events inside them."""
