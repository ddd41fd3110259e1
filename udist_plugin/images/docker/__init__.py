"""Images in registries on the network: the transport ``docker://``."""
