"""References as other tools write them, and what to write instead."""

from __future__ import annotations

from udist_plugin.errors import RegistryError
from udist_plugin.oci.reference import Reference
from udist_plugin.typed import Final

# Of URLs, and of skopeo's other transports (containers-transports(5)).
_TRANSPORT: Final = (
    r"[A-Za-z][\w+.-]*://|"
    r"(?:oci|oci-archive|dir|docker-archive|docker-daemon|containers-storage):(?=.*[:/])"
)
_HOST: Final = r"(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9A-Fa-f:]+\])(?::\d+)?/+|[\w-]+:\d+/+"
_PORT: Final = r"[^/@]+:\d+/"


def correction(text: str) -> str | None:
    """What is wrong with ``text``, which is not a valid reference, and what to write instead.

    ``None`` if it resembles no known habit.
    """
    import re

    problems = []
    right = re.sub(f"^(?:{_TRANSPORT})", "", text)
    if right != text or re.match(_PORT, text):
        problems.append("udist uses the configured store, so a reference has no transport or registry host")
        right = re.sub(f"^(?:{_HOST})", "", right)
    if right != (slashless := right.strip("/")):
        problems.append("a repository name has no slash at its start or end")
        right = slashless
    if right != (marked := re.sub(r":(sha256|sha512):", r"@\1:", right)):
        problems.append("a digest comes after @")
        right = marked
    end = re.search(r"[:@]|$", right).start()  # type: ignore[union-attr]  # the end is always there
    if right[:end] != right[:end].lower():
        problems.append("a repository name has no capital letters")
        right = right[:end].lower() + right[end:]
    if not problems:
        return None
    return "; ".join([*problems, f"use {right!r}"] if is_reference(right) else problems)


def address_in(text: str) -> str | None:
    """The name with its registry's host that ``text`` is, perhaps as a URL; ``None`` if it has no host."""
    import re

    from udist_plugin.errors import ReferenceInvalid
    from udist_plugin.images.references import Named

    address = re.sub(f"^(?:{_TRANSPORT})", "", text)
    if not re.match(_HOST, address):
        return None
    try:
        return Named.parse(address).familiar
    except ReferenceInvalid:
        return None


def is_reference(text: str) -> bool:
    """Whether ``text`` is a plain name, with a tag or a digest or neither."""
    try:
        Reference.parse(text)
    except RegistryError:
        return False
    return True
