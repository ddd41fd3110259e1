"""What is used of keystoneauth1, python-swiftclient and, as keystoneauth1 does, requests with urllib3."""

from keystoneauth1.exceptions import (
    ClientException,
    ConnectFailure,
    ConnectTimeout,
    EndpointNotFound,
    HttpError,
    SSLError,
    UnknownConnectionError,
)
from keystoneauth1.identity import v2, v3
from keystoneauth1.session import Session
from requests import Session as Connections
from requests.adapters import HTTPAdapter
from swiftclient.authv1 import PasswordPlugin
from swiftclient.utils import generate_temp_url
from urllib3.exceptions import HTTPError

__all__ = [
    "ClientException",
    "ConnectFailure",
    "ConnectTimeout",
    "Connections",
    "EndpointNotFound",
    "HTTPAdapter",
    "HTTPError",
    "HttpError",
    "PasswordPlugin",
    "SSLError",
    "Session",
    "UnknownConnectionError",
    "generate_temp_url",
    "v2",
    "v3",
]
