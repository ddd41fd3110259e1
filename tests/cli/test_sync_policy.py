"""``udist sync`` under a signature policy, and backups, which have none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import ACCEPT, REJECT, policy, sigstore
from tests.images.signatures.conftest import make_key
from udist_plugin.images.policy import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.images.sample import Layout

    Udist = Callable[..., Ran]


@pytest.mark.usefixtures("without_policy")
def test_without_a_policy_nothing_is_copied(udist: Udist, layout: Layout) -> None:
    layout.image("v1")
    ran = udist("sync", "oci:layout", "udist:demo/app")
    assert (ran.code, "--insecure-policy" in ran.err) == (4, True)
    assert udist("ls").out == ""
    assert udist("sync", "oci:layout", "udist:demo/app", "--insecure-policy").code == 0
    assert udist("tags", "demo/app").out == "v1\n"


def test_what_a_policy_rejects_does_not_stop_the_others(udist: Udist, layout: Layout, work: Path) -> None:
    layout.image("v1", layers=[b"1"])
    layout.image("v2", layers=[b"2"])
    udist("sync", "oci:layout", "udist:demo/app")
    scopes = {"demo/app:v1": [REJECT]}
    (work / "one.json").write_text(json.dumps({"default": [ACCEPT], "transports": {"udist": scopes}}))
    ran = udist("sync", "udist:demo/app", "udist:mirror", "--policy", "one.json")
    assert (ran.code, "udist:demo/app:v1: rejected by the policy" in ran.err) == (5, True)
    assert udist("tags", "mirror").out == "v2\n"


def test_signatures_come_with_the_images_that_need_them(
    udist: Udist, layout: Layout, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSIGN_PASSWORD", "secret")
    pair = make_key(work, password=b"secret")
    layout.image("signed", layers=[b"1"])
    layout.image("unsigned", layers=[b"2"])
    udist("sync", "oci:layout", "udist:demo/app")
    assert udist("sign", "demo/app:signed", "--key", str(pair.private)).code == 0
    (work / "signed.json").write_text(sigstore(keyPath=str(pair.public)))
    words = ("--policy", "signed.json", "--referrers", "--exclude", "sha256-*")
    ran = udist("sync", "udist:demo/app", "udist:mirror", *words, "--json")
    assert ran.code == 5
    assert json.loads(ran.out)["failed"] == ["udist:demo/app:unsigned"]
    assert "unsigned" not in udist("tags", "mirror").out
    assert udist("referrers", "mirror:signed").out == udist("referrers", "demo/app:signed").out != ""


def test_backups_have_what_was_there(
    udist: Udist, layout: Layout, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout.image("v1")
    udist("sync", "oci:layout", "udist:demo/app")
    (work / "none.json").write_text(policy(REJECT))
    monkeypatch.setenv(files.VARIABLE, str(work / "none.json"))
    assert udist("backup", "demo/app", "backup.tar").code == 0
    assert udist("restore", "backup.tar", "demo/app=restored").code == 0
    assert udist("tags", "restored").out == "v1\n"
