"""Exit codes, and error messages for people."""

from __future__ import annotations

from udist_plugin import errors
from udist_plugin.cli.error_codes import WrongCommandLine, entry_of
from udist_plugin.cli.output import printable, say
from udist_plugin.errors import RegistryError, UdistError
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

REFUSED: Final = "INVALID_ARGUMENT"
"""The code of a plugin that refuses its configuration; the message has a line for each error."""

EXIT_CODES: Final = """\
exit codes:
  0    success
  1    the registry, the connection to it, or a local file failed
  2    the command line is wrong
  3    the repository, tag, image, manifest, blob or lease does not exist
  4    the plugin could not start, or its configuration or a policy is wrong
  5    the image is not signed by the key, or the policy rejects it
  130  interrupted by Ctrl-C
  141  the reader of standard output, such as head, has closed it
"""

NOT_FOUND = (
    errors.NameUnknown,
    errors.ManifestUnknown,
    errors.BlobUnknown,
    errors.ImageUnknown,
    errors.PlatformUnknown,
)
_NOT_STARTED = (
    errors.PluginNotFound,
    errors.PluginNotStarted,
    errors.HandshakeFailed,
    errors.ConfigurationError,
)
_NOT_TRUSTED = (errors.NotSigned, errors.PolicyRejected)

_HINTS: Final[dict[type[UdistError], str]] = {
    errors.LeaseUnknown: '"udist lease list" lists all leases',
    errors.NameUnknown: '"udist ls" lists all repositories',
    errors.ManifestUnknown: '"udist tags NAME" lists the tags of a repository',
    errors.NoFiles: (
        '"udist inspect" shows what it holds; "udist copy" writes a container image to an archive, a layout '
        'or a registry ("udist help images")'
    ),
    errors.Unauthorized: (
        'log in with "docker login", "podman login" or "skopeo login"; -v shows which login was used'
    ),
    errors.Unsupported: "the configuration may disable this; check storage.delete and storage.maintenance",
}


def exit_code_of(error: Exception) -> int:
    """The exit code for ``error``; see ``EXIT_CODES``. Of several it is 3 only if all are."""
    if isinstance(error, ExceptionGroup):
        return next((code for code in map(exit_code_of, error.exceptions) if code != 3), 3)
    if isinstance(error, NOT_FOUND):
        return 3
    if isinstance(error, _NOT_TRUSTED):
        return 5
    return 4 if isinstance(error, _NOT_STARTED) else 1


def report(error: Exception, *, as_json: bool, verbose: bool) -> None:
    """Prints what failed to standard error: one line for each error, or the JSON of the distribution-spec. An
    unexpected exception also gets a traceback when ``verbose``."""
    failed = _each(error)
    for each in failed:
        if verbose and not isinstance(each, UdistError | OSError):
            import traceback

            say("".join(traceback.format_exception(each)).rstrip())
    if as_json:
        import json

        say(json.dumps({"errors": [entry_of(each, _without_detail(each)) for each in failed]}, default=str))
        return
    for each in failed:
        _report_line(each)
    hints = (next((hint for kind, hint in _HINTS.items() if isinstance(each, kind)), "") for each in failed)
    for hint in filter(None, dict.fromkeys(hints)):
        say(f"hint: {hint}")
    if not verbose and any(isinstance(each, RegistryError) and each.code == "UNKNOWN" for each in failed):
        say("hint: run the command again with -v to see the plugin's log")


def _each(error: Exception) -> Sequence[Exception]:
    """The errors that ``error`` stands for: all of a configuration come at once, from a plugin as lines;
    so do all files that cannot be pushed."""
    if isinstance(error, ExceptionGroup):
        return [each for inner in error.exceptions for each in _each(inner)]
    if isinstance(error, errors.ConfigurationError | errors.SourceInvalid | RegistryError):
        return (error, *error.also)
    if isinstance(error, errors.HandshakeFailed) and error.code == REFUSED:
        return [errors.ConfigurationError(line) for line in str(error).splitlines()]
    return (error,)


def _report_line(error: Exception) -> None:
    for line in f"udist: {sentence(error)}".splitlines():
        say(printable(line))


def _without_detail(error: Exception) -> str:
    """The sentence without what is in the detail of the JSON, too."""
    return error.message if isinstance(error, RegistryError) else sentence(error)


def sentence(error: Exception) -> str:
    """The message, after what the error's notes say: for instance which file was being pushed."""
    return ": ".join([*getattr(error, "__notes__", ()), _message(error)])


def _message(error: Exception) -> str:
    if isinstance(error, RegistryError) and error.detail:
        return f"{error.message} ({_in_words(error.detail)})"
    if isinstance(error, errors.ConfigurationError | errors.SourceInvalid):
        return error.line
    if isinstance(error, UdistError | WrongCommandLine):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return error.strerror or str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def _in_words(detail: object) -> str:
    if isinstance(detail, dict):
        return ", ".join(f"{key}: {_in_words(value)}" for key, value in detail.items() if value is not None)
    if isinstance(detail, list):
        return "; ".join(_in_words(value) for value in detail)
    return str(detail)
