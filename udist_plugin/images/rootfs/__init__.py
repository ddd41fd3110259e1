"""The file system that an image's layers make up (image-spec, layer.md)."""
