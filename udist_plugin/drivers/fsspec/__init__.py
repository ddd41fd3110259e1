"""The driver of the ``fsspec`` section: what fsspec reaches, such as SFTP, as a store."""
