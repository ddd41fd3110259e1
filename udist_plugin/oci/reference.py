"""Repository names, tags and the references that people write (distribution-spec, "Pulling manifests")."""

from collections.abc import Callable
from functools import lru_cache

from udist_plugin.errors import ManifestUnknown, NameInvalid, TagInvalid
from udist_plugin.oci.digest import Digest
from udist_plugin.typed import Final, NamedTuple, Self

KEPT: Final = 1024
"""Names and tags found right that are kept: a request looks at its own several times."""
NAME_MAX: Final = 255
"""distribution's limit on a repository name, in characters."""
ENCODED_MAX: Final = 64
"""Characters of a digest's encoded part that are in the tag of its referrers."""

# Compiled on first use: the first answer needs neither.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = f"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"


@lru_cache(KEPT)
def check_name(name: str) -> str:
    """``name`` itself, if the specification's grammar allows it; raises ``NameInvalid``."""
    import re

    if len(name) > NAME_MAX or not re.fullmatch(_NAME, name):
        raise NameInvalid({"name": name[:NAME_MAX]})
    return name


@lru_cache(KEPT)
def check_tag(tag: str) -> str:
    """``tag`` itself, if the specification's grammar allows it; raises ``TagInvalid``."""
    import re

    if not re.fullmatch(_TAG, tag):
        raise TagInvalid({"tag": tag[:256]}, "invalid tag")
    return tag


def referrers_tag(subject: Digest) -> str:
    """The tag of an index of what refers to ``subject`` (distribution-spec, "Referrers Tag Schema")."""
    return f"{subject.algorithm}-{subject.hex[:ENCODED_MAX]}"


def tag_matcher() -> Callable[[str], object]:
    """What is true of texts that the grammar allows as a tag, for many of them at once."""
    import re

    return re.compile(_TAG).fullmatch


@lru_cache(KEPT)
def parse_target(text: str) -> Digest | str:
    """A manifest's reference in a URL: a digest when it has a colon, else a tag.

    Raises ``DigestInvalid``, or ``ManifestUnknown`` for what can be neither: a tag that cannot exist
    is a tag that does not exist.
    """
    import re

    if ":" in text:
        return Digest(text)
    if not re.fullmatch(_TAG, text):
        raise ManifestUnknown({"tag": text[:256]})
    return text


class Reference(NamedTuple):
    """``name[:tag][@digest]`` as typed on a command line."""

    name: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``NameInvalid``, ``TagInvalid`` or ``DigestInvalid``, naming the part at fault."""
        rest, at, digest = text.partition("@")
        name, colon, tag = rest.partition(":")
        return cls(check_name(name), check_tag(tag) if colon else None, Digest(digest) if at else None)

    @property
    def target(self) -> str:
        """What to ask a registry for: the digest, else the tag, else ``latest``."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")
