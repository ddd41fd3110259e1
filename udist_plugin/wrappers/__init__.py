"""Registries around a registry: each changes or refuses some verbs and hands the rest on."""
