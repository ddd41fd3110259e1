"""The package and what it depends on, without what nobody runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

EXTRAS = ("azure", "gcs", "grpc", "metrics", "oss", "redis", "signing", "swift", "tls", "zstd")

SERVICES = {"s3", "sts", "sso", "sso-oidc", "signin"}
"""Those of AWS that S3 and its credentials need; botocore has four hundred."""

UNWANTED = (
    *("bin", "boto3/data", "boto3/examples", "dateutil/zoneinfo/*.gz", "pygments/lexers"),
    *("Crypto/SelfTest", "share", "stevedore/example*"),
    *("_distutils_hack", "pkg_resources", "setuptools", "setuptools-*"),  # pbr names it for builds
    *("udist_plugin/testing", "**/tests", "**/test", "**/__pycache__", "**/py.typed", "*.pth"),
    *(f"**/*.{suffix}" for suffix in ("c", "h", "proto", "pxd", "pxi", "pyi", "pyx")),
    *(f"*.dist-info/{name}" for name in ("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "top_level.txt")),
    *("*.dist-info/*.json", "*.dist-info/sboms"),
)


def install_packages(folder: Path, extras: tuple[str, ...]) -> None:
    """Into ``folder``, in the versions that pyproject.toml names."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        constraints = work / "constraints.txt"
        constraints.write_text("\n".join(project["tool"]["uv"]["constraint-dependencies"]))
        source = work / "source"  # building in the checkout would leave files there
        shutil.copytree(
            REPOSITORY / "udist_plugin", source / "udist_plugin", ignore=shutil.ignore_patterns("__pycache__")
        )
        for file in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copyfile(REPOSITORY / file, source / file)
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        # A copy, not a link: the binaries are stripped in place.
        command = [uv, "pip", "install", "-q", "--link-mode=copy", "--python", sys.executable]
        options = ["--target", str(folder), "--constraint", str(constraints)]
        wanted = f"{source}[{','.join(extras)}]"
        subprocess.run([*command, *options, wanted], check=True)
    _prune(folder)


def _prune(folder: Path) -> None:
    unwanted = {path for pattern in UNWANTED for path in folder.glob(pattern)}
    services = (path for path in folder.glob("botocore/data/*") if path.is_dir())
    unwanted |= {path for path in services if path.name not in SERVICES}
    for path in unwanted:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
