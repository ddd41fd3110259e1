"""``registries.d``: where the signatures of images are (containers-registries.d(5), as containers/image 5.42
reads it)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from udist_plugin.config.files import read_file
from udist_plugin.config.nodes import Node, Scalar, Table, describe, is_null
from udist_plugin.config.yaml_text import parse_yaml
from udist_plugin.errors import ConfigurationError
from udist_plugin.images.docker.drop_ins import FOLDERS, drop_ins, user_folders
from udist_plugin.images.policy.subject import PolicyImage
from udist_plugin.images.signatures.storage import SignatureStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from udist_plugin.images.references import Named

_ALL: Final = ""
"""The scope of ``default-docker``."""
_BOOLEANS: Final = {"true": True, "false": False}


class Section(NamedTuple):
    """What a file says of one scope; what it does not say is empty."""

    source: str
    lookaside: str = ""
    staging: str = ""
    attachments: bool | None = None


def storage_of(named: Named, environ: Mapping[str, str]) -> SignatureStorage:
    """Where the signatures of an image are. Raises ``ConfigurationError``.

    Each key is that of the nearest scope which has it: image, repository, namespaces, host, ``*.`` and the
    host's domains, and the default of all.
    """
    sections = load_registries_d(environ)
    scopes = PolicyImage.of_docker("docker", named).scopes
    found = [sections[scope] for scope in scopes if scope in sections]
    builtin = _builtin(environ)
    lookaside = _first(found, lambda each: each.lookaside) or builtin
    staging = _first(found, lambda each: each.staging or each.lookaside) or builtin
    said = [each.attachments for each in found if each.attachments is not None]
    return SignatureStorage(
        lookaside and f"{lookaside}/{named.path}",
        staging and f"{staging}/{named.path}",
        next(iter(said), None),
    )


def load_registries_d(environ: Mapping[str, str]) -> dict[str, Section]:
    """The sections of all files by their scopes. Raises ``ConfigurationError``, also for two of one scope."""
    found: dict[str, Section] = {}
    for path in drop_ins(_folders(environ), ".yaml"):
        for scope, section in _sections(parse_yaml(read_file(path), path)):
            if scope in found:
                key = f"docker.{scope}" if scope else "default-docker"
                raise ConfigurationError(
                    f"there is a section for this in {found[scope].source}, too",
                    key=key,
                    source=section.source,
                )
            found[scope] = section
    return found


def _folders(environ: Mapping[str, str]) -> Iterator[str]:
    """The user's, the administrator's and the vendor's; of the latter, first those for the kind of user."""
    for folder in user_folders(environ):
        yield os.path.join(folder, "registries.d")
    user = os.geteuid()
    for folder in FOLDERS:
        special = os.path.join(folder, f"registries.root{'less' if user else 'ful'}.d")
        yield from [*([os.path.join(special, str(user))] if user else []), special]
        yield os.path.join(folder, "registries.d")


def _sections(document: Node) -> Iterator[tuple[str, Section]]:
    top = _table(document, "")
    if "default-docker" in top:
        yield _ALL, _section(top["default-docker"], "default-docker")
    for scope, node in _table(top.get("docker"), "docker").items():
        yield scope, _section(node, f"docker.{scope}")


def _section(node: Node, key: str) -> Section:
    """What is unknown does not matter. The names with ``sigstore`` are the old ones."""
    entries = _table(node, key)

    def text(*names: str) -> str:
        return next(filter(None, (_text(entries.get(name), f"{key}.{name}") for name in names)), "")

    said = text("use-sigstore-attachments")
    if said and said not in _BOOLEANS:
        raise ConfigurationError(
            "expected true or false", key=f"{key}.use-sigstore-attachments", source=node.source
        )
    return Section(
        node.source,
        text("lookaside", "sigstore"),
        text("lookaside-staging", "sigstore-staging"),
        _BOOLEANS.get(said),
    )


def _table(node: Node | None, key: str) -> Mapping[str, Node]:
    if node is None or is_null(node):
        return {}
    if not isinstance(node, Table):
        raise ConfigurationError(f"expected a mapping, not {describe(node)}", key=key, source=node.source)
    return node.entries


def _text(node: Node | None, key: str) -> str:
    if node is None or is_null(node):
        return ""
    if not isinstance(node, Scalar):
        raise ConfigurationError(f"expected text, not {describe(node)}", key=key, source=node.source)
    return node.text or ""


def _first(sections: Sequence[Section], of: Callable[[Section], str]) -> str:
    return next(filter(None, map(of, sections)), "")


def _builtin(environ: Mapping[str, str]) -> str:
    """Where signatures are if no file says so."""
    if not os.geteuid():
        return "file:///var/lib/containers/sigstore"
    home = environ.get("HOME")
    return f"file://{quote(home)}/.local/share/containers/sigstore" if home else ""
