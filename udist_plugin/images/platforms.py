"""Platforms, and which image of an index is meant by one (image-spec, image-index.md)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import PlatformUnknown, ReferenceInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

    from udist_plugin.oci.descriptor import Descriptor

_ALIASES: Final = {
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "i386": ("386", None),
}
"""Other names for architectures, as containerd knows them."""

_LADDERS: Final = {"amd64": ("v4", "v3", "v2", "v1"), "arm": ("v8", "v7", "v6", "v5")}
"""What runs on what: each variant, and after it those that run there, too."""

_NATIVE: Final = {"amd64": "v1", "arm": "v7", "arm64": "v8"}
"""The variant that is meant where none is stated."""

_FORM = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+){1,2}", re.ASCII)


class Platform(NamedTuple):
    """``os/architecture[/variant]``."""

    os: str
    architecture: str
    variant: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``ReferenceInvalid``."""
        if not _FORM.fullmatch(text):
            raise ReferenceInvalid(
                "is no platform; expected OS/ARCHITECTURE[/VARIANT] such as linux/arm64", text
            )
        system, architecture, *variant = text.lower().split("/")
        architecture, implied = _ALIASES.get(architecture, (architecture, None))
        return cls(system, architecture, variant[0] if variant else implied)

    @classmethod
    def of(cls, value: object) -> Self | None:
        """That of an index's entry or of an image's configuration; ``None`` if it states none."""
        if not isinstance(value, dict):
            return None
        system, architecture, variant = (value.get(key) for key in ("os", "architecture", "variant"))
        if not isinstance(system, str) or not isinstance(architecture, str) or not system or not architecture:
            return None
        return cls(system, architecture, variant if isinstance(variant, str) and variant else None)

    @classmethod
    def of_machine(cls) -> Self:
        """Linux on this machine's architecture."""
        import platform

        return cls.parse(f"linux/{platform.machine()}")

    @property
    def ladder(self) -> list[Self]:
        """What runs there, the best first: the platform itself, then older variants."""
        native = _NATIVE.get(self.architecture)
        steps = _LADDERS.get(self.architecture, ())
        highest = self.variant or native
        variants = [self.variant]
        if self.architecture == "arm64":
            variants += [highest, native] if highest != native else [native]
        elif highest in steps:
            variants += steps[steps.index(highest) :]
        variants.append(None)
        return [self._replace(variant=variant) for variant in dict.fromkeys(variants)]

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


def choose(
    entries: Sequence[tuple[Platform | None, Descriptor]], wanted: Platform, warn: Callable[[str], None]
) -> Descriptor:
    """The entry of an index, each with its platform, that is meant by ``wanted``: the exact one, else the
    first of its ladder, whatever their order; one that states no platform only with a warning.

    Raises ``PlatformUnknown``, which lists what there is.
    """
    for platform in wanted.ladder:
        for found, descriptor in entries:
            if found == platform:
                return descriptor
    unstated = [descriptor for found, descriptor in entries if found is None]
    if len(unstated) == 1:
        warn(f"no entry of the index states {wanted}; taking {unstated[0].digest}, which states no platform")
        return unstated[0]
    raise PlatformUnknown(
        f"the image is not there; it is there for {listed(found for found, _ in entries)}", str(wanted)
    )


def check(stated: Platform | None, wanted: Platform, warn: Callable[[str], None]) -> None:
    """Raises ``PlatformUnknown`` unless one image, which ``stated`` its platform, runs on ``wanted``."""
    if stated is None:
        warn(f"the image states no platform; taking it for {wanted}")
    elif stated not in wanted.ladder:
        raise PlatformUnknown(f"the image is for {stated} alone", str(wanted))


def listed(platforms: Iterable[Platform | None]) -> str:
    return ", ".join(dict.fromkeys(str(each) for each in platforms if each)) or "no platform at all"
