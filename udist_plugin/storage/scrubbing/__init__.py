"""Looks for damage in a store, and repairs what can be repaired; ``scrub.py`` says in which order."""
