"""``copy_image`` and ``sync_images`` for tests that are not about policies: whatever image is accepted."""

from __future__ import annotations

from functools import partial

from udist_plugin.images.copying import copy
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.syncing import sync

copy_image = partial(copy.copy_image, policy=Policy.accepting_anything())
sync_images = partial(sync.sync_images, policy=Policy.accepting_anything())
