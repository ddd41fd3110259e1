"""What a token allows (distribution's "Token Scope"): a set of ``type:name:action``."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

Scopes = frozenset[str]

_REPOSITORY: Final = re.compile(r"/v2/(.+?)/(?:blobs|manifests|tags|referrers)/")

_ACTIONS: Final = {"GET": ("pull",), "HEAD": ("pull",), "DELETE": ("delete",)}


def scopes_of(method: str, target: str) -> Scopes:
    """What a request needs; a mount also reads where it comes from."""
    parts = urlsplit(target)
    if parts.path == "/v2/_catalog":
        return frozenset({"registry:catalog:*"})
    match = _REPOSITORY.match(parts.path)
    if match is None:
        return frozenset()
    actions = _ACTIONS.get(method, ("pull", "push"))
    wanted = {f"repository:{unquote(match[1])}:{action}" for action in actions}
    return frozenset(wanted | {f"repository:{name}:pull" for name in parse_qs(parts.query).get("from", [])})


def parse_scopes(text: str) -> Scopes:
    """Those of a challenge: several actions are separated by commas, several scopes by spaces."""
    found = set()
    for scope in text.split():
        place, colon, actions = scope.rpartition(":")
        if colon:
            found |= {f"{place}:{action}" for action in actions.split(",") if action}
    return frozenset(found)


def written(scopes: Iterable[str]) -> list[str]:
    """A parameter for each place, in an order that is always the same."""
    divided = sorted(scope.rpartition(":")[::2] for scope in scopes)
    return [
        f"{place}:{','.join(action for _, action in group)}"
        for place, group in groupby(divided, key=lambda each: each[0])
    ]
