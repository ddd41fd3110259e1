"""Registries on a storage driver, in the layout of distribution/distribution: either can read and write
what the other did."""
