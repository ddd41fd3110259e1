"""Processes that are not children, some of them out of reach."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest

from udist_plugin.gateway.folder import Folder, process_of
from udist_plugin.gateway.others import Process, end

if TYPE_CHECKING:
    from tests.gateway.udist import Home


def test_a_signal_to_what_has_become_another_users_is_lost() -> None:
    """As to a command under sudo."""
    script = (
        "import os\n"
        "from udist_plugin.gateway.others import Process\n"
        "if not os.getuid(): os.setuid(65534)\n"
        "Process(1).send(0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("refusal", [errno.ENOSYS, errno.EPERM])
def test_where_the_system_has_no_descriptors_of_processes(
    refusal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> NoReturn:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    with subprocess.Popen(["sleep", "100"]) as sleeping:
        process = Process(sleeping.pid)
        assert not process.wait(0.01)
        end([process], 0.05)
        sleeping.wait(20)
        assert process.wait(0.01)
    with pytest.raises(ProcessLookupError):
        Process(sleeping.pid)


def test_an_id_is_that_of_the_process_that_holds_its_lock(home: Home) -> None:
    folder = Folder.make(home.environ)
    assert process_of(folder.id, home.environ) is not None
    folder.remove()
    assert process_of(folder.id, home.environ) is None
