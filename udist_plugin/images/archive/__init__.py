"""Images in tar files: the transports ``oci-archive:`` and ``docker-archive:``."""
