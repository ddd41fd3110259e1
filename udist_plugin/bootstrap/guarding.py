"""From a configuration to its access control."""

from __future__ import annotations

from importlib.util import find_spec
from os.path import exists
from typing import TYPE_CHECKING, Any

from udist_plugin.errors import ConfigurationError
from udist_plugin.http_api.middleware.access.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.config.keys import access_control as keys
    from udist_plugin.config.keys.token import Token as TokenSettings
    from udist_plugin.config.model import Auth, Configuration
    from udist_plugin.http_api.middleware.access.controller import Controller
    from udist_plugin.http_api.middleware.access.policies import Policies, Policy
    from udist_plugin.patterns.pattern import Pattern


def prepare(configuration: Configuration) -> list[str]:
    """Makes the file of users if it is missing; returns sentences for the log. Raises
    ``ConfigurationError``."""
    if configuration.auth.htpasswd is None:
        return []
    _require("bcrypt", "bcrypt", "auth.htpasswd")
    from udist_plugin.http_api.middleware.access.htpasswd import make_missing

    made = make_missing(configuration.auth.htpasswd.path)
    return [made] if made else []


def check(configuration: Configuration) -> None:
    """Looks at the files of access control, and makes none. Raises ``ConfigurationError``."""
    htpasswd = configuration.auth.htpasswd
    if configuration.guarded and (htpasswd is None or exists(htpasswd.path)):
        _controller(configuration.auth)


def guard(
    application: Callable[..., Any], configuration: Configuration, resolve: Callable[[str, str], object]
) -> Guard:
    """``application`` behind the access control that ``configuration`` asks for. ``resolve`` finds a manifest
    by repository and tag. Raises ``ConfigurationError``."""
    controller = _controller(configuration.auth)
    rules = configuration.udist.accesscontrol
    policies = _policies(rules, resolve) if rules else None
    return Guard(application, controller, policies, configuration.http.prefix, configuration.http.headers)


def _controller(auth: Auth) -> Controller:
    if auth.htpasswd:
        from udist_plugin.http_api.middleware.access.htpasswd import Htpasswd

        return Htpasswd(auth.htpasswd.realm, auth.htpasswd.path)
    if auth.silly:
        from udist_plugin.http_api.middleware.access.silly import Silly

        return Silly(auth.silly.realm, auth.silly.service)
    if auth.token:
        return _bearer(auth.token)
    raise ConfigurationError("expected auth as well, which says who the users are", key="udist.accesscontrol")


def _bearer(token: TokenSettings) -> Controller:
    from udist_plugin.config.keys.token import ASYMMETRIC

    _require("jwt", "pyjwt", "auth.token")
    _require("cryptography", "cryptography", "auth.token")
    from udist_plugin.http_api.middleware.access.bearer import Realm, open_bearer

    algorithms = set(token.signingalgorithms or ASYMMETRIC) & set(ASYMMETRIC)
    if not algorithms:
        expected = f"expected one of {', '.join(ASYMMETRIC)} among them: keys are public"
        raise ConfigurationError(expected, key="auth.token.signingalgorithms")
    path = token.autoredirectpath or "/auth/token"
    realm = Realm(token.realm, token.service, path if token.autoredirect else "")
    return open_bearer(realm, token.issuer, sorted(algorithms), token.rootcertbundle, token.jwks)


def _policies(rules: keys.AccessControl, resolve: Callable[[str, str], object]) -> Policies:
    from udist_plugin.http_api.middleware.access.policies import Policies, Repositories, tag_exists

    repositories = [
        Repositories(
            _pattern(pattern),
            [_policy(each) for each in found.policies],
            frozenset(found.defaultpolicy),
            frozenset(found.anonymouspolicy),
        )
        for pattern, found in rules.repositories.items()
    ]
    groups = {name: group.users for name, group in rules.groups.items()}
    return Policies(repositories, _policy(rules.adminpolicy), groups, tag_exists(resolve))


def _pattern(text: str) -> Pattern:
    from udist_plugin.patterns.globs import glob

    try:
        return glob(text)
    except ValueError as error:
        key = f"udist.accesscontrol.repositories.{text}"
        raise ConfigurationError(f"expected a glob as the key ({error})", key=key) from None


def _policy(settings: keys.Policy) -> Policy:
    from udist_plugin.http_api.middleware.access.policies import Policy

    return Policy(frozenset(settings.users), frozenset(settings.groups), frozenset(settings.actions))


def _require(module: str, package: str, key: str) -> None:
    if find_spec(module) is None:
        raise ConfigurationError(
            f"needs the package {package}; pip install '.[auth]' in a checkout of udist", key=key
        )
