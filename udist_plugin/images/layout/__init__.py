"""OCI image layouts (image-spec, image-layout.md): the transport ``oci:``."""
