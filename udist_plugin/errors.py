"""Every error udist raises, one tree.

UdistError
├── RegistryError            an answer of the registry: a code of the distribution-spec
│   ├── BlobUnknown  BlobUploadInvalid  BlobUploadUnknown  DigestInvalid  ManifestBlobUnknown
│   ├── ManifestInvalid  ManifestTooLarge  NameInvalid  NameUnknown
│   ├── PaginationInvalid  RangeInvalid  SizeInvalid  TagInvalid
│   ├── ManifestUnknown
│   │   └── LeaseUnknown     an owner has no such lease
│   ├── Denied  Unauthorized  Unsupported  TooManyRequests
│   └── Unavailable
│       └── UpstreamFailed  UpstreamTimeout    the registry behind this one
├── StorageError             a storage driver could not do what was asked
│   ├── PathNotFound  InvalidPath  InvalidOffset  PathBusy  StorageUnavailable  StorageFull
│   └── FileTooLarge
├── ConfigurationError       key path, source, what was expected
│   └── PolicyInvalid        a signature policy file that cannot be followed
├── ArtifactError            files that cannot become an artifact, or an artifact that cannot become files
│   ├── SourceInvalid        a file or folder that cannot be pushed as it is
│   └── NoFiles              an artifact or image that holds no named files
├── ImageError               an image cannot be read, written or copied as asked
│   ├── ReferenceInvalid     no transport:reference
│   ├── ImageUnknown         there is no such image in a layout or archive
│   ├── ImageAmbiguous       several images fit
│   ├── PlatformUnknown      the image is not there for a platform
│   ├── LayoutInvalid        a folder or archive that is not what it should be
│   └── DigestChanged        the copy would have another digest
├── SignatureError           an image cannot be signed, or is not to be trusted
│   ├── KeyInvalid           a file that holds no usable key, or a wrong password
│   ├── NotSigned            no signature by the key that fits the image
│   └── PolicyRejected       the policy does not allow the image
│       └── PolicyUnsupported    it asks for what udist cannot verify
├── LoginError               a login cannot be kept or forgotten
├── ProtocolError            a peer, or this side, broke the frame protocol
│   ├── LocalProtocolError
│   └── RemoteProtocolError
│       └── VersionMismatch
└── TransportError           an exchange failed below HTTP: a gRPC status code
    ├── PluginNotFound       nothing to spawn
    ├── PluginNotStarted     no descriptors, threads or memory to spawn it with
    ├── HandshakeFailed      spawned, but not a plugin, or one that refused
    ├── PluginDied           exit status and the last lines of stderr
    ├── PluginForked         it belongs to the process that forked this one
    ├── StreamReset          the peer ended one exchange
    ├── RedirectFailed       the store that has the content did not give it
    ├── DeadlineExceeded     its time was over
    │   └── NoFreeSlot       while it waited for a slot; nothing was sent
    └── Cancelled            by this side
"""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class UdistError(Exception):
    """Base of every error of this package."""


class RegistryError(UdistError):
    """An error answer of a registry.

    ``code`` is the distribution-spec's error code and the class attribute ``message`` is
    distribution's own sentence for it, which users match on. ``detail`` is any JSON value, ``also``
    further errors of the same answer. ``retry_after`` is in how many seconds the same may succeed, if that is
    known.
    """

    code = "UNKNOWN"
    message = "unknown error"
    also: tuple[RegistryError, ...] = ()
    retry_after: int | None = None

    def __init__(self, detail: object = None, message: str | None = None) -> None:
        if message is not None:
            self.message = message
        self.detail = detail
        super().__init__(self.message if detail is None else f"{self.message}: {detail}")


class BlobUnknown(RegistryError):
    code = "BLOB_UNKNOWN"
    message = "blob unknown to registry"


class BlobUploadInvalid(RegistryError):
    code = "BLOB_UPLOAD_INVALID"
    message = "blob upload invalid"


class BlobUploadUnknown(RegistryError):
    code = "BLOB_UPLOAD_UNKNOWN"
    message = "blob upload unknown to registry"


class DigestInvalid(RegistryError):
    code = "DIGEST_INVALID"
    message = "provided digest did not match uploaded content"


class ManifestBlobUnknown(RegistryError):
    code = "MANIFEST_BLOB_UNKNOWN"
    message = "blob unknown to registry"


class ManifestInvalid(RegistryError):
    code = "MANIFEST_INVALID"
    message = "manifest invalid"


class ManifestTooLarge(RegistryError):
    """The manifest exceeds the size limit (HTTP 413)."""

    code = "SIZE_INVALID"
    message = "manifest too large"


class ManifestUnknown(RegistryError):
    code = "MANIFEST_UNKNOWN"
    message = "manifest unknown"


class LeaseUnknown(ManifestUnknown):
    """Nobody has a lease on the manifest, or not this owner; or the owner has none at all."""

    message = "no such lease"


class NameInvalid(RegistryError):
    code = "NAME_INVALID"
    message = "invalid repository name"


class NameUnknown(RegistryError):
    code = "NAME_UNKNOWN"
    message = "repository name not known to registry"


class PaginationInvalid(RegistryError):
    code = "PAGINATION_NUMBER_INVALID"
    message = "invalid number of results requested"


class RangeInvalid(RegistryError):
    code = "RANGE_INVALID"
    message = "invalid content range"


class SizeInvalid(RegistryError):
    code = "SIZE_INVALID"
    message = "provided length did not match content length"


class TagInvalid(RegistryError):
    code = "TAG_INVALID"
    message = "manifest tag did not match URI"


class Denied(RegistryError):
    code = "DENIED"
    message = "requested access to the resource is denied"


class Unauthorized(RegistryError):
    code = "UNAUTHORIZED"
    message = "authentication required"


class Unsupported(RegistryError):
    code = "UNSUPPORTED"
    message = "The operation is unsupported."


class TooManyRequests(RegistryError):
    code = "TOOMANYREQUESTS"
    message = "too many requests"


class Unavailable(RegistryError):
    code = "UNAVAILABLE"
    message = "service unavailable"


class UpstreamFailed(Unavailable):
    """The registry that this one is a cache of cannot be reached, or answers wrongly (HTTP 502)."""

    message = "the upstream registry failed"


class UpstreamTimeout(Unavailable):
    """The registry that this one is a cache of does not answer in time (HTTP 504)."""

    message = "the upstream registry did not answer in time"


class StorageError(UdistError):
    """A storage driver failed: ``driver`` and ``path`` name what, the message why."""

    def __init__(self, message: str, *, driver: str = "", path: str = "") -> None:
        self.driver = driver
        self.path = path
        where = ": ".join(part for part in (driver, path) if part)
        super().__init__(f"{where}: {message}" if where else message)


class PathNotFound(StorageError):
    """Nothing stands at the path."""


class InvalidPath(StorageError):
    """The path is not absolute and canonical, or a file is in the place of a folder."""


class InvalidOffset(StorageError):
    """The offset lies outside the file."""


class PathBusy(StorageError):
    """Another writer holds the file and does not let go."""


class StorageUnavailable(StorageError):
    """The store does not answer, or not now (throttled, overloaded); the same may succeed a while later."""


class StorageFull(StorageError):
    """The store has no room left (ENOSPC, EDQUOT)."""


class FileTooLarge(StorageError):
    """A file that is read whole has more bytes than belong there."""


class ConfigurationError(UdistError):
    """A configuration value is wrong.

    ``key`` is the dotted path (``storage.filesystem.rootdirectory``), ``source`` where it came from
    (``config.yml:12``, ``REGISTRY_LOG_LEVEL``, ``default``), ``problem`` what is wrong and expected.
    ``also`` are the other errors of the same configuration; the text of the error has a line for each.
    """

    def __init__(
        self, problem: str, *, key: str = "", source: str = "", also: Sequence[ConfigurationError] = ()
    ) -> None:
        self.key = key
        self.source = source
        self.problem = problem
        self.also = tuple(also)
        where = f"{key} ({source})" if key and source else key or source
        self.line = f"{where}: {problem}" if where else problem
        super().__init__("\n".join([self.line, *map(str, self.also)]))

    @classmethod
    def of(cls, errors: Sequence[ConfigurationError]) -> ConfigurationError:
        """All of ``errors`` as one: the first, with the others in ``also``."""
        first, *others = errors
        return cls(first.problem, key=first.key, source=first.source, also=others)


class PolicyInvalid(ConfigurationError):
    """A signature policy file is missing, cannot be read, or is wrong at ``key``."""


class ArtifactError(UdistError):
    """Files cannot be packed as an artifact, or an artifact's cannot be put where they were asked for.

    ``path`` is the file, folder or archive entry at fault, the message why.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        self.path = path
        super().__init__(f"{path}: {message}" if path else message)


class SourceInvalid(ArtifactError):
    """A file or folder cannot be pushed as it is.

    ``also`` are the others of the same push; the text of the error has a line for each.
    """

    def __init__(self, message: str, *, path: str = "", also: Sequence[SourceInvalid] = ()) -> None:
        super().__init__(message, path=path)
        self.message = message
        self.also = tuple(also)
        self.line = str(self)
        self.args = ("\n".join([self.line, *map(str, self.also)]),)

    @classmethod
    def of(cls, errors: Sequence[SourceInvalid]) -> SourceInvalid:
        """All of ``errors`` as one: the first, with the others in ``also``."""
        first, *others = errors
        return cls(first.message, path=first.path, also=others)


class NoFiles(ArtifactError):
    """A manifest has no layer with a file name, as those of container images: there is nothing to pull."""


class ImageError(UdistError):
    """An image cannot be read, written or copied as asked.

    ``image`` is the reference or the part of it at fault, the message why.
    """

    def __init__(self, message: str, image: str = "") -> None:
        self.image = image
        super().__init__(f"{image}: {message}" if image else message)


class ReferenceInvalid(ImageError):
    """A text is no reference, or no transport is registered for it."""


class ImageUnknown(ImageError):
    """A layout or archive has no such image, or there is none at all."""


class ImageAmbiguous(ImageError):
    """Several images fit; the message lists them."""


class PlatformUnknown(ImageError):
    """The image is not there for a platform; the message lists those that are."""


class LayoutInvalid(ImageError):
    """A folder or archive is not what its transport expects, or was cut short."""


class DigestChanged(ImageError):
    """The copy would have another digest than its source, and was to keep it."""


class SignatureError(UdistError):
    """An image cannot be signed, or is not to be trusted.

    ``subject`` is the image or the file at fault, the message why. ``reasons`` says it for each signature.
    """

    def __init__(self, message: str, subject: str = "", reasons: Sequence[str] = ()) -> None:
        self.subject = subject
        self.reasons = tuple(reasons)
        super().__init__(f"{subject}: {message}" if subject else message)


class KeyInvalid(SignatureError):
    """A file holds no key of a kind that is supported, or cannot be decrypted with the password."""


class NotSigned(SignatureError):
    """No signature of the image was made by the key, for this content and for the identity that is asked
    for."""


class PolicyRejected(SignatureError):
    """A requirement of the signature policy is not met."""


class PolicyUnsupported(PolicyRejected):
    """A requirement of the signature policy cannot be verified by udist, so the image is rejected."""


class LoginError(UdistError):
    """A login cannot be kept or forgotten: ``path`` is the file at fault."""

    def __init__(self, message: str, path: str) -> None:
        self.path = path
        super().__init__(f"{path}: {message}")


class ProtocolError(UdistError):
    """The frame protocol was broken; the connection cannot go on."""


class LocalProtocolError(ProtocolError):
    """This side tried to send what its state does not allow: a bug in the code that drives it."""


class RemoteProtocolError(ProtocolError):
    """The peer sent what the protocol does not allow."""


class VersionMismatch(RemoteProtocolError):
    """The peer speaks no version of the protocol that this side does."""


class TransportError(UdistError):
    """An exchange failed below HTTP.

    ``code`` is a gRPC status code by name (``UNAVAILABLE``); ``retryable`` is true when repeating the
    request cannot do anything twice, because the application never saw it.
    """

    code = "UNKNOWN"
    retryable = False

    def __init__(self, message: str, *, code: str | None = None, retryable: bool | None = None) -> None:
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable
        super().__init__(message)


class PluginNotFound(TransportError):
    """There is no such command to spawn; the message says what to install."""

    code = "NOT_FOUND"


class PluginNotStarted(TransportError):
    """This process has no descriptors, threads or memory left to start the plugin with; it may have later."""

    code = "RESOURCE_EXHAUSTED"
    retryable = True


class HandshakeFailed(TransportError):
    """The command started but is not a plugin, speaks no common version, or refused its configuration."""

    code = "FAILED_PRECONDITION"


class PluginDied(TransportError):
    """The plugin is gone. ``status`` is the exit status (negative: a signal), ``stderr`` its last lines.

    A request may be repeated then, but for a POST or PATCH that the plugin may have seen: the upload's
    status tells what became of it.
    """

    code = "UNAVAILABLE"
    retryable = True

    def __init__(
        self, message: str, *, status: int | None = None, stderr: str = "", retryable: bool = True
    ) -> None:
        self.status = status
        self.stderr = stderr
        super().__init__(message, retryable=retryable)


class PluginForked(TransportError):
    """The plugin belongs to the process that forked this one: each process has to start its own."""

    code = "FAILED_PRECONDITION"


class StreamReset(TransportError):
    """The peer ended this exchange before it was complete."""


class RedirectFailed(TransportError):
    """The store that the plugin has redirected to could not be reached, or did not give the content."""

    code = "UNAVAILABLE"
    retryable = True


class DeadlineExceeded(TransportError):
    """The time allowed for the exchange passed before it ended."""

    code = "DEADLINE_EXCEEDED"


class NoFreeSlot(DeadlineExceeded):
    """All of the plugin's slots stayed in use: nothing was sent. Responses that are neither read nor closed
    hold one each."""

    code = "RESOURCE_EXHAUSTED"
    retryable = True


class Cancelled(TransportError):
    """The exchange was cancelled by this side."""

    code = "CANCELLED"
