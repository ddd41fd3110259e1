"""Who may do what in which repositories: zot's access control, beside distribution's."""

from __future__ import annotations

from udist_plugin.errors import Denied, RegistryError, StorageError
from udist_plugin.http_api.middleware.access.basic import is_anonymous
from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from udist_plugin.http_api.request import Request
    from udist_plugin.http_api.routes import Route
    from udist_plugin.patterns.pattern import Pattern


class Policy(NamedTuple):
    """What ``users`` and the members of ``groups`` may do: read, create, update, delete."""

    users: frozenset[str]
    groups: frozenset[str]
    actions: frozenset[str]


class Repositories(NamedTuple):
    """What is allowed in repositories whose names match ``pattern``, a glob: by each policy, to everyone who
    is logged in, and to everyone."""

    pattern: Pattern
    policies: Sequence[Policy]
    known: frozenset[str]
    anonymous: frozenset[str]


class Policies:
    """The rules of all repositories. Of the patterns that match a name the longest counts, alone; what
    ``admin`` allows is allowed in every repository.

    ``exists`` tells whether a repository has a tag: to push it is to update then, else to create.
    """

    def __init__(
        self,
        repositories: Iterable[Repositories],
        admin: Policy,
        groups: Mapping[str, Iterable[str]],
        exists: Callable[[str, str], bool],
    ) -> None:
        by_length = sorted(repositories, key=lambda each: len(each.pattern.pattern), reverse=True)
        self._repositories = by_length
        self._admin = admin
        self._groups = {name: frozenset(users) for name, users in groups.items()}
        self._exists = exists
        self.open = any(each.anonymous for each in by_length)

    def admits_anyone(self, request: Request, route: Route) -> bool:
        """Whether a request needs no login, and has none. At the base everyone is let in who may do anything
        anywhere."""
        if not self.open or not is_anonymous(request.field("authorization") or ""):
            return False
        if route.resource == "base":
            return True
        wanted = list(self._wanted(request, route))
        return bool(wanted) and all(action in self._anonymous(name) for name, action in wanted)

    def check(self, request: Request, route: Route, user: str) -> None:
        """Raises ``Denied`` unless ``user`` may do what is asked."""
        for name, action in self._wanted(request, route):
            if action not in self._allowed(name, user):
                raise Denied([{"Type": "repository", "Class": "", "Name": name, "Action": action}])

    def _wanted(self, request: Request, route: Route) -> Iterable[tuple[str, str]]:
        """Repositories, and what is done in them. What concerns the whole store is for the admins."""
        if route.resource in ("catalog", "extension"):
            yield "", "read" if request.method in ("GET", "HEAD") else "delete"
        if not route.name:
            return
        if request.method in ("GET", "HEAD"):
            yield route.name, "read"
        elif request.method == "DELETE" and not route.resource.startswith("upload"):
            yield route.name, "delete"
        elif request.method != "OPTIONS":
            yield route.name, "update" if self._replaces(request, route) else "create"
        if source := request.parameter("from"):
            yield source, "read"

    def _replaces(self, request: Request, route: Route) -> bool:
        """Whether a push moves a tag."""
        if route.resource != "manifest":
            return False
        return any(self._exists(route.name, tag) for tag in [route.reference, *request.parameters("tag")])

    def _allowed(self, name: str, user: str) -> frozenset[str]:
        allowed = self._granted(self._admin, user)
        if found := self._found(name):
            allowed |= found.known
            for policy in found.policies:
                allowed |= self._granted(policy, user)
        return allowed

    def _granted(self, policy: Policy, user: str) -> frozenset[str]:
        member = user in policy.users or any(
            user in self._groups.get(group, frozenset()) for group in policy.groups
        )
        return policy.actions if member else frozenset()

    def _anonymous(self, name: str) -> frozenset[str]:
        found = self._found(name)
        return found.anonymous if found else frozenset()

    def _found(self, name: str) -> Repositories | None:
        return next((each for each in self._repositories if name and each.pattern.fullmatch(name)), None)


def tag_exists(resolve: Callable[[str, str], object]) -> Callable[[str, str], bool]:
    """Whether ``resolve`` finds a manifest by a tag. What it cannot tell exists: that asks for more."""

    def exists(name: str, reference: str) -> bool:
        if ":" in reference:  # a digest names what it names for ever
            return False
        try:
            resolve(name, reference)
        except RegistryError:
            return False
        except StorageError:
            return True
        return True

    return exists
