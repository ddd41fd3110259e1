"""Stock registries as sources and destinations, and skopeo beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.images.unjudged import sync_images
from tests.remote.loopback import stock_registry
from tests.tools import run_tool
from udist_plugin.errors import NameUnknown, TransportError, Unsupported
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.images.syncing.conftest import Images, Store


@pytest.fixture(params=["docker-registry", "registry"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Debian's registry, and distribution v3: its address."""
    with stock_registry(tmp_path / "stock", request.param) as port:
        yield f"127.0.0.1:{port}"


def test_all_of_a_registry_and_back(images: Images, here: Store, there: Store, registry: str) -> None:
    names = {
        "team/app": images.add(here, "team/app", "v1", "v2"),
        "demo/web": images.add(here, "demo/web", "v1"),
    }
    index = images.add_index(here, "team/app", "all")
    sync_images(here.at(), f"docker://{registry}")
    again = sync_images(here.at(), f"docker://{registry}/")
    assert (again.copied, len(again.present)) == ([], 4)
    sync_images(f"docker://{registry}", there.at("my/mirror"))
    assert there.tags("my/mirror/team/app") == {
        "v1": names["team/app"],
        "v2": names["team/app"],
        "all": index,
    }
    assert there.tags("my/mirror/demo/web") == {"v1": names["demo/web"]}


def test_referrers_where_there_is_no_api(images: Images, here: Store, there: Store, registry: str) -> None:
    """The index at the tag is made, added to, and read."""
    one = images.add(here, "team/app", "v1")
    found = [images.attach(here, "team/app", one)]
    place = f"docker://{registry}/team/app"
    sync_images(here.at("team/app"), place, referrers=True)
    found.append(images.attach(here, "team/app", one))
    sync_images(here.at("team/app"), place, referrers=True)
    assert sync_images(here.at("team/app"), place, referrers=True).copied == []
    sync_images(place, there.at("team/app"), tags=["v*"], referrers=True)
    listed = there.registry.list_referrers("team/app", Digest(one)).items
    assert {each.digest for each in listed} == {*found}
    assert {each.artifact_type for each in listed} == {"text/plain"}


def test_extras_in_a_stock_registry(images: Images, here: Store, registry: str) -> None:
    """Debian's deletes no tags, and says so; the rest is done."""
    images.add(here, "team/app", "v1", "v2", "v3")
    place = f"docker://{registry}/team/app"
    sync_images(here.at("team/app"), place)
    here.registry.delete_tag("team/app", "v2")
    result = sync_images(here.at("team/app"), place, delete=True)
    if result.failed:
        assert [failure.reference for failure in result.failed] == [f"{place}:v2"]
        assert isinstance(result.failed[0].error, Unsupported)
    else:
        assert result.deleted == [f"{place}:v2"]
    assert len(sync_images(place, here.at("team/copy")).copied) == (3 if result.failed else 2)


def test_skopeo_syncs_the_same(
    images: Images, here: Store, there: Store, registry: str, tmp_path: Path
) -> None:
    """What we bring to a registry, skopeo brings home, and the other way round."""
    one, two = images.add(here, "team/app", "v1", "v2"), images.add(here, "team/web", "v1")
    sync_images(here.at(), f"docker://{registry}")
    skopeo = ("skopeo", "--insecure-policy", "sync", "--all")
    run_tool(
        *(*skopeo, "--src-tls-verify=false", "--src", "docker", "--dest", "dir", "--scoped"),
        *(f"{registry}/team/app", "taken"),
        cwd=tmp_path,
        timeout=60,
    )
    sync_images(f"dir:{tmp_path / 'taken' / registry}", there.at())
    assert there.tags("team/app") == {"v1": one, "v2": one}
    sync_images(here.at(), f"dir:{tmp_path / 'given'}")
    assert sync_images(here.at(), f"dir:{tmp_path / 'given'}").copied == []
    run_tool(
        *(*skopeo, "--dest-tls-verify=false", "--src", "dir", "--dest", "docker", "--preserve-digests"),
        *("given/team/web:v1", f"{registry}/their"),
        cwd=tmp_path,
        timeout=60,
    )
    sync_images(f"docker://{registry}/their/web", there.at("my/web"))
    assert there.tags("my/web") == {"v1": two}
    here.registry.delete_tag("team/app", "v1")
    sync_images(here.at("team/app"), f"dir:{tmp_path / 'given'}", delete=True)
    assert {path.name for path in (tmp_path / "given/team").iterdir()} == {"app:v2", "web:v1"}


def test_a_registry_that_is_not_there(there: Store, refusing: Callable[[], str]) -> None:
    result = sync_images(f"docker://{refusing()}/team/app", there.at("team/app"))
    assert isinstance(result.failed[0].error, TransportError)


def test_a_repository_that_is_not_there(there: Store, registry: str) -> None:
    result = sync_images(f"docker://{registry}/team/app", there.at("team/app"))
    assert isinstance(result.failed[0].error, NameUnknown)
    assert there.registry.list_repositories().items == []
