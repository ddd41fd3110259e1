"""What ``udist doctor`` tries on Swift, and what it says of a service that does not do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.drivers.swift.test_failures import own_server, section
from tests.drivers.swift.test_uploads import before_each, client_of, unconditional
from udist_plugin.drivers import further_steps, open_driver
from udist_plugin.drivers.swift import checkup as swift_checkup
from udist_plugin.drivers.swift.driver import SwiftDriver
from udist_plugin.errors import StorageError
from udist_plugin.storage import paths
from udist_plugin.storage.upkeep import checkup

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.swift.account import Account
    from tests.drivers.swift.server import Swift

__all__ = ["own_server", "section"]


@pytest.fixture
def driver(parameters: dict[str, object]) -> SwiftDriver:
    driver = open_driver("swift", {**parameters, "secretkey": "secret"}, scratch=paths.SCRATCH)
    assert isinstance(driver, SwiftDriver)
    return driver


def steps(driver: SwiftDriver) -> dict[str, Callable[[], object]]:
    return dict(further_steps(driver, "/doctor"))


def test_all_is_well(driver: SwiftDriver, container: Account) -> None:
    done = list(checkup.check(driver))
    assert [step.error for step in done] == [None] * len(done)
    assert {"multipart", "exclusive", "redirect"} < {step.name for step in done}
    assert container.names() == []


def test_without_a_key_no_url_is_tried(parameters: dict[str, object]) -> None:
    plain = open_driver("swift", parameters, scratch=paths.SCRATCH)
    assert [name for name, _ in further_steps(plain, "/doctor")] == ["multipart", "exclusive"]


def without_large_objects(options: dict[str, Any]) -> None:
    """A request to a service that has none: it takes a manifest for content."""
    if options.get("params") == {"multipart-manifest": "put"}:
        del options["params"]


@pytest.mark.parametrize(
    ("step", "lacks", "said"),
    [
        ("multipart", without_large_objects, swift_checkup.NO_LARGE),
        ("exclusive", unconditional, swift_checkup.NO_CONDITIONS),
    ],
)
def test_what_the_service_lacks_is_told(
    driver: SwiftDriver, step: str, lacks: Callable[[dict[str, Any]], None], said: str
) -> None:
    before_each(client_of(driver), lacks)
    with pytest.raises(StorageError) as caught:
        steps(driver)[step]()
    assert said in str(caught.value)


def test_a_key_that_another_has_replaced_is_told(driver: SwiftDriver, container: Account) -> None:
    steps(driver)["redirect"]()
    container.library.post_container(container.name, {"X-Container-Meta-Temp-Url-Key": "other"})
    with pytest.raises(StorageError, match="a temporary URL is refused"):
        steps(driver)["redirect"]()
    assert container.names() == []


def test_a_service_without_temporary_urls_is_told(
    driver: SwiftDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_of(driver), "info", {"swift": {}})
    with pytest.raises(StorageError, match="there are no temporary URLs"):
        steps(driver)["redirect"]()


def test_a_listing_that_lags_is_waited_for(
    own_server: Swift, section: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        own_server.command("release")

    own_server.command("hold")
    monkeypatch.setattr("udist_plugin.storage.upkeep.checkup.time.sleep", wait)
    done = list(checkup.check(open_driver("swift", section, scratch=paths.SCRATCH)))
    assert done[-1].error is None
    assert waited == [checkup.LISTED_PAUSE]


def test_what_is_never_listed_is_told(
    own_server: Swift, section: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "LISTED_WAIT", 0.0)
    own_server.command("hold")
    try:
        done = list(checkup.check(open_driver("swift", section, scratch=paths.SCRATCH)))
    finally:
        own_server.command("release")
    assert (done[-1].name, "not listed" in str(done[-1].error)) == ("list", True)
