"""What the carried interpreter runs first. It starts ``udist`` or ``udist-plugin``, as the launcher says."""

import marshal
import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import SourcelessFileLoader

TYPE_CHECKING = False  # module typing takes long to load
if TYPE_CHECKING:
    from types import CodeType

HEAD = 8
"""Bytes at the beginning of the file of modules: the size of its index."""

FOLDER = os.path.dirname(__file__)
LIBRARY = os.path.dirname(os.__file__)
PACKAGES = os.path.join(LIBRARY, "site-packages")

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS
)


def read(path: str, size: int, offset: int) -> bytes:
    """A mapping would take more memory, and a descriptor that stays open could be closed by a child."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(file, size, offset)
    finally:
        os.close(file)


class Modules:
    """Finds every module that is in Python. They are one file, because a file for each is slow to unpack and
    slow to look for. Data and binaries are where the modules would be."""

    def __init__(self, path: str) -> None:
        self._path = path
        size = int.from_bytes(read(path, HEAD, 0), "big")
        self._entries = marshal.loads(read(path, size, HEAD))
        self._begin = HEAD + size

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """See ``importlib.abc.MetaPathFinder``."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        package, ours, begin, size = entry
        place = os.path.join(PACKAGES if ours else LIBRARY, *name.split("."))
        path = f"{place}/__init__.pyc" if package else f"{place}.pyc"
        spec = ModuleSpec(name, Loader(name, path, self._path, self._begin + begin, size), origin=path)
        if package:
            spec.submodule_search_locations = [place]
        spec.has_location = True
        return spec


class Loader(SourcelessFileLoader):
    """As Python's own, but for where the code is."""

    def __init__(self, name: str, path: str, archive: str, begin: int, size: int) -> None:
        super().__init__(name, path)
        self._code = archive, size, begin

    def get_code(self, _: str) -> "CodeType":
        code: CodeType = marshal.loads(read(*self._code))
        return code


def trust_certificates() -> None:
    """The carried OpenSSL looks where its own system has certificates: say where this one has them."""
    if "SSL_CERT_FILE" not in os.environ and "SSL_CERT_DIR" not in os.environ:
        found = (path for path in BUNDLES if os.path.exists(path))
        os.environ["SSL_CERT_FILE"] = next(found, os.path.join(PACKAGES, "certifi", "cacert.pem"))


def take_name(name: str) -> None:
    """Has the process listed under its own name, and not its loader's."""
    try:
        with open("/proc/self/comm", "wb", 0) as file:
            file.write(name.encode())
    except OSError:
        pass  # another system, or /proc is not mounted


def main() -> None:
    _, program, *arguments = sys.argv
    sys.argv = [program, *arguments]
    loader = os.path.join(FOLDER, "lib", "loader")
    by_loader = [loader, "--library-path", os.path.dirname(loader)] if os.path.exists(loader) else []
    python = sys.orig_argv[: sys.orig_argv.index(__file__) + 1]
    sys.udist_plugin = [*by_loader, *python, "udist-plugin"]  # type: ignore[attr-defined]
    sys.frozen = True  # type: ignore[attr-defined]
    sys.path.append(PACKAGES)
    sys.meta_path.insert(
        -1, Modules(os.path.join(FOLDER, "lib", "modules"))
    )  # before Python looks at folders
    take_name(program)
    trust_certificates()
    if program == "udist-plugin":
        from udist_plugin.cli import plugin

        plugin.main()
    else:
        from udist_plugin.cli import main as command

        command.main()


main()
