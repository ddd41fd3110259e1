"""``storage.gcs``: distribution's parameters."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Integer, Secret, Text

CHUNK_STEP: Final = 256 << 10
"""What a chunk of a resumable upload is a multiple of, in bytes."""
CHUNK_SIZE: Final = 8 << 20
CONNECTIONS: Final = 50

_TEXT = Text()
_SECRET = Secret()
_CHUNK = Integer(CHUNK_STEP, 1 << 30, step=CHUNK_STEP)

KEYS: Final = (
    Key("bucket", Text("the name of a bucket", r".+"), REQUIRED, "the bucket"),
    Key("keyfile", _TEXT, None, "the credentials' key file; without it, the SDK finds credentials"),
    Key("credentials.type", _TEXT, None, "the key file's content in place of the file: its type"),
    Key("credentials.project_id", _TEXT, None, "the project"),
    Key("credentials.private_key_id", _SECRET, None, "the id of the private key"),
    Key("credentials.private_key", _SECRET, None, "the private key, in PEM"),
    Key("credentials.client_email", _TEXT, None, "the service account's name"),
    Key("credentials.client_id", _TEXT, None, "the service account's number"),
    Key("credentials.auth_uri", _TEXT, None, "where users authenticate"),
    Key("credentials.token_uri", _TEXT, None, "where tokens are issued"),
    Key("credentials.auth_provider_x509_cert_url", _TEXT, None, "the issuer's certificates"),
    Key("credentials.client_x509_cert_url", _TEXT, None, "the service account's certificates"),
    Key("credentials.universe_domain", _TEXT, None, "the cloud's domain"),
    Key("rootdirectory", _TEXT, "", "a prefix of all names in the bucket"),
    Key("chunksize", _CHUNK, CHUNK_SIZE, "the size of an upload's chunks, in bytes"),
    Key("maxconcurrency", Integer(0, 1 << 16), CONNECTIONS, "the most connections kept open, 25 at least"),
    Key("useragent", _TEXT, None, "text added to the User-Agent of requests"),
)
