"""Garbage collection, step by step; ``test_interleavings.py`` lets others use the store meanwhile."""

from __future__ import annotations

import io
import json
import shutil
import time
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any

import pytest

from tests.storage.samples import image, index, push, push_image, read_blob
from udist_plugin.drivers import open_driver
from udist_plugin.errors import BlobUnknown, ConfigurationError, StorageError, StorageUnavailable
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import DOCKER_FOREIGN_LAYER
from udist_plugin.storage import paths
from udist_plugin.storage.collection import quarantine
from udist_plugin.storage.collection.collect import GRACE, PAUSE, collect, undo
from udist_plugin.storage.collection.quarantine import BEGUN, CLOSED, Quarantine
from udist_plugin.storage.collection.retention import Policy, Retention
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.sizes.sizes import MemorySizes
from udist_plugin.storage.usage import usage
from udist_plugin.wrappers.validation import ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.collection.step import Step

GARBAGE = b"nothing refers to this"
DIGEST = Digest.of(GARBAGE)
DATA = paths.blob_data(DIGEST)


class Store:
    """A store on which days pass."""

    def __init__(self, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch) -> None:
        self.driver = driver
        self.paused: list[float] = []
        self.passed = 0.0
        written: dict[tuple[str, str], float] = {}
        write, stamp = Quarantine.write, Quarantine.stamp

        def noted(quarantine: Quarantine, run: str, mark: str) -> None:
            written[run, mark] = self.passed
            write(quarantine, run, mark)

        def later(quarantine: Quarantine, run: str, mark: str) -> float | None:
            found = stamp(quarantine, run, mark)
            return None if found is None else found + written[run, mark]

        monkeypatch.setattr(Quarantine, "write", noted)
        monkeypatch.setattr(Quarantine, "stamp", later)
        monkeypatch.setattr(Quarantine, "time", lambda _: time.time() + self.passed)

    def begin(self, days: float) -> Generator[Step]:
        """A run that begins ``days`` after the last."""
        self.passed += days * GRACE
        return collect(self.driver, apply=True, pause=self.paused.append)

    def collect(self, days: float = 0) -> dict[str, list[Digest]]:
        """What is done by such a run: the digests of each action in order."""
        done: dict[str, list[Digest]] = {}
        for step in self.begin(days):
            done.setdefault(step.action, []).append(step.digest)
        return {action: sorted(digests) for action, digests in done.items()}


@pytest.fixture
def store(driver: StorageDriver, monkeypatch: pytest.MonkeyPatch) -> Store:
    return Store(driver, monkeypatch)


@pytest.fixture
def garbage(registry: StorageRegistry) -> Digest:
    return registry.push_blob("a", DIGEST, io.BytesIO(GARBAGE)).digest


def files(driver: StorageDriver, folder: str = paths.ROOT) -> dict[str, bytes]:
    """Everything below a folder."""
    found: dict[str, bytes] = {}
    for name in driver.list(folder):
        path = f"{folder}/{name}"
        if driver.stat(path).is_folder:
            found |= files(driver, path)
        else:
            found[path] = driver.get_content(path)
    return found


def blobs(driver: StorageDriver) -> list[str]:
    return sorted(path for path in files(driver) if path.startswith(paths.BLOBS))


def test_garbage_is_deleted_by_a_second_run_a_grace_later(
    store: Store, registry: StorageRegistry, garbage: Digest
) -> None:
    kept = push_image(registry, "a", b"kept")
    before = blobs(store.driver)
    assert store.collect() == {"keep": [garbage]}
    assert store.collect(1.1) == {"quarantine": [garbage]}
    assert blobs(store.driver) == [path for path in before if path != DATA]
    assert store.collect(0.5) == {"wait": [garbage]}
    assert store.paused == []
    assert store.collect(1.6) == {"delete": [garbage]}
    assert store.paused == [PAUSE]
    assert store.collect(2) == {}
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", garbage)
    assert registry.get_manifest("a", kept.digest).content == kept.content
    assert read_blob(registry, "a", Digest.of(b"kept")) == b"kept"
    assert not [path for path in files(store.driver) if path.startswith(paths.QUARANTINE)]


@pytest.mark.usefixtures("garbage")
def test_a_run_that_deletes_in_a_folder_trusts_no_memory(store: Store, registry: StorageRegistry) -> None:
    data = paths.blob_data(push_image(registry, "a", b"kept").digest)
    store.collect()
    store.driver.put_content(data, b"damaged")
    assert store.collect(1.1) == {"quarantine": [DIGEST]}
    if store.driver.has_folders:
        for _ in range(2):
            with pytest.raises(StorageError, match="holds other content than its digest says"):
                store.collect(1.1)
        assert DATA not in blobs(store.driver)
        assert Quarantine(store.driver).find(DATA, store.driver.get_content, restore=False) == GARBAGE
    else:
        assert store.collect(1.1) == {"delete": [DIGEST]}
    assert store.driver.get_content(data) == b"damaged"


def test_caches_forget_what_was_deleted(store: Store, garbage: Digest) -> None:
    sizes = MemorySizes()
    registry = StorageRegistry(store.driver, sizes=sizes)
    assert registry.resolve_blob("a", garbage).size == len(GARBAGE)
    store.collect(1.1)
    store.passed += 1.1 * GRACE
    for _ in collect(store.driver, apply=True, pause=store.paused.append, forget=sizes.forget):
        pass
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", garbage)


def test_what_is_in_quarantine_is_found_and_moved_back(
    store: Store, registry: StorageRegistry, garbage: Digest
) -> None:
    store.collect(1.1)
    assert not store.driver.exists(DATA)
    assert read_blob(registry, "a", garbage) == GARBAGE
    assert store.driver.get_content(DATA) == GARBAGE
    store.collect(1.1)
    registry.mount_blob("b", garbage, None)
    assert store.driver.get_content(DATA) == GARBAGE
    push(registry, "b", image(GARBAGE), "v1")
    store.collect(1.1)
    store.collect(3)
    assert store.driver.get_content(DATA) == GARBAGE


def test_a_manifest_in_quarantine_is_found(store: Store, registry: StorageRegistry) -> None:
    document = push_image(registry, "a", b"layer", tags=["v1"])
    link = paths.link(paths.revision("a", document.digest))
    content = store.driver.get_content(link)
    store.driver.delete(link)
    assert document.digest in store.collect(1.1)["quarantine"]
    store.driver.put_content(link, content)
    for view in (registry, StorageRegistry(store.driver)):
        assert view.resolve_manifest("a", "v1").size == len(document.content)
        assert view.get_manifest("a", "v1").content == document.content


def test_a_store_that_must_not_be_written_to_is_read_in_quarantine(store: Store, garbage: Digest) -> None:
    store.collect(1.1)
    before = files(store.driver)
    reader = StorageRegistry(store.driver, save_referrers=False, url_for=lambda path: f"https://x{path}")
    assert read_blob(reader, "a", garbage) == GARBAGE
    url = reader.locate_blob("a", garbage)
    assert url is not None
    assert store.driver.get_content(url.removeprefix("https://x")) == GARBAGE
    assert files(store.driver) == before


def test_what_is_referred_to_again_is_restored(store: Store, driver: StorageDriver, garbage: Digest) -> None:
    store.collect(1.1)
    document = image(GARBAGE)
    # As a stock server would, which cannot see the quarantine.
    driver.put_content(paths.blob_data(document.digest), document.content)
    driver.put_content(paths.link(paths.revision("a", document.digest)), document.digest.encode())
    assert store.collect(1.1) == {"restore": [garbage]}
    assert driver.get_content(DATA) == GARBAGE
    assert store.collect(3) == {}


@pytest.mark.usefixtures("garbage")
@pytest.mark.parametrize("undone", [False, True])
@pytest.mark.parametrize("left", [b"", GARBAGE[:5]])
def test_what_a_crash_cut_short_never_replaces_what_was_pushed_again(
    store: Store, driver: StorageDriver, left: bytes, undone: bool
) -> None:
    driver.put_content(DATA, left)
    assert store.collect(1.1) == {"quarantine": [DIGEST]}
    document = image(GARBAGE)
    for path, content in {DATA: GARBAGE, paths.blob_data(document.digest): document.content}.items():
        driver.put_content(path, content)  # as a stock server would
    driver.put_content(paths.link(paths.revision("a", document.digest)), document.digest.encode())
    if undone:
        assert list(undo(driver)) == []
    assert store.collect(1.1) == {}
    assert driver.get_content(DATA) == GARBAGE


def test_what_a_crash_cut_short_is_replaced_by_what_is_whole(
    store: Store, driver: StorageDriver, garbage: Digest
) -> None:
    store.collect(1.1)
    driver.put_content(DATA, GARBAGE[:5])
    assert [step.digest for step in undo(driver)] == [garbage]
    assert driver.get_content(DATA) == GARBAGE


def test_everything_can_be_restored(store: Store, driver: StorageDriver, garbage: Digest) -> None:
    before = blobs(driver)
    store.collect(1.1)
    assert [(step.action, step.digest, step.size) for step in undo(driver)] == [
        ("restore", garbage, len(GARBAGE))
    ]
    assert blobs(driver) == before
    assert list(undo(driver)) == []
    assert not driver.has_folders or Quarantine(driver).runs() == []


def test_folders_that_a_killed_run_left_go_with_the_next_one(
    store: Store, driver: StorageDriver, garbage: Digest
) -> None:
    """Each would be looked into whenever something is missing."""
    store.collect(1.1)
    (run,) = Quarantine(driver).runs()
    driver.delete(paths.quarantined(run, garbage))
    for mark in (BEGUN, CLOSED):
        driver.delete(f"{paths.QUARANTINE}/{run}/{mark}")
    assert store.collect() == {}
    assert Quarantine(driver).runs() == []


def test_a_dry_run_writes_nothing(store: Store, registry: StorageRegistry, garbage: Digest) -> None:
    store.collect(1.1)
    registry.push_blob("a", Digest.of(b"new"), io.BytesIO(b"new"))
    before = files(store.driver)
    steps = {(step.action, step.digest, step.size) for step in collect(store.driver)}
    assert steps == {("wait", garbage, len(GARBAGE)), ("keep", Digest.of(b"new"), 3)}
    assert files(store.driver) == before


def test_indexes_referrers_and_foreign_layers_are_kept(store: Store, registry: StorageRegistry) -> None:
    inner = push_image(registry, "a", b"one")
    child = push_image(registry, "a", b"two")
    nested = index(inner)
    outer = index(nested, child)
    signature = image(b"three", subject=outer, artifact_type="a/signature")
    registry.push_blob("a", Digest.of(b"three"), io.BytesIO(b"three"))
    for document in (nested, outer, signature):
        push(registry, "a", document)
    before = files(store.driver)
    store.collect(1.1)
    store.collect(3)
    after = files(store.driver)
    assert {path: after.get(path) for path in before} == before


def test_a_foreign_layer_that_is_here_is_not_lost_to_a_run_that_saw_no_image_of_it(
    store: Store, registry: StorageRegistry
) -> None:
    first, second = sorted([GARBAGE, b"other garbage"], key=Digest.of)
    for each in (first, second):
        registry.push_blob("a", Digest.of(each), io.BytesIO(each))
    store.collect(1.1)
    run = store.begin(1.1)
    assert next(run).digest == Digest.of(first)
    layer = {"digest": Digest.of(second), "size": len(second), "urls": ["https://layers.example/second"]}
    document = json.loads(image().content) | {"layers": [{"mediaType": DOCKER_FOREIGN_LAYER, **layer}]}
    registry.push_blob("a", Digest.of(b"{}"), io.BytesIO(b"{}"))
    manifest = Manifest.parse(json.dumps(document).encode())
    ValidatingRegistry(registry).push_manifest("a", manifest)
    for _ in run:
        pass
    assert read_blob(registry, "a", Digest.of(second)) == second


def test_a_digest_that_a_link_translates_is_kept(store: Store, registry: StorageRegistry) -> None:
    """Distribution 3 stores what is pushed by its sha512 under its sha256."""
    layer = b"layer"
    digest = Digest.of(layer, "sha512")
    # A colon can be spelled in two ways.
    spelled = digest.encode().replace(b":", b"\\u003a")
    content = image(layer).content.replace(Digest.of(layer).encode(), spelled)
    registry.push_blob("a", Digest.of(layer), io.BytesIO(layer))
    actual = Digest.of(content)
    store.driver.put_content(paths.blob_data(actual), content)
    store.driver.put_content(paths.link(paths.revision("a", Digest.of(content, "sha512"))), actual.encode())
    store.driver.put_content(paths.link(paths.layer("a", digest)), Digest.of(layer).encode())
    assert store.collect(1.1) == {}
    assert store.driver.exists(paths.blob_data(Digest.of(layer)))


@pytest.mark.parametrize("broken", ["missing", "different", "no JSON", "link", "empty link"])
def test_what_cannot_be_read_stops_the_run(
    broken: str, store: Store, registry: StorageRegistry, garbage: Digest
) -> None:
    document = push_image(registry, "a", b"layer")
    data = paths.blob_data(document.digest)
    link = paths.link(paths.revision("a", document.digest))
    wrong = {"missing": data, "different": data, "no JSON": data, "link": link, "empty link": link}[broken]
    match broken:
        case "missing":
            store.driver.delete(data)
        case "different":
            store.driver.put_content(data, document.content + b" ")
        case "no JSON":
            digest = Digest.of(b"[")
            wrong = paths.blob_data(digest)
            store.driver.put_content(wrong, b"[")
            store.driver.put_content(link, digest.encode())
        case _:
            store.driver.put_content(link, b"sha256:0" if broken == "link" else b"")
    before = blobs(store.driver)
    with pytest.raises(StorageError) as caught:
        store.collect(1.1)
    assert caught.value.path == wrong
    assert blobs(store.driver) == before
    assert DATA in before
    if broken != "no JSON":
        registry.delete_manifest("a", document.digest)
        assert garbage in store.collect()["quarantine"]


@pytest.mark.parametrize("more", ["[" * 3000 + "]" * 3000, "1" * 5000], ids=["deep", "long"])
def test_what_only_other_servers_can_read_is_kept_and_stops_no_run(
    store: Store, registry: StorageRegistry, garbage: Digest, more: str
) -> None:
    """Of a member that they do not know, stock servers take whatever is JSON."""
    kept = [b"kept", b"escaped"]
    for each in (b"{}", *kept):
        registry.push_blob("a", Digest.of(each), io.BytesIO(each))
    text = (
        image(*kept)
        .content.decode()
        .replace(Digest.of(b"escaped"), Digest.of(b"escaped").replace(":", r"\u003a"))
    )
    content = f'{text[:-1]}, "more": {more}}}'.encode()
    digest = Digest.of(content)
    store.driver.put_content(paths.blob_data(digest), content)
    store.driver.put_content(paths.link(paths.revision("a", digest)), digest.encode())
    assert store.collect(1.1) == {"quarantine": [garbage]}
    usage(store.driver)


def test_a_half_deleted_revision_does_not_matter(
    store: Store, registry: StorageRegistry, garbage: Digest
) -> None:
    document = push_image(registry, "a", b"layer")
    store.driver.delete(paths.link(paths.revision("a", document.digest)))
    store.driver.put_content(f"{paths.revision('a', document.digest)}/other", b"")
    found = store.collect(1.1)["quarantine"]
    assert {garbage, document.digest, Digest.of(b"layer")} <= set(found)


def test_a_killed_run_is_closed_and_then_waits_for_its_grace(
    store: Store, registry: StorageRegistry, garbage: Digest
) -> None:
    registry.push_blob("a", Digest.of(b"more"), io.BytesIO(b"more"))
    steps = store.begin(1.1)
    first = next(steps).digest
    with pytest.raises(StorageUnavailable):  # nothing more can be done, as after a kill
        steps.throw(StorageUnavailable("gone"))
    quarantine = Quarantine(store.driver)
    (run,) = quarantine.runs()
    assert quarantine.stamp(run, CLOSED) is None
    both = sorted([garbage, Digest.of(b"more")])
    others = [each for each in both if each != first]
    assert store.collect() == {"wait": [first], "quarantine": others}
    assert quarantine.stamp(run, CLOSED) is None
    assert store.collect(1.1) == {"wait": [first], "delete": others}
    assert quarantine.stamp(run, CLOSED) is not None
    assert store.collect(1.1) == {"delete": [first]}
    assert quarantine.runs() == []


def test_a_run_that_is_stopped_between_two_steps_is_closed(
    store: Store, registry: StorageRegistry, garbage: Digest
) -> None:
    registry.push_blob("a", Digest.of(b"more"), io.BytesIO(b"more"))
    steps = store.begin(1.1)
    first = next(steps).digest
    steps.close()
    quarantine = Quarantine(store.driver)
    (run,) = quarantine.runs()
    assert quarantine.stamp(run, CLOSED) is not None
    (other,) = {garbage, Digest.of(b"more")} - {first}
    assert store.collect(1.1) == {"delete": [first], "quarantine": [other]}


def test_progress_tells_what_is_counted_and_how_many(
    store: Store, driver: StorageDriver, registry: StorageRegistry, garbage: Digest
) -> None:
    push_image(registry, "a", b"kept", tags=["v1"])
    push_image(registry, "a", b"old")
    found: dict[str, int] = {}

    def told(what: str, count: int) -> None:
        found[what] = count

    def run(days: float) -> dict[str, int]:
        store.passed += days * GRACE
        found.clear()
        retention = Retention((Policy(untagged=True),))
        for _ in collect(driver, apply=True, retention=retention, progress=told, pause=store.paused.append):
            pass
        assert found.pop("unreferenced blobs checked") >= 1
        return found

    assert run(1.1) == {
        "manifests and tags read": 3,
        "manifests read": 2,
        "manifests and tags settled": 1,
    }
    assert run(1.1) == {
        "manifests and tags read": 3,
        "manifests read": 1,
        "manifests and tags settled": 1,
        "blobs in quarantine settled": 1,
    }
    found.clear()
    assert len(list(undo(driver, told))) == found["blobs in quarantine settled"] > 0


@pytest.mark.parametrize("phase", ["manifests read", "unreferenced blobs checked"])
def test_a_store_that_is_moved_away_meanwhile_is_not_taken_for_garbage(
    phase: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    driver = open_driver("filesystem", {"rootdirectory": str(root)}, scratch=paths.SCRATCH)
    registry = StorageRegistry(driver)
    push_image(registry, "a", b"layer")
    for content in (b"one", b"two"):
        registry.push_blob("a", Digest.of(content), io.BytesIO(content))

    def move(what: str, _: int) -> None:
        if what == phase and not (tmp_path / "elsewhere").exists():
            root.rename(tmp_path / "elsewhere")

    store = Store(driver, monkeypatch)
    store.passed = 2 * GRACE
    with pytest.raises(StorageError, match="is gone, but was there when the run began"):
        list(collect(driver, apply=True, progress=move))
    assert not (root / paths.BLOBS[1:]).exists()
    shutil.rmtree(root, ignore_errors=True)
    (tmp_path / "elsewhere").rename(root)
    found = store.collect()
    assert found.keys() <= {"quarantine", "wait"}
    assert sorted(chain.from_iterable(found.values())) == sorted(
        Digest.of(content) for content in (b"one", b"two")
    )


def test_a_run_that_takes_long_is_closed_and_another_begun(
    store: Store, registry: StorageRegistry, garbage: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or another collector would close it, and delete what is taken afterwards before a grace has passed."""
    registry.push_blob("a", Digest.of(b"more"), io.BytesIO(b"more"))
    monkeypatch.setattr(quarantine, "RUN_MAX", -1.0)
    assert store.collect(1.1) == {"quarantine": sorted([garbage, Digest.of(b"more")])}
    runs = Quarantine(store.driver).runs()
    assert len(runs) == 2
    assert all(Quarantine(store.driver).stamp(run, CLOSED) for run in runs)
    assert store.collect(1.1) == {"delete": sorted([garbage, Digest.of(b"more")])}


def test_a_store_without_its_repositories_is_not_taken_for_garbage(
    store: Store, driver: StorageDriver, garbage: Digest
) -> None:
    """As when a file system is not mounted, or a prefix is mistyped."""
    driver.delete(paths.REPOSITORIES)
    with pytest.raises(StorageError, match=r"missing, though there are blobs") as caught:
        store.collect(1.1)
    assert caught.value.path == paths.REPOSITORIES
    assert driver.exists(DATA)


@pytest.mark.parametrize("broken", ["b", "b/_manifests", "b/_manifests/revisions/sha256"])
@pytest.mark.parametrize("target", ["nowhere", "itself"])
def test_a_folder_that_leads_nowhere_is_not_empty(
    broken: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = open_driver("filesystem", {"rootdirectory": str(tmp_path)}, scratch=paths.SCRATCH)
    store, registry = Store(driver, monkeypatch), StorageRegistry(driver)
    push_image(registry, "a", b"layer")
    push_image(registry, "b", b"other")
    folder = tmp_path / f"{paths.REPOSITORIES}/{broken}".lstrip("/")
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to("nowhere" if target == "nowhere" else folder)
    before = files(driver, paths.BLOBS)
    with pytest.raises(StorageError, match="cannot be listed") as caught:
        store.collect(1.1)
    assert caught.value.path == f"{paths.REPOSITORIES}/{broken}"
    assert files(driver, paths.BLOBS) == before
    folder.unlink()
    (tmp_path / "elsewhere").rename(folder)
    assert store.collect(1.1) == {}


def test_a_stray_file_among_the_repositories_does_not_matter(
    store: Store, driver: StorageDriver, registry: StorageRegistry
) -> None:
    push_image(registry, "a", b"layer")
    driver.put_content(f"{paths.REPOSITORIES}/readme", b"")
    assert store.collect(1.1) == {}


@pytest.mark.parametrize("what", ["names", "files"])
def test_a_store_that_fails_in_the_middle_of_a_run_stops_it(
    what: str, store: Store, driver: StorageDriver, registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        push_image(registry, name, name.encode())
    verb = "get_content" if what == "files" else "list" if driver.has_folders else "files_with_md5"
    folder = paths.REPOSITORIES if driver.has_folders else paths.BLOBS  # a list of objects tells of links
    inner = getattr(driver, verb)
    calls = count(1)

    def failing(path: str, *rest: Any, **options: Any) -> Any:
        if path.startswith(folder) and next(calls) == 2:
            raise failed
        return inner(path, *rest, **options)

    def failing_list(path: str) -> Iterator[tuple[str, str]]:
        yield from islice(inner(path), 2)
        raise failed

    failed = StorageUnavailable("timed out", driver=driver.name, path=paths.REPOSITORIES)
    before = blobs(driver)
    with monkeypatch.context() as patch:
        patch.setattr(driver, verb, failing_list if verb == "files_with_md5" else failing)
        with pytest.raises(StorageUnavailable):
            store.collect(1.1)
    assert blobs(driver) == before
    assert store.collect() == {}


def test_a_shorter_grace_is_refused(driver: StorageDriver) -> None:
    with pytest.raises(ConfigurationError, match="at least 86400 seconds"):
        next(collect(driver, grace=GRACE - 1))
    with pytest.raises(ConfigurationError):
        next(collect(driver, grace=float("nan")))


def test_the_time_is_the_stores(driver: StorageDriver) -> None:
    before = time.time()
    assert before - 1 <= Quarantine(driver).time() <= time.time() + 1
    assert list(files(driver)) == [f"{paths.QUARANTINE}/clock"]
    assert Quarantine(driver).runs() == []
