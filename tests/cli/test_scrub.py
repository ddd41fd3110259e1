"""``udist scrub`` and ``udist du``; what they find is tested beside ``storage``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.documents.reading import DOCS
from udist_plugin.cli import scrub
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.scrubbing.scrub import scrub as scrub_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]


@pytest.fixture
def store(udist: Udist, work: Path) -> Path:
    """With an artifact ``demo/a:v1`` of one file."""
    assert udist("push", "demo/a:v1", "README.md").code == 0
    return work.parent / "store"


@pytest.fixture
def damaged(store: Path, work: Path) -> Path:
    """The data of the file's blob."""
    data = store / paths.blob_data(Digest.of((work / "README.md").read_bytes()))[1:]
    data.write_bytes(b"damaged")
    return data


def test_a_whole_store(udist: Udist, store: Path) -> None:
    assert udist("scrub") == (0, "no damage was found\n", "")


def test_damage_is_shown_and_ends_with_an_exit_code(udist: Udist, damaged: Path) -> None:
    shown = udist("scrub")
    assert shown.code == 1
    assert "holds other content than its digest says\n  repair (--aside): move it aside" in shown.out
    assert "found: 2, repaired: 0, remaining: 2\nnothing was changed; use --repair" in shown.out
    assert damaged.read_bytes() == b"damaged"


def test_it_is_repaired_in_two_steps(udist: Udist, damaged: Path) -> None:
    links = udist("scrub", "--repair")
    assert links.code == 1
    assert "repair: none; push it again\n" in links.out
    assert links.out.endswith("left where they are; use --aside to move them aside\n")
    assert damaged.exists()
    repaired = json.loads(udist("scrub", "--repair", "--aside", "--json").out)
    assert [(each["kind"], each["repaired"]) for each in repaired["damage"]] == [
        ("blob", True),
        ("manifest", False),
    ]
    assert (repaired["found"], repaired["remaining"], repaired["leftovers"]) == (2, 1, 0)
    assert not damaged.exists()
    assert udist("push", "demo/a:v1", "README.md").code == 0
    assert udist("scrub") == (0, "no damage was found\n", "")


def test_an_image_whose_manifest_is_damaged_is_lost(udist: Udist, store: Path) -> None:
    (link,) = (store / "docker/registry/v2/repositories/demo/a/_manifests/revisions/sha256").iterdir()
    data = store / paths.blob_data(Digest(f"sha256:{link.name}"))[1:]
    data.write_bytes(data.read_bytes().replace(b"layers", b"layerz"))
    lost = udist("scrub", "--repair", "--aside")
    assert lost.code == 1
    assert "found: 3, repaired: 1, lost: 2, remaining: 0\n" in lost.out
    assert f"lost; push them again:\n  demo/a@sha256:{link.name}\n  demo/a:v1\n" in lost.out
    assert udist("scrub") == (0, "no damage was found\n", "")


def test_links_of_collected_blobs_are_no_damage(udist: Udist, store: Path, damaged: Path) -> None:
    udist("rm", "demo/a:v1")
    (digest,) = (store / "docker/registry/v2/repositories/demo/a/_manifests/revisions/sha256").iterdir()
    udist("rm", f"demo/a@sha256:{digest.name}")
    damaged.unlink()
    shown = udist("scrub")
    assert shown.code == 0
    assert "left behind and do no harm: 1\nnothing was changed" in shown.out
    assert udist("scrub", "--repair").code == 0
    assert udist("scrub") == (0, "no damage was found\n", "")


def test_an_interrupted_run_goes_on(
    udist: Udist, damaged: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = work / "state.json"
    whole = json.loads(udist("scrub", "--json").out)

    def interrupted(*arguments: object, **options: object) -> Iterator[object]:
        for damage in scrub_store(*arguments, **options):  # type: ignore[arg-type]
            yield damage
            if damage.kind == "manifest":
                raise OSError("interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(scrub, "scrub", interrupted)
        assert udist("scrub", "--state", str(state)).code == 1
    kept = json.loads(state.read_bytes())
    assert [each["kind"] for each in kept["found"]] == ["blob"]
    assert kept["position"]["blob"]
    assert json.loads(udist("scrub", "--state", str(state), "--json").out) == whole
    assert not state.exists()


@pytest.mark.parametrize("option", [[], ["--state", "state.json"]])
def test_an_interrupted_run_says_how_far_it_got(
    udist: Udist,
    damaged: Path,
    option: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*arguments: object, **options: object) -> Iterator[object]:
        for damage in scrub_store(*arguments, **options):  # type: ignore[arg-type]
            yield damage
            if damage.kind == "manifest":
                raise KeyboardInterrupt

    monkeypatch.setattr(scrub, "scrub", interrupted)
    with pytest.raises(KeyboardInterrupt):
        udist("scrub", *option)
    said = capfd.readouterr().err
    assert "interrupted; all is checked up to sha256:" in said
    assert said.rstrip().endswith("on from there")
    assert f"--state {option[-1] if option else 'FILE'}" in said


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"position": {"at": 1}, "found": [], "leftovers": 0}'])
def test_a_state_of_something_else(udist: Udist, store: Path, work: Path, content: str) -> None:
    (work / "other.json").write_text(content)
    failed = udist("scrub", "--state", "other.json")
    assert failed.code == 4
    assert "other.json is not a state of udist scrub" in failed.err
    assert (work / "other.json").read_text() == content


def test_progress_counts_repositories(udist: Udist, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    udist("push", "demo/b:v1", "README.md")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    shown = udist("scrub")
    assert (shown.code, shown.out) == (0, "no damage was found\n")
    assert "1 repositories checked" in shown.err  # not again within a tenth of a second


@pytest.mark.parametrize("options", [["--sparse"], ["--repair"]])
def test_a_state_of_a_run_with_other_options(udist: Udist, damaged: Path, options: list[str]) -> None:
    kept(udist)
    failed = udist("scrub", "--state", "state.json", *options)
    assert failed.code == 4
    assert "state.json is the state of a run with other options (repair: False, " in failed.err


def test_a_state_of_another_store(
    udist: Udist, damaged: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(udist)
    monkeypatch.setenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", str(work))
    failed = udist("scrub", "--state", "state.json")
    assert failed.code == 4
    assert f"another store (driver: filesystem, rootdirectory: {work.parent / 'store'})" in failed.err


def kept(udist: Udist) -> None:
    """Leaves the state of a run that was interrupted in ``state.json``."""

    def interrupted(*_: object, **__: object) -> Iterator[object]:
        raise OSError("interrupted")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scrub, "scrub", interrupted)
        assert udist("scrub", "--state", "state.json").code == 1


def test_a_state_that_cannot_be_written(udist: Udist, damaged: Path) -> None:
    failed = udist("scrub", "--state", "missing/state.json")
    assert (failed.code, failed.out) == (4, "")
    assert "missing/state.json cannot be written: No such file or directory" in failed.err


def test_aside_needs_repair(udist: Udist, store: Path) -> None:
    assert udist("scrub", "--aside").code == 2


def test_a_read_only_store_is_not_repaired(
    udist: Udist, damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: true}")
    assert "cannot be repaired" in udist("scrub", "--repair").err
    assert udist("scrub").code == 1


def test_du(udist: Udist, store: Path) -> None:
    udist("push", "demo/b:v1", "README.md", "folder/inner")
    udist("lease", "create", "backup", "demo/b:v1")
    shown = udist("du").out.splitlines()
    assert shown[0].split() == ["REPOSITORY", "SIZE", "ALONE"]
    assert [line.split()[0] for line in shown[1:3]] == ["demo/b", "demo/a"]
    assert [line.split()[0] for line in shown[4:6]] == ["OWNER", "backup"]
    assert shown[6].startswith("total: ")
    tags = udist("du", "demo/a").out.splitlines()
    assert [line.split()[0] for line in tags] == ["REPOSITORY", "demo/a", "v1"]
    document = json.loads(udist("du", "--json").out)
    first, second = document["repositories"]
    assert first["size"] > second["size"] > second["alone"] > 0
    assert document["owners"] == [{"owner": "backup", "size": first["size"], "alone": first["alone"]}]
    assert document["total"]["bytes"] == first["size"] + second["alone"]
    assert document["total"]["bytes"] == document["shared"]["bytes"] + first["alone"] + second["alone"]
    assert udist("du", "demo/none").code == 3


def test_du_of_a_damaged_store_points_at_scrub(udist: Udist, store: Path) -> None:
    (link,) = (store / "docker/registry/v2/repositories/demo/a/_manifests/revisions/sha256").glob("*/link")
    link.write_bytes(b"damaged")
    failed = udist("du")
    assert failed.code == 1
    assert "holds no digest" in failed.err
    assert '"udist scrub" finds all damage' in failed.err


def test_the_json_is_shaped_as_documented(udist: Udist, damaged: Path) -> None:
    """See ``udist help stores``."""
    document = json.loads(udist("scrub", "--json").out)
    assert shape(document) == documented("scrub", "--json")
    damaged.write_bytes(b"")
    udist("lease", "create", "backup", "demo/a:v1")
    assert shape(json.loads(udist("du", "--json").out)) == documented("du", "--json")


def documented(*words: str) -> object:
    """The shape of the example that follows a command in the documentation."""
    text = (DOCS / "stores.md").read_text().partition(f"`udist {' '.join(words)}` prints")[2]
    return shape(json.loads(text.partition("```json\n")[2].partition("```")[0]))


def shape(value: object) -> object:
    """The names and types of what a document holds; of a list, those of its first element."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])]
    return type(value).__name__
