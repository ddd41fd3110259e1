"""The stores and images of the tests on syncing."""

from tests.images.syncing.conftest import here, images, there

__all__ = ["here", "images", "there"]
