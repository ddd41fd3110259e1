"""The middleware in the file's order: each makes a URL of what the one before it, or the driver, gives."""

from __future__ import annotations

from udist_plugin.errors import ConfigurationError
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.config.model import MiddlewareOptions, StorageMiddleware
    from udist_plugin.drivers import StorageDriver

    UrlFor = Callable[[str], str | None]
    """The URL of the content at a path of the store, or ``None``."""


def url_for(driver: StorageDriver, middleware: Sequence[StorageMiddleware]) -> UrlFor:
    """Where content of ``driver`` is fetched. Raises ``ConfigurationError``."""
    found: UrlFor = driver.url_for
    for number, entry in enumerate(middleware):
        key = getattr(driver, "key", None) if driver.name == "s3" and not number else None
        found = _around(found, entry, key, f"middleware.storage.{number}")
    return found


def _around(
    inner: UrlFor, entry: StorageMiddleware, key: Callable[[str], str] | None, section: str
) -> UrlFor:
    """``key`` gives the name of a path in the bucket, where one stands right below; ``section`` is where the
    entry is in the configuration."""
    options = entry.options
    if entry.name == "redirect":
        base = options.baseurl.rstrip("/")
        return lambda path: base + path
    if entry.name == "rewrite":
        return lambda path: rewritten(inner(path), options)
    if key is None:
        problem = "expected cloudfront to be the first entry, and storage.s3 the driver"
        raise ConfigurationError(problem, key=f"{section}.name")
    from udist_plugin.redirecting.cloudfront import Signer

    stored = key
    try:
        signer = Signer(options.privatekey, options.keypairid, options.duration)
    except ConfigurationError as error:
        raise ConfigurationError(error.problem, key=f"{section}.options.{error.key}") from error
    base = _slashed(options.baseurl)
    return lambda path: signer.sign(base + stored(path))


def _slashed(base: str) -> str:
    """A base URL up to a slash; without a scheme it is https, as distribution has it."""
    whole = base if "://" in base else f"https://{base}"
    return whole if whole.endswith("/") else f"{whole}/"


def rewritten(url: str | None, options: MiddlewareOptions) -> str | None:
    """``url`` with another scheme and host, and without the start of its path."""
    if url is None:
        return None
    from urllib.parse import quote, unquote, urlsplit

    parts = urlsplit(url)
    path = parts.path
    if options.trimpathprefix and (plain := unquote(path)).startswith(options.trimpathprefix):
        rest = quote(plain.removeprefix(options.trimpathprefix), safe="/$&+,:;=@~")
        path = rest if rest.startswith("/") or not rest else f"/{rest}"
    changed = parts._replace(
        scheme=options.scheme or parts.scheme, netloc=options.host or parts.netloc, path=path
    )
    return changed.geturl()
