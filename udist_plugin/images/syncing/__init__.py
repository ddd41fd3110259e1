"""Whole repositories and registries copied, and kept equal: only what differs is moved."""
