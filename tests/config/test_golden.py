"""Files and variables as distribution's own parser reads them, and as udist does.

``golden.yml`` holds the pairs; ``configprint``, beside it, is the parser. A value counts as the same when
udist reads distribution's as its own; keys whose value is udist's default, or empty, are left out on both
sides.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.documents.reading import DOCS, first_cells
from tests.tools import require_tool
from udist_plugin.config.explaining import DEFAULT, explain
from udist_plugin.config.keys import all_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.keys import Key

Case = dict[str, Any]
CASES: list[Case] = yaml.safe_load((Path(__file__).parent / "golden.yml").read_text())
DIFFERENCES = first_cells(DOCS / "differences.md", "| | distribution | udist |")
KEYS = [
    (re.compile(re.escape(key.path).replace(r"\[\]", r"\.\d+").replace(r"\*", r"[^.]+") + r"(\..+)?"), key)
    for key in sorted(all_keys(), key=lambda key: -len(key.path))
]


@pytest.fixture(scope="module")
def distribution() -> dict[str, Any]:
    """What distribution makes of each case, by its name."""
    pairs = [
        {"version": case.get("version", 3), "file": case["file"], "environ": case.get("environ", {})}
        for case in CASES
    ]
    ran = subprocess.run(
        [require_tool("configprint")], input=json.dumps(pairs), stdout=-1, text=True, check=True, timeout=60
    )
    results = json.loads(ran.stdout)
    return {case["name"]: result for case, result in zip(CASES, results, strict=True)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_udist_reads_it_as_distribution_does(case: Case, distribution: dict[str, Any]) -> None:
    result = distribution[case["name"]]
    theirs = {"error": "refused"} if "error" in result else _theirs(result["configuration"])
    ours, refused = _ours(case)
    assert refused == case.get("refuses", [])
    different = {path for path in theirs.keys() | ours.keys() if theirs.get(path) != ours.get(path)}
    if "error" in different:
        different = {"error"}
    expected = case.get("differs", {})
    assert different == set(expected), {path: (theirs.get(path), ours.get(path)) for path in different}
    assert set(expected.values()) <= DIFFERENCES


def test_the_table_is_large_and_names_each_case_once() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 60
    assert {case.get("version", 3) for case in CASES} == {2, 3}


def _ours(case: Case) -> tuple[dict[str, object], list[str]]:
    explained = explain(case["file"], case.get("environ", {}))
    if explained.examined.configuration is None:
        return {"error": "refused"}, [error.key for error in explained.examined.errors]
    given = [setting for setting in explained.settings if setting.source != DEFAULT]
    return {s.path: s.value for s in given if s.value not in (s.key.default, "", None)}, []


def _theirs(configuration: dict[str, Any]) -> dict[str, object]:
    """Without what is said of no access control, which means nothing there either."""
    known = _known(_flat(configuration))
    return {path: value for path, value in known.items() if not path.lower().startswith("auth.none.")}


def _flat(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value below ``value`` with its path."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}.{index}")
    else:
        yield path, value


def _known(values: Iterator[tuple[str, object]]) -> dict[str, object]:
    """The values as udist's kinds read them."""
    known = {}
    for path, value in values:
        key = _key(path)
        parsed = value if key is None or value is None else _parsed(key, value)
        if parsed in ("", None) or (key and parsed == key.default):
            continue
        known[path] = parsed
    return known


def _key(path: str) -> Key | None:
    for pattern, key in KEYS:
        match = pattern.fullmatch(path)
        if match and match[1] is None:
            return key
    return None


def _parsed(key: Key, value: object) -> object:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        return key.kind.parse(text)
    except ValueError:
        return value
