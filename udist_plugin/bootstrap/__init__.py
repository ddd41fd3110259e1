"""From a configuration to the parts of a registry, and to the whole."""
