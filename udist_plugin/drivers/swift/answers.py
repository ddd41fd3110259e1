"""What Swift and who issues tokens answer, as errors of ours."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.swift.library import (
    ClientException,
    ConnectFailure,
    ConnectTimeout,
    EndpointNotFound,
    HttpError,
    UnknownConnectionError,
)
from udist_plugin.errors import PathNotFound, StorageError, StorageFull, StorageUnavailable
from udist_plugin.redaction import SHOWN_MAX, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests import Response

NAME: Final = "swift"

PASSING: Final = frozenset({202, 408, 409, 422, 429, 498})
"""Beside 5xx. 202 and 409 are of a write that is not kept, as another's has a later time by the clock of its
proxy; 422 is of content that did not arrive as it was sent."""
CHANGED: Final = "changed by another writer at the same time"
DENIED: Final = "give this user a role that may read and write it"
FOREIGN: Final = "this is not an answer of Swift: check any proxy on the way"
NO_SERVICE: Final = "the catalog has no object store of that region and type"
UNREACHED: Final = (ConnectFailure, ConnectTimeout, UnknownConnectionError)
"""Nobody answered, or not to the end."""
MISPARSED: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What the libraries stumble into over an answer that is not the service's."""


class Refused(Exception):
    """An answer that is not what was asked for."""

    def __init__(self, response: Response) -> None:
        self.status = response.status_code
        said = ""
        with suppress(OSError):  # requests' own errors are
            said = next(response.iter_content(SHOWN_MAX), b"").decode(errors="replace").strip()
        super().__init__(shown(response.reason if said.startswith("<") else said or response.reason))


def failure(
    container: str, method: str, key: str, refused: Refused, unmet: type[StorageError]
) -> StorageError:
    """What an answer is; ``unmet`` is what a precondition's failure is: of a copy that its source is
    gone. Without a key the container was asked."""
    where = f"the container {container}"
    kind, problem = StorageError, str(refused)
    match refused.status:
        case 404 if key and (method != "PUT" or unmet is PathNotFound):
            kind, problem = PathNotFound, "not found"
        case 404:
            problem = f"{where} does not exist: create it"
        case 409 if method == "GET":
            problem = "segments of it are missing"
        case 412:
            kind, problem = unmet, CHANGED
        case 413:
            kind, problem = StorageFull, f"the quota of {where}, or of its account, is used up ({problem})"
        case 401:
            problem = f"{where} refuses the credentials: correct or renew them"
        case 403:
            problem = f"{where} denies it: {DENIED} ({problem})"
        case status if status >= 500 or status in PASSING:
            kind = StorageUnavailable
        case status if status < 400:
            problem = FOREIGN
    return kind(problem, driver=NAME, path=key)


def digest(content: bytes) -> str:
    """The version of a whole object that holds this."""
    from hashlib import md5

    return md5(content, usedforsecurity=False).hexdigest()


def etag(fields: Mapping[str, str]) -> str:
    """In quotes only of large objects."""
    return fields.get("Etag", "").strip('"')


@contextmanager
def errors(key: str) -> Iterator[None]:
    """The libraries' errors as ours."""
    try:
        yield
    except UNREACHED as error:
        raise StorageUnavailable(shown(error), driver=NAME, path=key) from error
    except HttpError as error:  # of who issues tokens
        status = error.http_status or 0
        kind = StorageUnavailable if status >= 500 or status in PASSING else StorageError
        raise kind(f"no token: {shown(error)}", driver=NAME, path=key) from error
    except EndpointNotFound as error:
        raise StorageError(f"{NO_SERVICE} ({shown(error)})", driver=NAME, path=key) from error
    except ClientException as error:
        raise StorageError(shown(error), driver=NAME, path=key) from error
    except MISPARSED as error:
        raise StorageError(FOREIGN, driver=NAME, path=key) from error
