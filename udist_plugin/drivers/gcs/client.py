"""The one door to google-cloud-storage: credentials, bounds in time, the library's errors as ours."""

from __future__ import annotations

from base64 import b64decode
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from google.api_core.client_info import ClientInfo
from google.api_core.exceptions import (
    Forbidden,
    GoogleAPIError,
    NotFound,
    PreconditionFailed,
    RequestRangeNotSatisfiable,
    RetryError,
    Unauthorized,
    from_http_response,
)
from google.auth.credentials import Signing
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2.service_account import Credentials

from udist_plugin.drivers.objects.pauses import LONGEST, PATIENCE
from udist_plugin.drivers.objects.store import MARK, StoredObject, confirm
from udist_plugin.errors import ConfigurationError, PathBusy, PathNotFound, StorageError, StorageUnavailable
from udist_plugin.redaction import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from google.cloud.storage import Blob
    from requests import Response

    from udist_plugin.drivers.gcs.settings import Settings

T = TypeVar("T")

NAME: Final = "gcs"

TIMEOUT: Final = (10.0, 60.0)
"""Seconds to connect, and to wait for the next bytes."""
RETRY: Final = DEFAULT_RETRY.with_delay(initial=0.5, maximum=LONGEST).with_timeout(PATIENCE)
"""What the library holds for passing: 408, 429, 5xx, cut and refused connections."""
BOUNDS: Final = {"timeout": TIMEOUT, "retry": RETRY}
"""For every call of the library but those that are repeated here: nothing we ask of it does harm when it is
done twice."""
ONCE: Final = {"timeout": TIMEOUT, "retry": None}

ANSWERS: Final = frozenset({200, 201, 204, 206, 308})
"""What the service says of what it did; 308 is of an upload that goes on. A redirect would be a proxy's."""

SESSION_TYPE: Final = "application/x-docker-upload-session"
"""What distribution leaves of an upload that is not complete; it hides it, too."""

ROLE: Final = "grant these credentials roles/storage.objectAdmin on it"
FOREIGN: Final = "this is not an answer of Google Cloud Storage: check any proxy on the way"
MISSING: Final = NotFound
DENIED: Final = Forbidden
UNREACHABLE: Final = (TransportError, RetryError)
"""Nobody answered, for as long as was asked."""
REFUSED: Final = (Unauthorized, GoogleAuthError)
"""Credentials that are refused, or that give no token."""
ANSWERED: Final = GoogleAPIError
MISPARSED: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What the library stumbles into over an answer that is not the service's; some of google-auth's are such."""
FAILURES: Final = (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, OSError)


class GcsClient:
    """One bucket, ``bucket`` as the library has it. Raises ``ConfigurationError`` without credentials."""

    def __init__(self, settings: Settings) -> None:
        agent = ClientInfo(user_agent=settings.user_agent)
        try:
            self.library = Client(project=None, credentials=service_account(settings), client_info=agent)
        except DefaultCredentialsError as error:
            raise ConfigurationError(
                f"no credentials: set this to the key file of a service account, or provide application "
                f"default credentials ({error})",
                key="storage.gcs.keyfile",
            ) from error
        self.library._bucket_metadata_cache = None  # of traces: it asks for more than objectAdmin may read
        self.bucket = self.library.bucket(settings.bucket)
        self.signs = isinstance(self.library._credentials, Signing)
        """Whether the credentials sign URLs."""
        self._session = self.library._http  # with the credentials, and the emulator's none
        self._session.headers["User-Agent"] = agent.to_user_agent()
        self._session.get_adapter("https://").init_poolmanager(4, settings.connections)
        self._objects = f"{self.library.api_endpoint}/download/storage/v1/b/{quote(settings.bucket)}/o"

    def head(self, key: str) -> StoredObject:
        """Raises ``PathNotFound``."""
        with self.errors(key):
            blob = self.bucket.get_blob(key, **BOUNDS)
            if blob is None or blob.content_type == SESSION_TYPE:
                raise PathNotFound("not found", driver=NAME, path=key)
            return stored(blob)

    def open(self, key: str, start: int, end: int | None, generation: str = "") -> Response | None:
        """A response whose content is that range of the object, or none when there is no such range."""
        url = f"{self._objects}/{quote(key, safe='')}?alt=media"
        if generation:
            url += f"&generation={generation}"
        headers = {"Accept-Encoding": "identity"}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        try:
            response, _ = self.attempt(lambda: self.exchange("GET", url, headers, stream=True), key=key)
        except RequestRangeNotSatisfiable:
            return None
        if not {"Content-Length", "X-Goog-Generation"} <= response.headers.keys():
            response.close()
            raise StorageError(FOREIGN, driver=NAME, path=key)
        if "Range" in headers and response.status_code != 206:
            response.close()
            raise StorageError("the range was ignored: check any proxy on the way", driver=NAME, path=key)
        return response

    def attempt(
        self, action: Callable[[], T], *, key: str, unmet: type[StorageError] = PathBusy
    ) -> tuple[T, bool]:
        """``action``, again while it fails in passing, and whether it was repeated."""
        attempts: list[None] = []

        def attempt() -> T:
            attempts.append(None)
            return action()

        with self.errors(key, unmet=unmet):
            result: T = RETRY(attempt)()
        return result, len(attempts) > 1

    def look(self, key: str, generation: object) -> None:
        """Looks for the object that a repeated request has made. Raises ``StorageUnavailable``."""
        confirm(self.head, key, str(generation), NAME)

    def errors(self, key: str, *, unmet: type[StorageError] = PathBusy) -> AbstractContextManager[None]:
        """See ``errors`` below."""
        return errors(key, unmet=unmet, denied=f"the bucket {self.bucket.name} denies it: {ROLE}")

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: bytes | memoryview = b"",
        *,
        stream: bool = False,
    ) -> Response:
        """One request with the credentials; any other answer than those in ``ANSWERS`` is raised as the
        library's error."""
        response: Response = self._session.request(
            method, url, data=data, headers=headers, stream=stream, timeout=TIMEOUT, allow_redirects=False
        )
        if response.status_code not in ANSWERS:
            with response:
                raise from_http_response(response)
        return response

    def end_session(self, url: str) -> None:
        """Drops a resumable upload; one left over ends by itself within a week."""
        with suppress(*FAILURES):
            self.exchange("DELETE", url, {})


def stored(blob: Blob) -> StoredObject:
    """What the library says of an object."""
    mark = (blob.metadata or {}).get(MARK, "")
    md5 = b64decode(blob.md5_hash or "").hex()
    return StoredObject(blob.name, blob.size, blob.updated.timestamp(), str(blob.generation), mark, md5)


def service_account(settings: Settings) -> Credentials | None:
    """A service account's, or none: then the library looks for the application default credentials."""
    found: Credentials | None = None
    try:
        if settings.keyfile:
            found = Credentials.from_service_account_file(settings.keyfile, scopes=Client.SCOPE)
        elif settings.credentials:
            found = Credentials.from_service_account_info(settings.credentials, scopes=Client.SCOPE)
    except OSError as error:
        problem = (
            f"{settings.keyfile} cannot be read: {error.strerror}; expected a service account's JSON key"
        )
        raise ConfigurationError(problem, key="storage.gcs.keyfile") from error
    except (ValueError, GoogleAuthError) as error:
        key = "storage.gcs.keyfile" if settings.keyfile else "storage.gcs.credentials"
        raise ConfigurationError(f"not the JSON key of a service account: {error}", key=key) from error
    return found


@contextmanager
def errors(key: str, *, unmet: type[StorageError] = PathBusy, denied: str = "denied") -> Iterator[None]:
    """The library's errors as ours; ``unmet`` is what a precondition's failure is."""
    try:
        yield
    except NotFound as error:
        raise PathNotFound("not found", driver=NAME, path=key) from error
    except PreconditionFailed as error:
        raise unmet("changed by another writer at the same time", driver=NAME, path=key) from error
    except RequestRangeNotSatisfiable:
        raise
    except Forbidden as error:
        raise StorageError(f"{denied} ({shown(error)})", driver=NAME, path=key) from error
    except (*FAILURES, *MISPARSED) as error:
        if isinstance(error, MISPARSED) and not isinstance(error, GoogleAuthError):
            raise StorageError(FOREIGN, driver=NAME, path=key) from error
        kind = StorageUnavailable if _passes(error) else StorageError
        problem = shown(getattr(error, "cause", None) or error)
        raise kind(problem, driver=NAME, path=key) from error


def _passes(error: Exception) -> bool:
    """Whether a while later it may be well: nobody answered, or the service was throttled or broken."""
    if isinstance(error, InvalidResponse):
        status = error.response.status_code
    else:
        status = getattr(error, "code", None) or 0
    return status == 429 or status >= 500 or isinstance(error, RetryError | TransportError | OSError)
