"""Policies are read as strictly as containers/image reads them, and errors name the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import LOADED, ONLY_THERE, REFUSED, STORAGE_LOADED, STORAGE_REFUSED, policy
from tests.images.policy.judge import Question, ask
from udist_plugin.errors import PolicyInvalid
from udist_plugin.images.policy.files import SIZE_MAX, load_policy
from udist_plugin.images.policy.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path


def content(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def texts(documents: dict[str, str]) -> list[object]:
    return [pytest.param(text, id=name) for name, text in documents.items()]


@pytest.mark.parametrize("text", texts(LOADED | STORAGE_LOADED))
def test_it_loads(text: str) -> None:
    assert Policy.parse(content(text)).default


@pytest.mark.parametrize("text", texts(REFUSED | STORAGE_REFUSED | ONLY_THERE))
def test_it_is_refused(text: str) -> None:
    with pytest.raises(PolicyInvalid, match=r"p\.json"):
        Policy.parse(content(text), "p.json")


def test_containers_image_agrees() -> None:
    documents = LOADED | ONLY_THERE | REFUSED
    assert len(documents) == len(LOADED) + len(ONLY_THERE) + len(REFUSED)
    answers = ask([Question(text) for text in documents.values()])
    loaded = {name for name, answer in zip(documents, answers, strict=True) if answer.loads}
    assert loaded == {*LOADED, *ONLY_THERE}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"defualt": []}', "p.json: unknown key 'defualt'; did you mean 'default'?"),
        (
            policy({"type": "reject"}, {"type": "sigstoreSigned", "keypath": "a"}),
            "default[1] (p.json): unknown key 'keypath'; did you mean 'keyPath'?",
        ),
        (
            '{"default": [{"type": "reject"}], "transports": {"docker": {"a.com": [{"type": "rejct"}]}}}',
            "transports.docker['a.com'][0].type (p.json): 'rejct' is unknown; did you mean 'reject'?; "
            "expected one of insecureAcceptAnything, reject, signedBy, sigstoreSigned, signedBaseLayer",
        ),
        (
            '{"default": [{"type": "reject"}], "transports": {"dir": {"/a/": [{"type": "reject"}]}}}',
            "transports.dir['/a/'] (p.json): not a valid scope of dir: expected a path in its shortest form, "
            "such as '/a'",
        ),
        ('{"default": [],\n}', "p.json: not JSON: Illegal trailing comma before end of object at line 1"),
    ],
)
def test_an_error_says_where_and_what(text: str, message: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        Policy.parse(text.encode(), "p.json")
    assert str(caught.value).startswith(message.partition("Illegal")[0])


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '"' + "x" * 100_000])
def test_a_hostile_text_is_an_error_like_others(text: str) -> None:
    with pytest.raises(PolicyInvalid, match="not JSON"):
        Policy.parse(text.encode())


def test_the_variable_comes_first_then_the_users_file(tmp_path: Path) -> None:
    own = tmp_path / "config/containers/policy.json"
    own.parent.mkdir(parents=True)
    own.write_text(policy({"type": "reject"}))
    other = tmp_path / "other.json"
    other.write_text(policy({"type": "insecureAcceptAnything"}))
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": "/nowhere"}
    assert load_policy(None, environ).source == str(own)
    (tmp_path / ".config").symlink_to(tmp_path / "config")
    assert load_policy(None, {"HOME": str(tmp_path)}).default[0].kind == "reject"
    assert load_policy(None, environ | {"CONTAINERS_POLICY_JSON": str(other)}).source == str(other)
    assert load_policy(str(own), {"CONTAINERS_POLICY_JSON": str(other)}).source == str(own)


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match=r"gone\.json: there is no such file"):
        load_policy(None, {"CONTAINERS_POLICY_JSON": str(tmp_path / "gone.json")})
    with pytest.raises(PolicyInvalid, match="cannot be read: Is a directory"):
        load_policy(str(tmp_path), {})


def test_without_a_policy_the_error_names_the_files_and_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udist_plugin.images.policy.files.SYSTEM", (str(tmp_path / "etc.json"),))
    with pytest.raises(PolicyInvalid) as caught:
        load_policy(None, {"HOME": str(tmp_path)})
    for part in (f"{tmp_path}/.config/containers/policy.json", "etc.json", "CONTAINERS_POLICY_JSON"):
        assert part in str(caught.value)
    assert "--" not in str(caught.value), "which options there are is for a command to say"


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(policy({"type": "reject"}) + " " * SIZE_MAX)
    with pytest.raises(PolicyInvalid, match="larger than 4 MiB"):
        load_policy(str(path), {})
