"""Inputs: they only move bytes."""
