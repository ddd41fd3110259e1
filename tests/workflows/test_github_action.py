"""The GitHub action, in whole workflows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests.gateway.udist import eventually, listens
from tests.tools import require_tool, run_tool
from tests.workflows.act import ACTION, Workspace, job, messages, script, udist

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)

README: Final = "echo a readme >README.md"
PUSH: Final = "oras push --no-tty --plain-http $UDIST_REGISTRY/demo/readme"


@pytest.fixture(autouse=True)
def _oras() -> None:
    require_tool("oras")


def test_the_sources_are_linted_and_typed(installed: None) -> None:
    run_tool("npm", "run", "check", cwd=ACTION, timeout=120)


def test_the_bundle_is_current(installed: None, tmp_path: Path) -> None:
    built = tmp_path / "index.js"
    run_tool("npm", "run", "build", "--", f"--outfile={built}", cwd=ACTION, timeout=120)
    assert built.read_bytes() == (ACTION / "dist" / "index.js").read_bytes(), "run: npm run build"


def test_a_registry_for_the_steps_that_follow(workspace: Workspace) -> None:
    registry = "${{ steps.registry.outputs.registry }}"
    pull = f"oras pull --no-tty --plain-http {registry}/demo/readme:v1 -o got"
    uses = script(README, f"{PUSH}:v1 README.md", pull, "cat got/README.md", f"echo at {registry}")
    ran = workspace.run(a=job(udist(), uses))
    assert ran.code == 0, ran.log
    assert "\na readme\n" in ran.log
    assert re.search(r"Pushed demo/readme:v1 sha256:[0-9a-f]{64}: \d+ B, new all", ran.log)
    (address,) = re.findall(r"^at (127\.0\.0\.1:\d+)$", ran.log, re.MULTILINE)
    assert not listens(address)


def test_a_script_and_its_digest_for_the_next_job(workspace: Workspace) -> None:
    push = udist(run=f"{README}\n{PUSH}:v1 README.md")
    image = "$UDIST_REGISTRY/demo/readme@${{ needs.a.outputs.digest }}"
    fetch = udist(run=f"oras manifest fetch --plain-http --descriptor {image}")
    outputs = {"digest": "${{ steps.registry.outputs.digest }}"}
    ran = workspace.run(a=job(push, outputs=outputs), b=job(fetch, needs="a"))
    assert ran.code == 0, ran.log
    (pushed,) = re.findall(r"Pushed demo/readme:v1 (sha256:[0-9a-f]{64})", ran.log)
    (fetched,) = re.findall(r'\{"mediaType".*?\}', ran.log)
    assert json.loads(fetched)["digest"] == pushed


def test_the_summary_tells_digest_size_and_what_was_reused(workspace: Workspace) -> None:
    push = udist(run=f"{README}\n{PUSH}:v1 README.md\n{PUSH}:v2 --annotation a=b README.md")
    ran = workspace.run(a=job(push))
    assert ran.code == 0, ran.log
    (table,) = re.findall(r"Summary - <h3>Pushed with udist</h3>\n<table>(.*)</table>", ran.log)
    first, second = [re.findall("<td>(.*?)</td>", row) for row in table.split("</tr>")[1:3]]
    assert (first[0], first[3]) == ("demo/readme:v1", "all")
    assert second[0] == "demo/readme:v2"
    reused = len("a readme\n") + len("{}")
    assert int(second[2].removesuffix(" B")) - int(second[3].removesuffix(" B")) == reused


def test_a_script_that_fails(workspace: Workspace) -> None:
    ran = workspace.run(a=job(udist(run="exit 7"), script("echo after", **{"if": "always()"})))
    assert ran.code == 1
    assert 'The script of the input "run" ended with exit code 7.' in ran.log
    assert "\nafter\n" in ran.log


def test_an_error_in_the_configuration_names_file_line_and_key(workspace: Workspace) -> None:
    text = "version: 0.1\nstorage:\n  filesystem:\n    rootdirectoy: /a\n"
    write = script(f"printf '{text}' >registry.yml".replace("\n", r"\n"))
    ran = workspace.run(a=job(write, udist(config="registry.yml"), script("echo reached")))
    assert ran.code == 1
    assert (
        "::error title=udist,file=registry.yml,line=4::storage.filesystem.rootdirectoy: unknown key"
        in ran.log
    )
    assert "\nreached\n" not in ran.log


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"version": "not-there.whl"}, 'The input "version" names a wheel that does not exist'),
        ({"version": "new"}, 'The input "version" has to be a release, such as'),
        ({"tls": "perhaps"}, 'The input "tls" has to be true or false, not "perhaps".'),
        ({"extras": "gcs,--index-url"}, 'The input "extras" holds "--index-url"'),
    ],
)
def test_an_input_that_cannot_be(inputs: dict[str, str], expected: str, workspace: Workspace) -> None:
    ran = workspace.run(a=job(udist(**inputs)))
    assert ran.code == 1
    assert expected in ran.log


def test_a_runner_without_python(workspace: Workspace, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("node", "bash", "git", "act"):
        (programs / name).symlink_to(require_tool(name))
    ran = workspace.run(a=job(udist()), path=str(programs))
    assert ran.code == 1
    assert "udist needs Python 3.11 or later, and the runner has no python3." in ran.log
    assert "actions/setup-python" in ran.log


def test_secrets_are_masked_line_by_line(workspace: Workspace) -> None:
    begins = udist() | {"env": {"REGISTRY_HTTP_TLS_KEY": "the first line\nthe second line\n"}}
    shows = script("echo key: the second line", "echo url: $UDIST_URL", "cat $DOCKER_CONFIG/config.json")
    ran = workspace.run(a=job(begins, shows))
    assert "\nkey: ***\n" in ran.log
    assert "\nurl: ***\n" in ran.log
    assert re.findall(r'"auth": ?"(.*?)"', ran.log) == ["***"]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_listens_after_a_job_that_is_cancelled(end: signal.Signals, workspace: Workspace) -> None:
    command = workspace.command(a=job(udist(run="echo at $UDIST_REGISTRY; sleep 300")))
    with subprocess.Popen(
        command, cwd=workspace.path, env=workspace.environ, stdout=subprocess.PIPE, text=True
    ) as act:
        assert act.stdout
        said = []
        for line in act.stdout:
            said.append(messages(line))
            if found := re.search(r"^at (127\S+)$", said[-1]):
                break
        assert found, "\n".join(said)
        address = found[1]
        assert listens(address)
        os.kill(act.pid, end)
        rest = messages(act.stdout.read())
    assert eventually(lambda: not listens(address))
    assert ("Success - Post udist" in rest) == (end == signal.SIGINT)


def test_udist_is_installed_once(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    workspace = Workspace.make(tmp_path, tools)
    first, second = (workspace.run(a=job(udist())) for _ in range(2))
    assert (first.code, second.code) == (0, 0), first.log + second.log
    assert "Using udist" not in first.log
    assert "Using udist wheel-" in second.log
