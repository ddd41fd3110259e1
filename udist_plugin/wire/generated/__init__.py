"""Code generated from ``proto/`` by ``tests/house/generate.py``; never edited."""
