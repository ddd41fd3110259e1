"""Writes a record of the frames that go each way, without content and without secrets.

``udist_plugin/docs/trace.md`` defines the file: ``allowed`` is what is shown of text, ``notation`` what of a
frame, and ``recorder`` writes the lines.
"""
