"""What a request needs to be allowed, by distribution's rules."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from udist_plugin.http_api.routes import Route

ACTIONS = {
    "GET": ("pull",),
    "HEAD": ("pull",),
    "POST": ("pull", "push"),
    "PUT": ("pull", "push"),
    "PATCH": ("pull", "push"),
    "DELETE": ("delete",),
}
"""What each method does to a repository; others, such as OPTIONS, take only somebody who is known."""


class Need(NamedTuple):
    """An ``action`` on a resource, such as ``pull`` on the ``repository`` of a name."""

    kind: str
    name: str
    action: str

    def detail(self) -> dict[str, str]:
        """As it stands in an error."""
        return {"Type": self.kind, "Class": "", "Name": self.name, "Action": self.action}


WHOLE_STORE = {"catalog": "catalog", "extension": "udist"}
"""What concerns the whole store, and its names in scopes. They differ: whoever may list repositories may not
collect garbage as well."""


def needs(route: Route, method: str, source: str | None) -> list[Need]:
    """All that a request needs. ``source`` is the repository that a blob is mounted from."""
    if not route.name:
        name = WHOLE_STORE.get(route.resource)
        return [Need("registry", name, "*")] if name else []
    found = [Need("repository", route.name, action) for action in ACTIONS.get(method, ())]
    return [*found, Need("repository", source, "pull")] if source else found


def scope(wanted: list[Need]) -> str:
    """The scopes of a challenge (distribution, "Token Scope Documentation")."""
    resources: dict[tuple[str, str], list[str]] = {}
    for need in wanted:
        actions = resources.setdefault((need.kind, need.name), [])
        if need.action not in actions:
            actions.append(need.action)
    return " ".join(f"{kind}:{name}:{','.join(actions)}" for (kind, name), actions in resources.items())
