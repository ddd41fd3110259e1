"""Files and folders as OCI artifacts, in the form that oras uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin import offer

if TYPE_CHECKING:
    from udist_plugin.images.pull import Pulled, pull_artifact
    from udist_plugin.images.push import Pushed, Source, push_artifact

__all__ = ["Pulled", "Pushed", "Source", "pull_artifact", "push_artifact"]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Pulled": "images.pull",
        "Pushed": "images.push",
        "Source": "images.push",
        "pull_artifact": "images.pull",
        "push_artifact": "images.push",
    },
)
