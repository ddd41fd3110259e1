"""Scopes of registries: which no reference is ever in, and which are easily misread."""

from __future__ import annotations

import re

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.policy.scopes import DOMAIN, HOST, PATH, TRANSPORTS
from udist_plugin.images.references import DEFAULT_DOMAIN, OFFICIAL, Named


def problem_of(scope: str) -> str | None:
    """Why no reference is ever in ``scope``; ``None`` where one can be."""
    scheme = re.match(r"([a-z][a-z0-9+.-]*):(//|(?=\D.*/))", scope)
    if scheme and (scheme[2] or scheme[1] in TRANSPORTS):
        return f"begins with {scheme[0]!r}; write {scope[scheme.end() :]!r}"
    if scope.endswith("/"):
        return f"ends with a slash; write {scope.rstrip('/')!r}"
    if "*" in scope:
        return _wildcard(scope)
    domain, slash, path = scope.partition("/")
    if not re.fullmatch(DOMAIN, domain) or not (set(domain) & set(".:") or domain == "localhost"):
        return _without_domain(scope)
    if domain == f"index.{DEFAULT_DOMAIN}":
        return f"the host is called {DEFAULT_DOMAIN}; write {scope.removeprefix('index.')!r}"
    if not slash or re.fullmatch(PATH, path):
        return None
    return _with_target(scope)


def hint_of(scope: str) -> str | None:
    """What else a user may have meant with a ``scope`` that references can be in."""
    domain, slash, path = scope.partition("/")
    if domain == DEFAULT_DOMAIN and slash and "/" not in path:
        image = f"{DEFAULT_DOMAIN}/{OFFICIAL}{path}"
        return f"matches repositories below {scope}; the official image {path!r} is {image!r}"
    if domain != domain.lower():
        return "matches only references that write the host in these letters"
    if re.fullmatch(r"localhost|[0-9]+(\.[0-9]+){3}", domain):
        return "matches only references without a port"
    return None


def _wildcard(scope: str) -> str | None:
    host = re.match(rf"\*\.{HOST}", scope)
    if host is None:
        return "a wildcard has the form '*.example.com'"
    match scope[host.end() :][:1]:
        case "":
            return None
        case ":":
            return f"a wildcard is for every port and names none; write {host[0]!r}"
        case "/":
            return f"a wildcard is for hosts and has no path; write {host[0]!r}"
    return "a wildcard has the form '*.example.com'"


def _without_domain(scope: str) -> str:
    try:
        full = str(Named.parse(scope))
    except ReferenceInvalid:
        return "expected HOST[:PORT][/NAME] as in a reference"
    return f"has no host; for {DEFAULT_DOMAIN}, write {full!r}"


def _with_target(scope: str) -> str | None:
    """Of a scope that is more than a name."""
    try:
        reference = Named.parse(scope)
    except ReferenceInvalid:
        return "expected HOST[:PORT]/NAME[:TAG|@DIGEST] in lower case, as in a reference"
    if reference.tag and reference.digest:
        return "has a tag and a digest, which no reference has"
    return None if str(reference) == scope else f"is written {str(reference)!r} in full; write that"
