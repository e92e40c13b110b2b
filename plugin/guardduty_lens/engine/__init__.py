"""The engine: the plan made from a catalogue, and the interpreters that run it."""
