"""Middleware of other packages: found by entry point, given its options, and wrong only at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.http_api.wsgi import Client
from udist_plugin import create_app
from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = """
from udist_plugin.errors import Denied
from udist_plugin.registry import RegistryWrapper

class Refusing(RegistryWrapper):
    def open_manifest(self, name, target):
        if target in self.tags:
            raise Denied(self.label)
        return super().open_manifest(name, target)

def make(registry, options):
    made = Refusing(registry)
    made.tags, made.label = options.get("tags", ()), options.get("label", "none")
    return made

def fail(registry, options):
    raise KeyError("label")

def nothing(registry, options):
    return None
"""
ENTRIES = """\
[udist_plugin.registry_middleware]
refusing = refusing_middleware:make
failing = refusing_middleware:fail
nothing = refusing_middleware:nothing
missing = refusing_middleware:missing
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that announces middleware."""
    (tmp_path / "refusing_middleware.py").write_text(PACKAGE)
    info = tmp_path / "refusing_middleware-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: refusing-middleware\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(tmp_path)


def configuration(section: str, entries: str) -> str:
    return f"version: 0.1\nstorage: inmemory\nmiddleware:\n  {section}:\n    {entries}\n"


@pytest.mark.parametrize("section", ["registry", "repository"])
def test_it_wraps_the_registry_with_its_options(section: str) -> None:
    inner = "- {name: refusing, options: {tags: [v1, v2], label: inner}}"
    outer = "- {name: refusing, options: {tags: [v2], label: outer}}"
    off = "- {name: refusing, disabled: true, options: {tags: [v3]}}"
    with create_app(configuration(section, f"{inner}\n    {outer}\n    {off}")) as app:
        answers = {tag: Client(app).get(f"/v2/a/manifests/{tag}").status for tag in ("v1", "v2", "v3")}
        assert answers == {"v1": 403, "v2": 403, "v3": 404}
        assert b'"outer"' in Client(app).get("/v2/a/manifests/v2").content


def test_that_of_repositories_is_around_that_of_the_registry() -> None:
    text = configuration("repository", "- {name: refusing, options: {tags: [v1], label: outer}}")
    text += "  registry: [{name: refusing, options: {tags: [v1], label: inner}}]\n"
    with create_app(text) as app:
        assert b'"outer"' in Client(app).get("/v2/a/manifests/v1").content


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{name: failing}", "the middleware failing failed: KeyError: 'label'"),
        ("{name: nothing}", "the middleware nothing returned no Registry, but a NoneType"),
        ("{name: missing}", "the middleware missing failed: AttributeError: "),
        ("{name: refusing, options: [a]}", "expected a mapping as the options of refusing"),
        ("{name: refusal}", "not 'refusal' (there are failing, missing, nothing, refusing)"),
    ],
)
def test_what_is_wrong_is_an_error_of_the_start(entry: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_app(configuration("registry", f"[{entry}]"))
    assert problem in str(caught.value)
    assert "middleware.registry" in str(caught.value)
