"""Prints traces and replays them: ``python -m udist_plugin.testing.trace`` (``udist help trace``)."""
