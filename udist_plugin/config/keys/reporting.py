"""``reporting``: services that distribution 2 reports errors to. Version 3 has none of them."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import NO_EFFECT, Key
from udist_plugin.kinds import Boolean, Secret, Text

KEYS: Final = (
    Key("bugsnag.apikey", Secret(), "", "Bugsnag's key", NO_EFFECT),
    Key("bugsnag.releasestage", Text(), "", "the stage", NO_EFFECT),
    Key("bugsnag.endpoint", Text(), "", "its address", NO_EFFECT),
    Key("newrelic.licensekey", Secret(), "", "New Relic's key", NO_EFFECT),
    Key("newrelic.name", Text(), "", "the application's name", NO_EFFECT),
    Key("newrelic.verbose", Boolean(), False, "more detailed logs", NO_EFFECT),
)
