"""Names of images as Docker writes them: default domain, default tag and ``library/``
(distribution's ``reference`` package)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import DigestInvalid, ReferenceInvalid
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.reference import NAME_MAX

if TYPE_CHECKING:
    from typing import Self

DEFAULT_DOMAIN: Final = "docker.io"
LEGACY_DOMAIN: Final = "index.docker.io"
OFFICIAL: Final = "library/"
DEFAULT_TAG: Final = "latest"

FORM: Final = "[HOST[:PORT]/]NAME[:TAG|@DIGEST]"

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_REFERENCE = re.compile(rf"(?P<domain>{_DOMAIN})/(?P<path>{_PATH})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>.+))?")
_IDENTIFIER = re.compile("[a-f0-9]{64}")


class Named(NamedTuple):
    """A name with its domain, and a tag, a digest, both or neither."""

    domain: str
    path: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """``reference.ParseNormalizedNamed``. Raises ``ReferenceInvalid``."""
        if _IDENTIFIER.fullmatch(text):
            raise ReferenceInvalid("64 hexadecimal digits are an image's id, not its name", text)
        domain, rest = _divided(text)
        match = _REFERENCE.fullmatch(f"{domain}/{rest}")
        if match is None:
            raise ReferenceInvalid(_problem(text, domain, rest), text)
        if len(domain) + 1 + len(match["path"]) > NAME_MAX:
            raise ReferenceInvalid(f"the name is longer than {NAME_MAX} characters", text)
        try:
            digest = Digest(match["digest"]) if match["digest"] else None
        except DigestInvalid:
            raise ReferenceInvalid(
                "no valid digest after @; expected sha256:<64 hex> or sha512:<128 hex>", text
            ) from None
        return cls(match["domain"], match["path"], match["tag"], digest)

    @classmethod
    def parse_image(cls, text: str) -> Self:
        """As ``parse``, with the default tag where there is neither tag nor digest, and not with both."""
        named = cls.parse(text)
        if named.tag and named.digest:
            raise ReferenceInvalid("has both a tag and a digest; give one of them", text)
        return named if named.tag or named.digest else named._replace(tag=DEFAULT_TAG)

    @property
    def name(self) -> str:
        return f"{self.domain}/{self.path}"

    @property
    def familiar(self) -> str:
        """As people write it: without the default domain and ``library/``."""
        name = self.name
        if self.domain == DEFAULT_DOMAIN:
            short = self.path.removeprefix(OFFICIAL)
            name = self.path if "/" in short else short
        return name + self._rest

    def __str__(self) -> str:
        return self.name + self._rest

    @property
    def _rest(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def repository_of(text: str) -> Named:
    """A name without tag or digest. Raises ``ReferenceInvalid``."""
    named = Named.parse(text)
    if named.tag or named.digest:
        raise ReferenceInvalid("names an image; a repository has no tag or digest", text)
    return named


def is_host(first: str) -> bool:
    """Whether the first part of a name is its domain."""
    return bool(set(first) & {".", ":"}) or first == "localhost"


def _divided(text: str) -> tuple[str, str]:
    """The domain, and what is behind it: a first part without a dot or port is none, but for localhost."""
    first, slash, rest = text.partition("/")
    if not slash or not is_host(first):
        domain, rest = DEFAULT_DOMAIN, text
    else:
        domain = DEFAULT_DOMAIN if first == LEGACY_DOMAIN else first
    if domain == DEFAULT_DOMAIN and "/" not in rest:
        rest = OFFICIAL + rest
    return domain, rest


def _problem(text: str, domain: str, rest: str) -> str:
    """What is wrong with a text that does not match."""
    path, _, tag = rest.partition("@")[0].partition(":")
    if "://" in text:
        problem = "a reference has no scheme such as https://"
    elif path != path.lower():
        problem = f"a name has no capital letters; write {path.lower()!r}"
    elif not re.fullmatch(_DOMAIN, domain):
        problem = f"{domain!r} is not a valid host"
    elif not re.fullmatch(_PATH, path):
        problem = f"{path.removeprefix(OFFICIAL) or text!r} is not a valid repository name"
    elif "/" in tag:
        problem = "a port comes after the host, before the first slash"
    else:
        problem = f"{tag!r} is not a valid tag"
    return f"{problem}; expected {FORM}"
