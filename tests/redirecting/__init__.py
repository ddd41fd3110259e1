"""Tests of the storage middleware."""
