"""The codes of errors as JSON: the registry's own, else one of ``CODES``."""

from __future__ import annotations

import errno

from udist_plugin import errors
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse


class WrongCommandLine(Exception):
    """What is wrong with the words that ``parser`` was given."""

    def __init__(self, parser: argparse.ArgumentParser, problem: str) -> None:
        self.parser = parser
        super().__init__(problem)


CODES: Final[dict[type[Exception], str]] = {
    WrongCommandLine: "COMMAND_INVALID",
    errors.PolicyInvalid: "POLICY_INVALID",
    errors.ConfigurationError: "CONFIGURATION_INVALID",
    errors.PluginNotFound: "PLUGIN_NOT_STARTED",
    errors.PluginNotStarted: "PLUGIN_NOT_STARTED",
    errors.HandshakeFailed: "PLUGIN_NOT_STARTED",
    errors.PluginDied: "PLUGIN_DIED",
    errors.DeadlineExceeded: "TIMEOUT",
    errors.TransportError: "CONNECTION_FAILED",
    errors.ProtocolError: "CONNECTION_FAILED",
    errors.StorageError: "STORAGE_FAILED",
    errors.SourceInvalid: "SOURCE_INVALID",
    errors.ArtifactError: "ARTIFACT_INVALID",
    errors.KeyInvalid: "KEY_INVALID",
    errors.NotSigned: "NOT_SIGNED",
    errors.PolicyRejected: "POLICY_REJECTED",
    errors.SignatureError: "SIGNATURE_FAILED",
    errors.ImageUnknown: "IMAGE_UNKNOWN",
    errors.PlatformUnknown: "IMAGE_UNKNOWN",
    errors.ImageError: "IMAGE_INVALID",
    errors.LoginError: "LOGIN_FAILED",
    OSError: "FILE_FAILED",
    Exception: "INTERNAL_ERROR",
}
"""By class; the first that fits is the code."""


def entry_of(error: Exception, message: str) -> dict[str, object]:
    """An entry of the distribution-spec's ``errors``, always with code, message and detail."""
    return {"code": _code(error), "message": message, "detail": _detail(error)}


def _code(error: Exception) -> str:
    if isinstance(error, errors.RegistryError):
        return error.code
    return next(code for kind, code in CODES.items() if isinstance(error, kind))


def _detail(error: Exception) -> object:
    match error:
        case errors.RegistryError():
            return error.detail
        case errors.ConfigurationError():
            return {"key": error.key, "source": error.source, "problem": error.problem}
        case errors.TransportError():
            return {"status": error.code}
        case errors.StorageError():
            return {"driver": error.driver, "path": error.path}
        case errors.ArtifactError() | errors.LoginError():
            return {"path": error.path}
        case errors.SignatureError():
            return {"subject": error.subject, "reasons": error.reasons}
        case errors.ImageError():
            return {"image": error.image}
        case OSError():
            return {"path": error.filename, "errno": errno.errorcode.get(error.errno or 0)}
    return None
