"""Which image a signature has to name for a policy to accept it (containers/image's PolicyReferenceMatch)."""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.policy.scopes import DOMAIN, PATH
from udist_plugin.images.references import Named


class SignedIdentity(Protocol):
    """A rule for the name in a signature."""

    def accepts(self, image: Named | None, signed: Named) -> bool:
        """Whether a signature that names ``signed`` is one of ``image``; ``None`` for an image that no
        registry has."""


class MatchExact(NamedTuple):
    """The very reference, with its tag or digest."""

    def accepts(self, image: Named | None, signed: Named) -> bool:
        return not is_name_only(signed) and signed == image


class MatchRepoDigestOrExact(NamedTuple):
    """The very reference; for an image by its digest, any of its repository."""

    def accepts(self, image: Named | None, signed: Named) -> bool:
        if image is None or is_name_only(image) or is_name_only(signed):
            return False
        return signed == image if image.tag else signed.name == image.name


class MatchRepository(NamedTuple):
    """Any reference of the repository."""

    def accepts(self, image: Named | None, signed: Named) -> bool:
        return image is not None and signed.name == image.name


class ExactReference(NamedTuple):
    """The reference that the policy names, whatever the image is called."""

    reference: Named

    def accepts(self, image: Named | None, signed: Named) -> bool:  # noqa: ARG002
        return signed == self.reference


class ExactRepository(NamedTuple):
    """Any reference of the repository that the policy names, whatever the image is called."""

    repository: Named

    def accepts(self, image: Named | None, signed: Named) -> bool:  # noqa: ARG002
        return signed.name == self.repository.name


class RemapIdentity(NamedTuple):
    """As ``MatchRepoDigestOrExact``, with another start of the image's name: for mirrors."""

    prefix: str
    signed_prefix: str

    def accepts(self, image: Named | None, signed: Named) -> bool:
        remapped = image and self._remapped(image)
        return remapped is not None and MatchRepoDigestOrExact().accepts(remapped, signed)

    def _remapped(self, image: Named) -> Named | None:
        if f"{image.name}/".startswith(f"{self.prefix}/"):
            renamed = self.signed_prefix + str(image).removeprefix(self.prefix)
            try:
                image = Named.parse(renamed)
            except ReferenceInvalid:
                return None
            return image if str(image) == renamed else None
        return image


def is_name_only(reference: Named) -> bool:
    return reference.tag is None and reference.digest is None


def is_prefix(text: str) -> bool:
    """Whether ``text`` can be a prefix of ``RemapIdentity``: a domain, or a name that begins with one."""
    return re.fullmatch(f"{DOMAIN}(?:/{PATH})?", text) is not None
