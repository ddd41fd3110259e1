"""Tests of the driver over fsspec."""
