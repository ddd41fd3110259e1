"""The one door to Alibaba's SDK: its bounds in time, its repetitions, its errors as ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.parts_store import CONNECTIONS
from udist_plugin.drivers.objects.pauses import PATIENCE, Pauses
from udist_plugin.drivers.oss.library import (
    BaseError,
    Client,
    Config,
    InconsistentError,
    OperationError,
    RequestError,
    RequestsHttpClient,
    ResponseError,
    Retryer,
    ServiceError,
    StaticCredentialsProvider,
)
from udist_plugin.errors import PathBusy, PathNotFound, StorageError, StorageUnavailable
from udist_plugin.redaction import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.oss.settings import Settings

NAME: Final = "oss"
BOUNDS: Final = {"connect_timeout": 10.0, "readwrite_timeout": 60.0}
"""Seconds to connect, and to wait for the next bytes."""
FAILURES: Final = (BaseError, OSError)
"""What the library raises, and lets through in the middle of a content."""
MISPARSED: Final = (AttributeError, KeyError, SyntaxError, TypeError, ValueError)
"""What it stumbles into over an answer that is not the service's."""
NO_ANSWER: Final = (RequestError, ResponseError, OSError)
FOREIGN: Final = "this is not an answer of OSS: check storage.oss.endpoint and any proxy on the way"
UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
NEEDED: Final = (
    "oss:ListObjects and oss:ListMultipartUploads on the bucket, and oss:GetObject, oss:PutObject, "
    "oss:DeleteObject, oss:AbortMultipartUpload and oss:ListParts on what is in it"
)
_MET: Final = {"FileAlreadyExists", "ObjectAlreadyExists", "PreconditionFailed"}
"""What stands against ``x-oss-forbid-overwrite``, and against a condition on an ETag."""


class Attempts(Retryer):  # type: ignore[misc]
    """How often one request is sent, for ``patience`` seconds."""

    def __init__(self, patience: float) -> None:
        self.repeated = False
        self._pauses = Pauses(patience)
        self._pause: float | None = 0.0

    def max_attempts(self) -> int:
        return 1 << 30

    def is_error_retryable(self, error: Exception) -> bool:
        if not _passes(error):
            return False
        self._pause = self._pauses.next()
        return self._pause is not None

    def retry_delay(self, attempt: int, error: Exception) -> float:  # noqa: ARG002
        self.repeated = True
        return self._pause or 0.0


class Http(RequestsHttpClient):  # type: ignore[misc]
    """The library's, with what it lacks."""

    def open(self) -> None:
        super().open()
        self.session.auth = _as_signed  # or ~/.netrc replaces the signature

    def send(self, request: Any, **options: Any) -> Any:
        """The library reads no error without a date, as proxies may send it."""
        from email.utils import formatdate

        answer = super().send(request, **options)
        answer.headers.setdefault("Date", formatdate(usegmt=True))
        return answer


def _as_signed(request: Any) -> Any:
    return request


class OssClient:
    """One bucket: ``library`` is the SDK's client of it."""

    def __init__(self, settings: Settings, *, patience: float = PATIENCE, **bounds: float) -> None:
        """Requests that fail in passing are repeated for ``patience`` seconds; ``bounds`` replace those
        above."""
        self.settings = settings
        self.patience = patience
        self.url = settings.url
        self.library = Client(
            Config(
                region=settings.region,
                endpoint=settings.url,
                use_cname=True,  # the endpoint is the bucket's host
                credentials_provider=StaticCredentialsProvider(settings.access_key, settings.secret_key),
                http_client=Http(max_connections=CONNECTIONS, **{**BOUNDS, **bounds}),
                user_agent="udist-plugin",
            )
        )

    def ask(
        self, verb: str, request: Callable[..., Any], *, unmet: type[StorageError] = PathBusy, **given: Any
    ) -> tuple[Any, bool]:
        """The answer to a request of the bucket by the library's ``verb``, and whether it was repeated."""
        attempts = Attempts(self.patience)
        key = given.get("key") or given.get("prefix") or ""
        with errors(given.get("source_key") or key, unmet=unmet, denied=self.denied):
            asked = request(bucket=self.settings.bucket, **given)
            return getattr(self.library, verb)(asked, retryer=attempts), attempts.repeated

    @property
    def denied(self) -> str:
        return f"the bucket {self.settings.bucket} denies it to these credentials: grant them {NEEDED}"


def cause(error: BaseException | None) -> BaseException | None:
    """What went wrong, without the library's wrapping."""
    while isinstance(error, OperationError | RequestError | ResponseError):
        error = error.unwrap()
    return error


def error_code(error: BaseException | None) -> str:
    """The service's name of what went wrong, empty if it was not the service that said so."""
    found = cause(error)
    return str(found.code or "") if isinstance(found, ServiceError) else ""


def message(error: BaseException) -> str:
    found = cause(error) or error
    if isinstance(found, ServiceError):
        said = found.message or f"status {found.status_code}"
        return shown(f"{said} ({found.code or 'no code'})")
    return shown(found)


@contextmanager
def errors(key: str, *, unmet: type[StorageError] = PathBusy, denied: str = "denied") -> Iterator[None]:
    """The library's errors as ours; ``unmet`` is what a condition's failure is."""
    try:
        yield
    except FAILURES as error:
        raise _ours(error, key, unmet, denied) from error
    except MISPARSED as error:
        raise StorageError(FOREIGN, driver=NAME, path=key) from error


def _ours(error: Exception, key: str, unmet: type[StorageError], denied: str) -> StorageError:
    found = error.unwrap() if isinstance(error, OperationError) else error
    said = message(error)
    if isinstance(found, ServiceError):
        if found.status_code == 404 and found.code != "NoSuchBucket":
            return PathNotFound("not found", driver=NAME, path=key)
        if found.status_code == 412 or found.code in _MET:
            return unmet("changed by another writer at the same time", driver=NAME, path=key)
        if found.status_code == 403:
            return StorageError(f"{denied} ({said})", driver=NAME, path=key)
    elif isinstance(found, MISPARSED):
        return StorageError(FOREIGN, driver=NAME, path=key)
    kind = StorageUnavailable if _passes(found) else StorageError
    return kind(said, driver=NAME, path=key)


def _passes(error: BaseException) -> bool:
    """Whether a while later it may be well: nobody answered, or the service was throttled or broken."""
    if isinstance(error, ServiceError):
        return error.status_code in (408, 429) or error.status_code >= 500
    if isinstance(error, NO_ANSWER):
        return UNTRUSTED not in str(error)
    return isinstance(error, InconsistentError)
