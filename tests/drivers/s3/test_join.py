"""How sources become the parts of a copy: S3's limits are held for all sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udist_plugin.drivers.objects.join import plan
from udist_plugin.drivers.objects.limits import PART_MAX, PART_MIN, PARTS_MAX
from udist_plugin.drivers.objects.store import StoredObject
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import PathNotFound

if TYPE_CHECKING:
    from tests.drivers.s3.server import S3Server

SIZES = st.one_of(
    st.integers(0, 3 * PART_MIN), st.integers(PART_MAX - PART_MIN, 3 * PART_MAX), st.integers(0, 1 << 40)
)


@given(st.lists(SIZES, max_size=12), st.integers(PART_MIN, PART_MAX))
def test_parts_are_within_limits_and_hold_every_byte_once(sizes: list[int], copied: int) -> None:
    sources = [StoredObject(str(number), size, 0.0, "") for number, size in enumerate(sizes)]
    parts = plan(sources, copied)
    assert len(parts) <= PARTS_MAX
    for number, part in enumerate(parts, 1):
        size = sum(piece.size for piece in part)
        assert size <= (PART_MAX if len(part) == 1 else PART_MIN)
        assert size >= PART_MIN or number == len(parts)
    pieces = [piece for part in parts for piece in part]
    for source in sources:
        position = 0
        while pieces and pieces[0].source is source:
            piece = pieces.pop(0)
            assert piece.start == position < piece.end
            position = piece.end
        assert position == source.size
    assert pieces == []


@pytest.fixture
def store(server: S3Server) -> S3Store:
    values = server.parameters(
        server.bucket(), multipartcopychunksize=PART_MIN, multipartcopythresholdsize=PART_MIN
    )
    return S3Store(settings(values)[0])


SOURCES = [1, PART_MIN + 1, 0, 100, 2 * PART_MIN, PART_MIN - 1, 3 * PART_MIN + 7, 5]


@pytest.mark.parametrize("count", [1, 2, len(SOURCES)])
def test_large_objects_are_joined_in_their_order(count: int, store: S3Store) -> None:
    expected = b""
    for number, size in enumerate(SOURCES[-count:]):
        content = bytes([number, 255 - number]) * (size // 2) + b"." * (size % 2)
        expected += content
        store.put(f"part/{number}", content)
    sources = list(store.objects("part/"))
    store.join(sources, "whole")
    with store.get("whole") as whole:
        assert whole.read() == expected
    store.put(sources[0].key, b"changed")
    with pytest.raises(PathNotFound):
        store.join(sources, "other")
    store.delete([sources[0].key])
    with pytest.raises(PathNotFound):
        store.join(sources, "other")
    assert list(store.objects("other")) == []
    store.purge("", -60)
    assert "Uploads" not in store.client.list_multipart_uploads(Bucket=store.bucket)


def test_names_are_in_order_over_pages(store: S3Store) -> None:
    """``a-0000/`` comes before ``a/`` in the list of keys, and ``a`` before ``a-0000`` in that of names."""
    client = store.client
    client.meta.events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: params.update(MaxKeys=2)
    )
    names = ["a", "a-0", "a-1", "a-1.b", "a-2", "a.b", "ab", "b", "b-c-d", "b.c", "c", "c-0", "d"]
    keys = [f"f/{name}" if name in ("a-2", "b.c", "c-0") else f"f/{name}/x" for name in names]
    for key in reversed(keys):
        store.put(key, b"")
    assert list(store.names("f/")) == names
    for at, name in enumerate(names):
        assert list(store.names("f/", after=name)) == names[at + 1 :]
    assert [each.key for each in store.objects("f/")] == sorted(keys)
