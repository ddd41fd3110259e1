"""What each kind of file is made of."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.gateway.credential import Credential
    from udist_plugin.gateway.folder import Folder


class Place(NamedTuple):
    """``host`` is the gateway's, with its port. Without a ``credential`` the tools log in themselves.
    ``authority`` is the certificate to trust, in PEM, empty for plain HTTP. ``environ`` says where the user's
    own files are, ``note`` takes a remark for the user."""

    host: str
    credential: Credential | None
    authority: str
    folder: Folder
    environ: Mapping[str, str]
    note: Callable[[str], object]
