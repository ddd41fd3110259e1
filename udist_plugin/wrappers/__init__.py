"""Registries that wrap another one: each changes or refuses some methods and delegates the rest."""
