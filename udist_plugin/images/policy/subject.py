"""An image as a signature policy sees it: by its transport, and the names that scopes are compared with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.references import Named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from udist_plugin.oci.digest import Digest


class PolicyImage(NamedTuple):
    """``transport`` by its name. ``identity`` is the scope of this image alone and ``namespaces`` are wider
    ones, the nearest first (containers/image's PolicyConfigurationIdentity and -Namespaces). ``reference``
    is compared with what a signature says; images in folders and archives have none."""

    transport: str
    identity: str = ""
    namespaces: tuple[str, ...] = ()
    reference: Named | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """All scopes that the image is in, the nearest first."""
        return (*([self.identity] if self.identity else ()), *self.namespaces, "")

    @classmethod
    def of_docker(cls, transport: str, reference: Named) -> Self:
        """An image of a registry. Raises ``ReferenceInvalid`` for one with a tag and a digest: there is no
        scope for both."""
        if reference.tag and reference.digest:
            raise ReferenceInvalid("give a tag or a digest, not both", f"{transport}:{reference}")
        return cls(transport, str(reference), tuple(_docker_namespaces(reference.name)), reference)

    @classmethod
    def of_path(cls, transport: str, path: str) -> Self:
        """An image in the file or folder ``path``, which may not be there yet."""
        resolved = os.path.realpath(path)
        return cls(transport, resolved, tuple(_parents(resolved)))

    @classmethod
    def of_store(cls, transport: str, name: str, target: str) -> Self:
        """An image of a store without a host: ``target`` is its tag or digest."""
        identity = f"{name}@{target}" if ":" in target else f"{name}:{target}"
        return cls(transport, identity, (name, *_parents(name)), Named.parse(identity))

    def at(self, digest: Digest) -> Self:
        """The image with ``digest`` in the same repository, or at the same path."""
        if self.reference is None:
            return self
        identity = f"{self.namespaces[0]}@{digest}" if self.namespaces else ""
        return self._replace(identity=identity, reference=self.reference._replace(tag=None, digest=digest))

    def __str__(self) -> str:
        return f"{self.transport}:{self.identity}"


def _docker_namespaces(name: str) -> Iterator[str]:
    """The repository, its parents up to the domain, and a wildcard for each parent of the host."""
    yield name
    yield from _parents(name)
    host = name.partition("/")[0].partition(":")[0]
    while "." in host:
        host = host.partition(".")[2]
        yield f"*.{host}"


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path
