"""Stand-ins of OpenSearch's plugins, held to recordings by tests/conformance/test_plugin_recordings.py.

Each keeps state, and answers from it. A request of a kind that no recording shows raises UnrecordedError.
"""
