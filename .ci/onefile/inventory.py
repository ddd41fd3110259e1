"""What the file carries, and under which licences: an SPDX document, and the licences' texts."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import NamedTuple

UNKNOWN = "NOASSERTION"


class Part(NamedTuple):
    """``purl`` is its package URL; ``texts`` are those of its licences."""

    name: str
    version: str
    licence: str
    purl: str
    texts: list[str]


def write_inventory(packages: Path, libraries: dict[str, Path], epoch: int) -> Path:
    """Writes ``udist.spdx.json`` and ``licenses.txt`` where ``udist version`` finds them, and removes the
    texts that the latter repeats. ``epoch`` is the document's time. Returns the folder."""
    found = [_python(), *_go(), *_system(libraries), *_packages(packages)]
    parts = sorted({part.purl: part for part in found}.values(), key=lambda part: part.purl)
    folder = packages / "udist_plugin" / "carried"
    folder.mkdir()
    (folder / "udist.spdx.json").write_text(json.dumps(_spdx(parts, epoch), indent=1) + "\n")
    (folder / "licenses.txt").write_text("\n".join(map(_shown, parts)))
    for path in packages.glob("*.dist-info/licenses"):
        shutil.rmtree(path)
    return folder


def _shown(part: Part) -> str:
    title = f"{part.name} {part.version}: {part.licence}"
    return "\n".join([title, "=" * len(title), "", *(text.strip() + "\n" for text in part.texts)])


def _packages(folder: Path) -> list[Part]:
    return [_package(path) for path in folder.glob("*.dist-info")]


def _package(folder: Path) -> Part:
    metadata = HeaderParser().parsestr((folder / "METADATA").read_text())
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_licence(path)]
    named = [
        line.rpartition("::")[2].strip()
        for line in metadata.get_all("Classifier", [])
        if "License ::" in line
    ]
    licence = metadata["License-Expression"] or " AND ".join(named) or metadata["License"] or UNKNOWN
    name, version = metadata["Name"], metadata["Version"]
    texts = [path.read_text(errors="replace") for path in files]
    return Part(name, version, licence.partition("\n")[0], f"pkg:pypi/{name.lower()}@{version}", texts)


def _is_licence(path: Path) -> bool:
    return "licenses" in path.parts or path.name.upper().startswith(("LICEN", "COPYING", "NOTICE", "AUTHORS"))


def _python() -> Part:
    version = platform.python_version()
    texts = [
        path.read_text() for path in [Path(sysconfig.get_path("stdlib"), "LICENSE.txt")] if path.exists()
    ]
    return Part("CPython", version, "PSF-2.0", f"pkg:generic/cpython@{version}", texts)


def _go() -> list[Part]:
    """The launcher's: Go's own library and the modules."""
    folder = Path(__file__).with_name("launcher")
    root, version = _said("go", "env", "GOROOT", "GOVERSION").split()
    found = [Part("Go", version, "BSD-3-Clause", f"pkg:golang/std@{version}", _texts(Path(root)))]
    subprocess.run(
        ["go", "mod", "download"], cwd=folder, check=True
    )  # a list has no folder of what is not here
    form = "{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}"
    for line in _said("go", "list", "-m", "-f", form, "all", cwd=folder).splitlines():
        if line:
            name, version, place = line.split()
            found.append(Part(name, version, UNKNOWN, f"pkg:golang/{name}@{version}", _texts(Path(place))))
    return found


def _texts(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted(folder.glob("LICENSE*"))]


def _system(libraries: dict[str, Path]) -> list[Part]:
    """Those that are not the interpreter's own."""
    own = Path(sys.base_prefix)
    foreign = {
        n: path for n, path in libraries.items() if own == Path("/usr") or not path.is_relative_to(own)
    }
    return [_debian(path) or _unknown(name, path) for name, path in foreign.items()]


def _debian(library: Path) -> Part | None:
    """What Debian's package manager says, where it is there and knows the file."""
    known = {str(library), f"/usr{library}", str(library).removeprefix("/usr")}  # /lib is a link to /usr/lib
    for path in sorted(known):
        try:
            owner = _said("dpkg-query", "-S", path).partition(":")[0]
        except (OSError, subprocess.CalledProcessError):
            continue
        form = "${source:Package} ${Version}"
        package, version = _said("dpkg-query", "-W", "-f", form, owner).split()
        notice = Path("/usr/share/doc", owner, "copyright")
        texts = [notice.read_text(errors="replace")] if notice.exists() else []
        return Part(package, version, UNKNOWN, f"pkg:deb/debian/{package}@{version}", texts)
    return None


def _unknown(name: str, path: Path) -> Part:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Part(name, digest[:12], UNKNOWN, f"pkg:generic/{name}?checksum=sha256:{digest}", [])


def _said(*command: str, cwd: Path | None = None) -> str:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout


def _spdx(parts: list[Part], epoch: int) -> dict[str, object]:
    version = next(part.version for part in parts if part.name == "udist-plugin")
    names = [f"SPDXRef-{number}" for number in range(len(parts))]
    content = hashlib.sha256(repr(parts).encode()).hexdigest()
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"udist-{version}",
        "documentNamespace": f"https://udist.dev/spdx/{version}/{content[:32]}",
        "creationInfo": {
            "created": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: udist-onefile"],
        },
        "packages": [_spdx_package(name, part) for name, part in zip(names, parts, strict=True)],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": name}
            for name in names
        ],
    }


def _spdx_package(name: str, part: Part) -> dict[str, object]:
    return {
        "SPDXID": name,
        "name": part.name,
        "versionInfo": part.version,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": False,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": UNKNOWN,
        "licenseComments": part.licence,
        "copyrightText": UNKNOWN,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": part.purl,
            }
        ],
    }
