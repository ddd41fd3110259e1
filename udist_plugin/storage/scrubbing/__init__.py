"""Looks for damage in a store, and mends what can be mended; ``scrub.py`` says in which order."""
