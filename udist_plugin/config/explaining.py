"""A configuration key by key: what each is worth, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.config.driver import DEFAULT_DRIVER, default_root
from udist_plugin.config.examining import Examined, examine
from udist_plugin.config.nodes import Node, is_null
from udist_plugin.config.reading import Reader
from udist_plugin.config.schema import STORAGE_SETTINGS
from udist_plugin.drivers import problems
from udist_plugin.errors import ConfigurationError
from udist_plugin.keys import WORKS, Key
from udist_plugin.kinds import Anything, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = "default"
_DRIVER = Key("storage", Text(), DEFAULT_DRIVER, "the storage driver; its parameters go below its name")


class Setting(NamedTuple):
    """``path`` with its indexes and names; ``source`` is a file's line, a variable, or ``default``."""

    path: str
    value: object
    source: str
    key: Key

    @property
    def shown(self) -> str:
        """The value as one writes it; a secret is not shown."""
        return self.key.kind.show(self.value)


class Explained(NamedTuple):
    """What is said of a configuration, the driver, and the keys that have a value."""

    examined: Examined
    driver: Setting
    settings: list[Setting]

    def problems(self, *met: ConfigurationError) -> list[ConfigurationError]:
        """Everything that is wrong, as far as this machine can tell: no store is asked. ``met`` is what those
        met who opened parts of it."""
        found, section = list(self.examined.errors), self.examined.section
        of_driver = problems(section.driver, section.parameters) if section else []
        for error in [*of_driver, *met]:
            if error.key not in {other.key for other in found}:
                found.append(self._located(error))
        return found

    def _located(self, error: ConfigurationError) -> ConfigurationError:
        """A driver's error with the line or variable of its key; a missing key gets that of the section."""
        sources = {setting.path: setting.source for setting in self.settings}
        source = error.source or sources.get(error.key, self.driver.source)
        return ConfigurationError(error.problem, key=error.key, source=source)


def explain(
    config: str | Mapping[str, object] | None,
    environ: Mapping[str, str],
    *,
    config_name: str = "configuration",
    on_pipes: bool = False,
) -> Explained:
    """As ``load``, with every value: those that were given, and the defaults that hold beside them; and with
    the errors listed instead of raised."""
    recorder = _Recorder(environ, on_pipes=on_pipes)
    examined = examine(config, environ, config_name=config_name, reader=recorder)
    driver = Setting("storage", *recorder.driver, _DRIVER)
    settings = [setting for setting in recorder.settings if _counts(setting, recorder.driver[0])]
    return Explained(examined, driver, settings)


class _Recorder(Reader):
    """Notes every key it reads."""

    def __init__(self, environ: Mapping[str, str], *, on_pipes: bool) -> None:
        super().__init__(on_pipes=on_pipes)
        self._environ = environ
        self.settings: list[Setting] = []
        self.driver = (DEFAULT_DRIVER, DEFAULT)

    def chosen(self, driver: str, source: str) -> None:
        self.driver = (driver, source)

    def _key(self, key: Key, node: Node | None, path: str, above: str) -> object:
        value = super()._key(key, node, path, above)
        source = DEFAULT if node is None or is_null(node) else node.source
        unset = path == "storage.filesystem.rootdirectory" and value is None
        shown = default_root(self._environ) if unset else value
        self.settings.append(Setting(path, shown, source, key))
        return value


def _counts(setting: Setting, driver: str) -> bool:
    """Whether it has a value here: keys that nobody set, and the defaults of other drivers, have none."""
    if setting.source != DEFAULT:
        return not isinstance(setting.key.kind, Anything)
    names = setting.path.split(".")
    other = names[0] == "storage" and names[1] not in STORAGE_SETTINGS and names[1] != driver
    return setting.value is not None and setting.key.status is WORKS and not other
