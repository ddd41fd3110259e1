"""What stands in a bucket, of services that list as Amazon S3 does: a page a request, the next when it is
asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from udist_plugin.drivers.objects.store import StoredObject

    Ask = Callable[["Wanted"], "Page"]
    """Sends one request."""

_BEHIND: Final = "\U0010ffff"
"""Comes after all that a key may go on with."""


class Page(NamedTuple):
    """``prefixes``, which end with a slash, stand for all keys that begin with them; ``token`` gets what
    a ``truncated`` page leaves out."""

    objects: Sequence[StoredObject]
    prefixes: Sequence[str]
    truncated: bool
    token: str

    @property
    def keys(self) -> list[str]:
        return [each.key for each in self.objects] + [*self.prefixes]


class Wanted(NamedTuple):
    """What one request asks for: keys with a ``prefix``, ``grouped`` up to a slash behind it, ``single`` for
    one key at most."""

    prefix: str
    after: str = ""
    token: str = ""
    grouped: bool = False
    single: bool = False


def objects(ask: Ask, prefix: str, after: str) -> Iterator[StoredObject]:
    """See ``ObjectStore.objects``."""
    page = ask(Wanted(prefix, after))
    yield from page.objects
    while page.truncated:
        page = ask(Wanted(prefix, token=page.token))
        yield from page.objects


def names(ask: Ask, prefix: str, after: str, *, folders: bool) -> Iterator[str]:
    """See ``ObjectStore.names``.

    S3 lists by keys: ``a-b/`` before ``a/``. Only the beginnings of a page's last name may come in a later
    page and belong before it, so those are looked up.
    """
    seen: set[str] = set()  # a name may be an object's, and a prefix of others
    sought: set[str] = set()
    for page in _pages_of_names(ask, prefix, f"{prefix}{after}" if after else ""):
        keys = page.keys
        found = {key[len(prefix) :].rstrip("/") for key in keys if key.endswith("/") or not folders}
        if page.truncated and keys:
            for name in _beginnings(max(keys)[len(prefix) :].rstrip("/")) - found - sought:
                sought.add(name)
                if ask(Wanted(f"{prefix}{name}/", single=True)).objects:
                    found.add(name)
        yield from sorted(name for name in found - seen if name > after)
        seen |= found


def _beginnings(name: str) -> set[str]:
    """Those that come before ``name`` itself, though with a slash they come after it."""
    return {name[:end] for end, character in enumerate(name) if end and character < "/"}


def _pages_of_names(ask: Ask, prefix: str, after: str) -> Iterator[Page]:
    """A page begins behind the last prefix: MinIO may take a quarter of a second over its own token."""
    page = ask(Wanted(prefix, after, grouped=True))
    last = ""
    while True:
        yield page
        if not page.truncated:
            return
        before, last = last, max(page.keys, default="")
        if last.endswith("/") and last > before:
            page = ask(Wanted(prefix, last + _BEHIND, grouped=True))
        else:
            page = ask(Wanted(prefix, token=page.token, grouped=True))
