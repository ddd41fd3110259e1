"""Configuration: distribution's ``version: 0.1`` file and its ``REGISTRY_*`` variables, typed."""

from udist_plugin.config.examining import Examined, examine
from udist_plugin.config.loading import Loaded, load
from udist_plugin.config.model import Configuration

__all__ = ["Configuration", "Examined", "Loaded", "examine", "load"]
