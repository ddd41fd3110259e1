"""Checks a client of the protocol in any language: plays the plugin, good and bad, against a driver of it.

    python -m udist_plugin.testing.callers -- COMMAND...

``udist help callers`` describes the driver.
"""
