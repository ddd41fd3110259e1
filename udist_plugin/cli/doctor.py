"""``udist doctor``."""

from __future__ import annotations

import os

from udist_plugin.bootstrap.store import driver_of, url_for
from udist_plugin.cli.options import add_config_option, add_json_option
from udist_plugin.cli.output import note, print_json, printable
from udist_plugin.cli.stores import PLACE
from udist_plugin.config.explaining import explain
from udist_plugin.config.files import read_file
from udist_plugin.drivers import step_words
from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.upkeep.checkup import check
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from udist_plugin.config.explaining import Explained
    from udist_plugin.errors import UdistError
    from udist_plugin.storage.upkeep.checkup import Step

_EPILOG = """\
Reads the configuration, then uses the store the way a registry does: connects to
it, and writes, uploads, commits, reads, lists and deletes small files below
docker/registry/v2/udist/scratch. On s3 and oss it also starts and aborts a
multipart upload; on swift it makes a large object, and fetches a temporary URL if
secretkey is set. If storage.maintenance.readonly is enabled, it writes nothing.

examples:
  udist doctor --config config.yml
  REGISTRY_STORAGE=s3 REGISTRY_STORAGE_S3_BUCKET=backups udist doctor --json
"""

_SAID: Final = {
    "reach": "the store responds",
    "write": "small files can be written",
    "upload": "uploads can be started and resumed",
    "commit": "uploads can be committed as blobs",
    "read": "files read back unchanged",
    "list": "folders can be listed",
    "multipart": "large uploads can be sent in parts, listed and aborted",
    "exclusive": "no file is written where another stands, when that is forbidden",
    "redirect": "temporary URLs serve files to callers that follow redirects",
    "delete": "files can be deleted",
}
"""What each step shows; a driver can add words of its own, and a step without any is shown by its name."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    path = arguments.config
    explained = explain(
        read_file(path) if path else None, os.environ, config_name=path or "configuration", on_pipes=True
    )
    configuration = explained.examined.configuration
    if configuration is None:
        raise ConfigurationError.of(explained.problems())
    for message in explained.examined.warnings:
        note(printable(message))
    storage = configuration.storage
    place = _place(explained)
    if not arguments.json:
        where = ", ".join(f"{name} {value}" for name, value in place.items())
        print(printable(f"store   {storage.driver}{where and ': '}{where}"), flush=True)
    try:
        driver = driver_of(configuration)
        url_for(driver, configuration)
    except ConfigurationError as error:
        raise ConfigurationError.of(explained.problems(error)) from error
    driver.start(lambda _, message: note(printable(message)))
    said = {**step_words(driver), **_SAID}
    steps = []
    if not arguments.json:
        print("ok      the configuration is valid")
    for step in check(driver, writing=not storage.maintenance.readonly.enabled):
        steps.append(step)
        if not arguments.json:
            print(printable(_line(step, said)), flush=True)
    failed: UdistError | None = steps[-1].error
    if arguments.json:
        print_json(
            {
                "driver": storage.driver,
                "store": place,
                "steps": [_entry(step) for step in steps],
                "ok": failed is None,
            }
        )
    if isinstance(failed, ConfigurationError):
        raise ConfigurationError.of(explained.problems(failed))
    if failed is not None:
        raise failed


def _place(explained: Explained) -> dict[str, str]:
    """Where the store is: the driver's parameters that say so, by name."""
    section = f"storage.{explained.driver.value}."
    values = {setting.path: setting.shown for setting in explained.settings}
    return {name: values[section + name] for name in PLACE if values.get(section + name)}


def _line(step: Step, said: Mapping[str, str]) -> str:
    verdict = "ok" if step.error is None else "failed"
    return f"{verdict:7} {said.get(step.name, step.name)} ({step.seconds * 1000:.0f} ms)"


def _entry(step: Step) -> dict[str, object]:
    entry: dict[str, object] = {
        "step": step.name,
        "ok": step.error is None,
        "seconds": round(step.seconds, 4),
    }
    return entry if step.error is None else {**entry, "error": str(step.error)}
