"""``udist copy`` under a signature policy, and with a signature of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import ACCEPT, REJECT, sigstore
from tests.images.signatures.conftest import KeyPair, make_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.images.sample import Layout

    Udist = Callable[..., Ran]


@pytest.fixture
def pair(work: Path, monkeypatch: pytest.MonkeyPatch) -> KeyPair:
    monkeypatch.setenv("COSIGN_PASSWORD", "secret")
    return make_key(work, password=b"secret")


@pytest.mark.usefixtures("without_policy")
def test_without_a_policy_nothing_is_copied(udist: Udist, layout: Layout) -> None:
    layout.image("v1")
    ran = udist("copy", "oci:layout:v1", "udist:demo:v1")
    assert ran.code == 4
    assert "--policy FILE" in ran.err
    assert "--insecure-policy" in ran.err
    assert udist("ls").out == ""
    assert udist("copy", "oci:layout:v1", "udist:demo:v1", "--insecure-policy").code == 0


def test_what_a_policy_rejects_is_not_written(udist: Udist, layout: Layout, work: Path) -> None:
    layout.image("v1")
    rejecting = {"default": [ACCEPT], "transports": {"oci": {str(layout.root): [REJECT]}}}
    (work / "policy.json").write_text(json.dumps(rejecting))
    ran = udist("copy", "oci:layout:v1", "udist:demo:v1", "--policy", "policy.json")
    assert (ran.code, "rejected by the policy" in ran.err) == (5, True)
    assert udist("ls").out == ""


def test_a_signed_copy_satisfies_a_policy_and_an_unsigned_one_does_not(
    udist: Udist, layout: Layout, work: Path, pair: KeyPair
) -> None:
    both = [
        layout.image(platform=each, layers=[each.encode()], listed=False)
        for each in ("linux/amd64", "linux/arm64")
    ]
    layout.image_index("v1", *both)
    sign = ("--sign-by-key", str(pair.private), "--insecure-policy")
    assert udist("copy", "oci:layout:v1", "udist:signed:v1", *sign).code == 0
    assert udist("copy", "oci:layout:v1", "udist:unsigned:v1", "--insecure-policy").code == 0
    (work / "policy.json").write_text(sigstore(keyPath=str(pair.public)))
    for words in ((), ("--platform", "linux/arm64")):
        assert udist("copy", "udist:signed:v1", "oci:out:v1", "--policy", "policy.json", *words).code == 0
        ran = udist("copy", "udist:unsigned:v1", "oci:other:v1", "--policy", "policy.json", *words)
        assert (ran.code, "not signed as the policy" in ran.err) == (5, True)
        assert not (work / "other").exists()


def test_a_signature_says_what_the_image_is_called(udist: Udist, layout: Layout, pair: KeyPair) -> None:
    layout.image("v1")
    sign = ("--sign-by-key", str(pair.private), "--insecure-policy")
    called = "registry.example.com/demo:v1"
    assert udist("copy", "oci:layout:v1", "udist:demo:v1", *sign, "--sign-identity", called).code == 0
    verified = udist("verify", "demo:v1", "--key", str(pair.public), "--identity", called)
    assert (verified.code, called in verified.out) == (0, True)


def test_only_registries_keep_signatures(udist: Udist, layout: Layout, work: Path, pair: KeyPair) -> None:
    layout.image("v1")
    ran = udist(
        "copy", "oci:layout:v1", "oci:out:v1", "--sign-by-key", str(pair.private), "--insecure-policy"
    )
    assert (ran.code, "copy to udist: or docker://" in ran.err) == (1, True)
    assert not (work / "out").exists()
    assert (
        udist("copy", "oci:layout:v1", "udist:demo", "--sign-identity", "a/b", "--insecure-policy").code == 2
    )
