"""What the libraries of object stores raise, by what is to be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from google.api_core.exceptions import Forbidden, RetryError, TooManyRequests, from_http_status
from google.cloud.storage.exceptions import InvalidResponse

from udist_plugin.drivers.azure import client as azure_client
from udist_plugin.drivers.gcs import client as gcs_client
from udist_plugin.drivers.s3 import client as s3_client
from udist_plugin.errors import PathBusy, PathNotFound, StorageError, StorageFull, StorageUnavailable

if TYPE_CHECKING:
    from types import ModuleType


def of_s3(status: int, code: str) -> ClientError:
    said = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "GetObject")  # type: ignore[arg-type]


def answer(status: int) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    return response


def of_azure(status: int) -> HttpResponseError:
    error = HttpResponseError("no")
    error.status_code = status
    return error


@pytest.mark.parametrize(
    ("client", "error", "kind"),
    [
        (s3_client, of_s3(503, "SlowDown"), StorageUnavailable),
        (s3_client, of_s3(500, "InternalError"), StorageUnavailable),
        (s3_client, of_s3(429, "TooManyRequests"), StorageUnavailable),
        (s3_client, EndpointConnectionError(endpoint_url="http://s3.example"), StorageUnavailable),
        (s3_client, ReadTimeoutError(endpoint_url="http://s3.example"), StorageUnavailable),
        (s3_client, ConnectionResetError("reset"), StorageUnavailable),
        (s3_client, of_s3(507, "XMinioStorageFull"), StorageFull),
        (s3_client, of_s3(403, "AccessDenied"), StorageError),
        (s3_client, NoCredentialsError(), StorageError),
        (s3_client, of_s3(404, "NoSuchKey"), PathNotFound),
        (s3_client, of_s3(412, "PreconditionFailed"), PathBusy),
        (gcs_client, TooManyRequests("slow down"), StorageUnavailable),
        (gcs_client, from_http_status(502, "bad gateway"), StorageUnavailable),
        (gcs_client, InvalidResponse(answer(503), "unavailable"), StorageUnavailable),
        (gcs_client, RetryError("gave up", cause=None), StorageUnavailable),
        (gcs_client, requests.ConnectionError("refused"), StorageUnavailable),
        (gcs_client, Forbidden("no role"), StorageError),
        (gcs_client, InvalidResponse(answer(410), "gone"), StorageError),
        (azure_client, of_azure(503), StorageUnavailable),
        (azure_client, of_azure(429), StorageUnavailable),
        (azure_client, ServiceRequestError("no such host"), StorageUnavailable),
        (azure_client, of_azure(403), StorageError),
        (azure_client, ClientAuthenticationError("refused"), StorageError),
        (azure_client, of_azure(404), PathNotFound),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_passes_is_told_from_what_must_be_mended(
    client: ModuleType, error: Exception, kind: type[StorageError]
) -> None:
    with pytest.raises(StorageError) as caught, client.errors("/a"):
        raise error
    assert type(caught.value) is kind
    assert (caught.value.driver, caught.value.path) == (client.NAME, "/a")
