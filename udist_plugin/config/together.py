"""What is wrong of keys together, each of which is fine alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.config.nodes import Items, Table
from udist_plugin.config.switches import is_disabled
from udist_plugin.redaction import without_login, without_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from udist_plugin.config.nodes import Node
    from udist_plugin.config.reading import Reader

CHECKS: Final = 64
"""The most there can be: each has a thread."""
WITHOUT_URLS: Final = ("filesystem", "inmemory", "fsspec")
"""The drivers whose content can only be read through the plugin."""
OPTIONS: Final = {
    "redirect": ("baseurl",),
    "cloudfront": ("baseurl", "privatekey", "keypairid", "duration"),
    "rewrite": ("scheme", "host", "trimpathprefix"),
}
"""What each storage middleware uses of its options."""


def check(values: Mapping[str, Any], sections: Mapping[str, Node], reader: Reader) -> None:
    """Tells ``reader`` what of ``values`` cannot be; ``sections`` are where they are from."""
    redis = values["redis"] or {}
    if values["storage"]["cache"]["blobdescriptor"] == "redis" and not redis.get("addrs"):
        problem = "expected redis.addrs, the server that redis names here"
        reader.wrong(problem, "storage.cache.blobdescriptor", sections["storage"])
    if redis and redis["tls"]["key"] and not redis["tls"]["certificate"]:
        reader.wrong("expected redis.tls.certificate beside it", "redis.tls.key", sections["redis"])
    _check_names(values, sections, reader)
    _check_hooks(values, sections, reader)
    _check_metrics(values, sections, reader)
    _check_upstreams(values, sections, reader)
    enabled = _enabled(sections.get("middleware"))
    for (number, given), entry in zip(enabled, values["middleware"]["storage"], strict=True):
        _check_middleware(number, entry, sections["middleware"], reader)
        if isinstance(given, Table):
            _check_options(f"middleware.storage.{number}", entry, given, reader)
    _check_rewrite(values, sections, [number for number, _ in enabled], reader)
    seen = set[str]()
    for path, name in _checks(values["health"] or {}):
        if name in seen:  # distribution knows a check by this name, and so does whoever asks for its health
            reader.wrong(f"expected a single check of {without_query(name)}", path, sections["health"])
        seen.add(name)
    if len(seen) > CHECKS:
        reader.wrong(f"expected at most {CHECKS} checks, not {len(seen)}", "health", sections["health"])


def _check_middleware(number: int, entry: Mapping[str, Any], section: Node, reader: Reader) -> None:
    """What each middleware must be told, and redirect more exactly."""
    options = f"middleware.storage.{number}.options"
    needed = {"redirect": ("baseurl",), "cloudfront": ("baseurl", "privatekey", "keypairid")}
    for name in needed.get(entry["name"], ()):
        if not entry["options"][name]:
            reader.wrong(f"is missing; required by {entry['name']}", f"{options}.{name}", section)
    base = entry["options"]["baseurl"]
    if entry["name"] == "redirect" and base and not base.startswith(("http://", "https://")):
        problem = f"expected an http or https URL such as https://cdn.example/registry, not {base!r}"
        reader.wrong(problem, f"{options}.baseurl", section)


def _enabled(section: Node | None) -> list[tuple[int, Node]]:
    """The entries of ``middleware.storage`` that are not disabled, with their numbers in the file."""
    listed = section.entries.get("storage") if isinstance(section, Table) else None
    items = listed.items if isinstance(listed, Items) else ()
    return [(number, item) for number, item in enumerate(items) if not is_disabled(item)]


def _check_options(path: str, entry: Mapping[str, Any], given: Table, reader: Reader) -> None:
    """Options that the middleware does not use, and those of a rewrite that change nothing."""
    name, used, options = entry["name"], OPTIONS.get(entry["name"], ()), given.entries.get("options")
    for option, node in options.entries.items() if isinstance(options, Table) else ():
        if used and option in entry["options"] and option not in used:
            problem = f"has no effect, as {name} only uses {', '.join(used)}"
            reader.warnings.append(f"{path}.options.{option} ({node.source}): {problem}")
    if name != "rewrite":
        return
    if not any(entry["options"][option] for option in used):
        problem = f"rewrite changes nothing without one of {', '.join(used)}"
        reader.warnings.append(f"{path}.name ({given.entries['name'].source}): {problem}")
    if not (entry["options"]["trimpathprefix"] or "/").startswith("/"):
        problem = "expected a path that begins with /, as others match nothing"
        reader.warnings.append(f"{path}.options.trimpathprefix ({given.source}): {problem}")


def _check_rewrite(
    values: Mapping[str, Any], sections: Mapping[str, Node], numbers: Sequence[int], reader: Reader
) -> None:
    """There is nothing to rewrite where the store gives no URLs, and no entry before it makes one."""
    first, storage = [entry["name"] for entry in values["middleware"]["storage"][:1]], sections["storage"]
    named = [name for name in WITHOUT_URLS if isinstance(storage, Table) and name in storage.entries]
    if first == ["rewrite"] and named:
        source = sections["middleware"].source
        problem = f"rewrite has no effect: content in {named[0]} has no URL"
        reader.warnings.append(f"middleware.storage.{numbers[0]}.name ({source}): {problem}")


def _check_names(values: Mapping[str, Any], sections: Mapping[str, Node], reader: Reader) -> None:
    """The spool knows an endpoint by its name."""
    endpoints = (values["notifications"] or {}).get("endpoints", ())
    if not values["udist"]["notifications"]["spool"]:
        return
    names = [endpoint["name"] for endpoint in endpoints]
    for number, name in enumerate(names):
        if not name or names.index(name) < number:
            problem = f"expected a name of its own, as udist.notifications.spool is set, not {name!r}"
            reader.wrong(problem, "notifications.endpoints.name", sections["notifications"])


def _check_hooks(values: Mapping[str, Any], sections: Mapping[str, Node], reader: Reader) -> None:
    for number, hook in enumerate(values["log"]["hooks"]):
        for name, missing in (("levels", hook["levels"]), ("options.to", hook["options"]["to"])):
            if not missing:
                reader.wrong("expected one at least", f"log.hooks.{number}.{name}", sections["log"])


def _check_metrics(values: Mapping[str, Any], sections: Mapping[str, Node], reader: Reader) -> None:
    http = values["http"]
    metrics, routes = http["debug"]["prometheus"], f"{http['prefix']}v2"
    if metrics["enabled"] and f"{metrics['path']}/".startswith(f"{routes}/"):
        problem = f"expected a path outside {routes}/, not {metrics['path']!r}"
        reader.wrong(problem, "http.debug.prometheus.path", sections["http"])


def _check_upstreams(values: Mapping[str, Any], sections: Mapping[str, Node], reader: Reader) -> None:
    """Two registries cannot have the same repositories."""
    proxy = values["proxy"]
    if proxy and not proxy["remoteurl"] and any(proxy[key] for key in ("username", "password")):
        source = sections["proxy"].source
        reader.warnings.append(f"proxy ({source}): nothing is cached, as proxy.remoteurl is not given")
    prefixes = [each["prefix"] for each in (values["udist"]["proxy"] or {}).get("upstreams", ())]
    for number, prefix in enumerate(prefixes):
        if prefix in prefixes[:number]:
            problem = f"expected a prefix of its own, not {prefix!r}"
            reader.wrong(problem, "udist.proxy.upstreams.prefix", sections["udist"])


def _checks(health: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The keys that name checks, without the indexes of their lists, and the names."""
    for kind, key in (("file", "file"), ("http", "uri"), ("tcp", "addr")):
        for entry in health.get(kind, ()):
            if isinstance(entry[key], str):
                yield f"health.{kind}.{key}", without_login(entry[key])
