"""Golden vectors: their sources, and the JSON files that any language can run (README.md)."""
