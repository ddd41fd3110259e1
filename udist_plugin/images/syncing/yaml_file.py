"""The file of ``skopeo sync --src yaml``: registries, and what to copy of each (skopeo-sync(1))."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.config.files import read_file
from udist_plugin.config.nearest import nearest
from udist_plugin.config.nodes import Items, Node, Scalar, Table, describe, is_null
from udist_plugin.config.yaml_text import parse_yaml
from udist_plugin.errors import ConfigurationError, ReferenceInvalid
from udist_plugin.images.syncing.choosing import by_pattern, by_regex, exactly, union
from udist_plugin.images.syncing.job import Job, check_targets
from udist_plugin.images.syncing.semver import by_semver
from udist_plugin.remote.credentials.credential import Credential

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from udist_plugin.images.syncing.choosing import Choice
    from udist_plugin.images.syncing.record import Record
    from udist_plugin.images.system import SystemContext
    from udist_plugin.images.transports.base import Repositories

YAML: Final = "yaml:"
"""What stands before the path of such a file."""

_BOOLEANS: Final = {"true": True, "false": False}

_LISTS: Final[dict[str, Callable[[Node, str], Choice]]] = {
    "images": lambda node, key: _targets(node, key),
    "images-by-tag-regex": lambda node, key: _parsed(by_regex, node, key),
    "images-by-semver": lambda node, key: _parsed(by_semver, node, key),
}
_KEYS: Final = (*_LISTS, "credentials", "tls-verify", "cert-dir")


class Registry(NamedTuple):
    """A registry of the file, and the tags to copy by repository. The rest is how to get on with it."""

    host: str
    repositories: dict[str, Choice]
    insecure: bool = False
    login: Credential | None = None
    certificates: str = ""

    def system(self, system: SystemContext) -> SystemContext:
        """``system``, for this registry."""
        return system._replace(
            insecure=system.insecure or self.insecure,
            login=self.login or system.login,
            certificates=self.certificates or system.certificates,
        )


def read_registries(path: str) -> list[Registry]:
    """Raises ``ConfigurationError``, which names the key and the line."""
    document = parse_yaml(read_file(path), path)
    return [_registry(host, node) for host, node in _table(document, "").items()]


def jobs_in_file(
    path: str, destination: Repositories, system: SystemContext, opened: ExitStack, record: Record
) -> list[Job]:
    """A job for each repository of the file at ``path``, which keeps its name, without the host, below what
    ``destination`` names. ``opened`` closes the registries, and ``record`` gets those that cannot be opened.
    """
    from udist_plugin.images.docker.transport import DockerTransport

    transport, jobs = DockerTransport(), []
    for registry in read_registries(path):
        for name, choose in registry.repositories.items():
            place = f"//{registry.host}/{name}"
            reference = f"{transport.name}:{place}"
            source = record.attempt(
                reference, name, "", partial(transport.open_repositories, place, registry.system(system))
            )
            if source is not None:
                opened.enter_context(source)
                target = "/".join(filter(None, (destination.chosen, source.chosen)))
                jobs.append(Job(source, source.chosen, target, choose))
    return check_targets(jobs)


def _registry(host: str, node: Node) -> Registry:
    entries = _known(_table(node, host), _KEYS, host)
    found: dict[str, list[Choice]] = {}
    for key, choice in _LISTS.items():
        at = f"{host}.{key}"
        for name, value in _table(entries.get(key), at).items():
            found.setdefault(name, []).append(choice(value, f"{at}.{name}"))
    return Registry(
        host,
        {name: union(choices) for name, choices in found.items()},
        not _boolean(entries.get("tls-verify"), f"{host}.tls-verify"),
        _login(entries.get("credentials"), f"{host}.credentials"),
        _text(entries.get("cert-dir"), f"{host}.cert-dir"),
    )


def _login(node: Node | None, key: str) -> Credential | None:
    entries = _known(_table(node, key), ("username", "password"), key)
    if node is None or not entries:
        return None
    name, password = (_text(entries.get(each), f"{key}.{each}") for each in ("username", "password"))
    return Credential.of_login(name, password, node.source)


def _targets(node: Node, key: str) -> Choice:
    """A list of tags and digests; an empty one means all tags."""
    if is_null(node):
        return by_pattern()
    if not isinstance(node, Items):
        raise _wrong("a list of tags and digests", node, key)
    targets = [_text(item, f"{key}[{index}]") for index, item in enumerate(node.items)]
    return exactly(targets) if targets else by_pattern()


def _parsed(parse: Callable[[str], Choice], node: Node, key: str) -> Choice:
    try:
        return parse(_text(node, key))
    except ReferenceInvalid as error:
        raise ConfigurationError(str(error), key=key, source=node.source) from None


def _known(entries: dict[str, Node], known: tuple[str, ...], key: str) -> dict[str, Node]:
    for name, node in entries.items():
        if name not in known:
            near = nearest(name, known)
            hint = f"; did you mean {near}?" if near else f"; expected one of {', '.join(known)}"
            raise ConfigurationError(f"unknown key{hint}", key=f"{key}.{name}", source=node.source)
    return entries


def _table(node: Node | None, key: str) -> dict[str, Node]:
    if node is None or is_null(node):
        return {}
    if not isinstance(node, Table):
        raise _wrong("a mapping", node, key)
    return dict(node.entries)


def _text(node: Node | None, key: str) -> str:
    if node is None:
        return ""
    if not isinstance(node, Scalar):
        raise _wrong("text", node, key)
    return node.text or ""


def _boolean(node: Node | None, key: str) -> bool:
    if node is None:
        return True
    text = _text(node, key).lower()
    if text not in _BOOLEANS:
        raise _wrong("true or false", node, key)
    return _BOOLEANS[text]


def _wrong(expected: str, node: Node, key: str) -> ConfigurationError:
    return ConfigurationError(f"expected {expected}, not {describe(node)}", key=key, source=node.source)
