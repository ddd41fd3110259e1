from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.carriers.sshd import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.carriers.sshd import Sshd


class SftpServer(NamedTuple):
    """A real sshd, and what logs in to it."""

    sshd: Sshd
    key: str
    known_hosts: str

    def section(self, folder: Path) -> dict[str, object]:
        """A section of the configuration whose registry is in ``folder``."""
        return {
            "url": f"sftp://{self.sshd.user}@127.0.0.1:{self.sshd.port}{folder}",
            "knownhosts": self.known_hosts,
            "options": {"key_filename": self.key, "look_for_keys": "false", "allow_agent": "false"},
        }


@pytest.fixture(scope="session")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    folder = tmp_path_factory.mktemp("sshd")
    with serving(folder) as sshd:
        yield SftpServer(sshd, sshd.new_key(), str(folder / "known_hosts"))
