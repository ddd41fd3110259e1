"""Garbage collection beside readers and writers; ``collect.py`` says why that is safe."""
