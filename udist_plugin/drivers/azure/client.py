"""A container by azure-storage-blob: credentials, bounds in time, the library's errors as ours."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from udist_plugin.drivers.azure.bounds import BOUNDS
from udist_plugin.drivers.azure.identity import token_credential
from udist_plugin.drivers.azure.library import (
    AzureError,
    BlobBlock,
    BlobSasPermissions,
    BlobServiceClient,
    BlobType,
    ClientAuthenticationError,
    HttpResponseError,
    MatchConditions,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
    generate_blob_sas,
)
from udist_plugin.drivers.azure.retries import Retry
from udist_plugin.drivers.objects.pauses import PATIENCE, until
from udist_plugin.drivers.objects.store import MARK, UNDELETED, StoredObject, confirm
from udist_plugin.errors import ConfigurationError, PathBusy, PathNotFound, StorageError, StorageUnavailable
from udist_plugin.redaction import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from azure.storage.blob import BlobClient, BlobProperties, StorageStreamDownloader, UserDelegationKey

    from udist_plugin.drivers.azure.settings import Settings

T = TypeVar("T")

NAME: Final = "azure"
URL_LIFETIME: Final = 20 * 60
"""Seconds, as in distribution."""
DELEGATION: Final = 24 * 3600
"""Seconds that a key which signs for an identity serves; it is renewed in time."""
SKEW: Final = 5 * 60
"""Seconds that clocks may differ."""
MISSING: Final = MatchConditions.IfMissing
SCOPE: Final = "https://storage.azure.com/.default"

NO_ANSWER: Final = (ServiceRequestError, ServiceResponseError)
"""Nobody answered, or not to the end."""
NO_TOKEN: Final = ClientAuthenticationError
"""Credentials that are refused, or for which there is no token."""
MISPARSED: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What the library stumbles into over an answer that is not the service's."""
FAILURES: Final = (AzureError, *MISPARSED)


class AzureClient:
    """One container, ``container`` as the library has it.

    Raises ``ConfigurationError`` for credentials that cannot be any.
    """

    def __init__(self, settings: Settings) -> None:
        options = {"retry_policy": Retry(settings), "connection_verify": settings.verify, **BOUNDS}
        self._token = token_credential(settings)
        self._key = settings.account_key
        try:
            if settings.connection_string:
                self._service = BlobServiceClient.from_connection_string(
                    settings.connection_string, **options
                )
                self._key = getattr(self._service.credential, "account_key", "")
            else:
                credential = self._token or {"account_name": settings.account, "account_key": self._key}
                self._service = BlobServiceClient(settings.url, credential, **options)
        except ValueError as error:
            key = "connectionstring" if settings.connection_string else "serviceurl"
            raise ConfigurationError(shown(error), key=f"storage.azure.{key}") from error
        self.account = settings.account or str(self._service.account_name)
        self.container = self._service.get_container_client(settings.container)
        self.settings, self.url = settings, self._service.url
        self._delegated: UserDelegationKey | None = None
        self._renewal = 0.0
        self._lock = Lock()

    def blob(self, key: str) -> BlobClient:
        return self.container.get_blob_client(key)

    def head(self, key: str) -> StoredObject:
        """Raises ``PathNotFound``."""
        with self.errors(key):
            return stored(self.blob(key).get_blob_properties())

    def make(self, key: str, request: Callable[..., Mapping[str, Any]]) -> None:
        """Makes an object by ``request``, and looks for it where the library repeated that."""
        made, repeated = self.attempt(key, request)
        if repeated:
            confirm(self.head, key, made["etag"].strip('"'), NAME)

    def finish(self, key: str, request: Callable[..., T]) -> T:
        """What ``request`` returns, which deletes something: where the library repeated it, it is sent again
        until it is answered the first time."""
        answers: list[T] = []

        def done() -> bool:
            answer, repeated = self.attempt(key, request)
            answers.append(answer)
            return not repeated

        if not until(done, PATIENCE):
            raise StorageUnavailable(UNDELETED, driver=NAME, path=key)
        return answers[-1]

    def attempt(self, key: str, request: Callable[..., T]) -> tuple[T, bool]:
        """What ``request`` returns, called with a ``retry_hook``, and whether the library repeated it."""
        repeats: list[object] = []
        with self.errors(key):
            answer = request(retry_hook=lambda **_: repeats.append(None))
        return answer, bool(repeats)

    def download(self, key: str, start: int, end: int | None) -> StorageStreamDownloader[bytes]:
        """The bytes from ``start`` up to, not including, ``end``, to be had by ``read``."""
        with self.errors(key):
            return self.container.download_blob(key, start, None if end is None else end - start)

    def read(self, key: str, download: StorageStreamDownloader[bytes], size: int) -> bytes:
        """At most ``size`` bytes of a download, empty at its end."""
        with self.errors(key):
            return download.read(size)

    def drop(self, key: str) -> None:
        """Deletes an object unless it is of blocks, or becomes so meanwhile."""
        with suppress(PathNotFound, PathBusy), self.errors(key):
            found = self.blob(key).get_blob_properties()
            if found.blob_type != BlobType.BLOCKBLOB:
                self.delete_version(key, found.etag.strip('"'))

    def delete_version(self, key: str, version: str) -> None:
        """Raises ``PathNotFound``, and ``PathBusy`` when it has another version."""
        condition: Any = {"etag": f'"{version}"', "match_condition": MatchConditions.IfNotModified}
        self.finish(key, lambda **hook: self.blob(key).delete_blob("include", **condition, **hook))

    def readable(self, key: str) -> dict[str, Any]:
        """How the service itself may read an object, for a copy."""
        if self._token is not None:
            token = self._token.get_token(SCOPE).token
            return {"source_url": self.blob(key).url, "source_authorization": f"Bearer {token}"}
        return {"source_url": self.signed(key) or self.blob(key).url}

    def signed(self, key: str) -> str | None:
        """A URL that reads an object for a while, or none when nothing here may sign one."""
        now = time.time()
        signer: dict[str, Any] = {"account_key": self._key}
        if self._token is not None:
            if (delegated := self._delegation(now)) is None:
                return None
            signer = {"user_delegation_key": delegated}
        elif not self._key:
            return None
        blob = self.blob(key)
        signature = generate_blob_sas(
            self.account,
            blob.container_name,
            key,
            permission=BlobSasPermissions(read=True),
            start=_instant(now - SKEW),
            expiry=_instant(now + URL_LIFETIME),
            **signer,
        )
        return f"{blob.url}?{signature}"

    def _delegation(self, now: float) -> UserDelegationKey | None:
        """The key that signs for the identity; where that is denied it is asked for again a while later."""
        with self._lock:
            if now >= self._renewal:
                try:
                    start, end = _instant(now - SKEW), _instant(now + DELEGATION)
                    self._delegated = self._service.get_user_delegation_key(start, end)
                    self._renewal = now + DELEGATION - 2 * URL_LIFETIME
                except AzureError:
                    self._delegated = None
                    self._renewal = now + URL_LIFETIME
            return self._delegated

    @property
    def cure(self) -> str:
        """What lets these credentials do what the service denies them."""
        if self._key:
            return "correct or renew the account's key"
        role = "grant the role Storage Blob Data Contributor on it"
        return (
            f"{role}, or give the shared access signature all permissions"
            if self.settings.connection_string
            else role
        )

    @property
    def denied(self) -> str:
        """What is the matter when the service denies something."""
        return f"the container {self.container.container_name} of {self.account} denies it: {self.cure}"

    def errors(self, key: str, *, unmet: type[StorageError] = PathBusy) -> AbstractContextManager[None]:
        """See ``errors`` below."""
        return errors(key, unmet=unmet, denied=self.denied)


def listed(ids: Sequence[str]) -> list[BlobBlock]:
    return [BlobBlock(each) for each in ids]


def error_code(error: StorageError) -> str:
    """The service's name of what went wrong, if it was the service."""
    return code(error.__cause__)


def stored(blob: BlobProperties) -> StoredObject:
    """What the library says of an object."""
    modified = blob.last_modified.timestamp()
    mark = (blob.metadata or {}).get(MARK, "")
    return StoredObject(blob.name, blob.size, modified, blob.etag.strip('"'), mark)


@contextmanager
def errors(key: str, *, unmet: type[StorageError] = PathBusy, denied: str = "denied") -> Iterator[None]:
    """The library's errors as ours; ``unmet`` is what a condition's failure is."""
    try:
        yield
    except ResourceNotFoundError as error:
        raise PathNotFound("not found", driver=NAME, path=key) from error
    except HttpResponseError as error:
        status = error.status_code or 0
        if status == 404:  # a copy's source
            raise PathNotFound("not found", driver=NAME, path=key) from error
        if status == 412 or code(error) == "BlobAlreadyExists":
            raise unmet(message(error), driver=NAME, path=key) from error
        if not status and unreached(error) is not None:  # who issues tokens
            raise StorageUnavailable(message(error), driver=NAME, path=key) from error
        raise failure(key, status, message(error), denied) from error
    except (*NO_ANSWER, OSError) as error:
        raise StorageUnavailable(message(error), driver=NAME, path=key) from error
    except AzureError as error:
        raise StorageError(message(error), driver=NAME, path=key) from error
    except MISPARSED as error:
        problem = "this is not an answer of the blob service: check any proxy on the way"
        raise StorageError(problem, driver=NAME, path=key) from error


def failure(key: str, status: int, said: str, denied: str) -> StorageError:
    """What an answer with that status is: it may be well a while later, or has to be mended."""
    kind = StorageUnavailable if status == 429 or status >= 500 else StorageError
    return kind(f"{denied} ({said})" if status == 403 else said, driver=NAME, path=key)


def unreached(error: BaseException) -> BaseException | None:
    """What kept ``error``'s library from reaching somebody, if that is the reason behind it. The default
    credentials say so in words alone."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, NO_ANSWER):
        cause = cause.__cause__
    return (
        error
        if cause is None and "Credential: Authentication failed: HTTPSConnection" in str(error)
        else cause
    )


def code(error: BaseException | None) -> str:
    """The service's name of what went wrong, empty if it was not the service that said so."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")  # one of the library's, or one it does not know


def message(error: Exception) -> str:
    """The first line, as the library adds the request's id, its time and the answer; of the default
    credentials the one that did not give up at once."""
    tried = re.search(r"\w+Credential: Authentication failed: .*", str(error))
    return shown(tried[0] if tried else str(error).partition("\n")[0])


def _instant(seconds: float) -> datetime:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC)
