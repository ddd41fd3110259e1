"""A key that is said to work is read where it works: nothing is silently ignored."""

from __future__ import annotations

import re

import pytest

from tests.house.generate import REPOSITORY
from udist_plugin.config.aliases import ALIASES
from udist_plugin.config.keys import all_keys
from udist_plugin.keys import WORKS


@pytest.mark.parametrize(
    ("section", "reader", "written"),
    [
        ("storage.azure", "drivers/azure/settings.py", r"['\".]{}['\"]"),
        ("storage.fsspec", "drivers/fsspec/settings.py", r"['\"]{}['\"]"),
        ("storage.gcs", "drivers/gcs/settings.py", r"['\"]{}['\"]"),
        ("storage.oss", "drivers/oss/settings.py", r"['\"]{}['\"]"),
        ("storage.s3", "drivers/s3/settings.py", r"['\"]{}['\"]"),
        ("redis", "bootstrap/store.py", r"redis\.(tls\.)?{}\b"),
    ],
)
def test_who_reads_a_section_reads_every_key_that_works(section: str, reader: str, written: str) -> None:
    readers = (reader, "drivers/section.py")  # which reads what all drivers have
    source = "".join((REPOSITORY / "udist_plugin" / each).read_text() for each in readers)
    whole = {"storage.fsspec.options", "storage.gcs.credentials"}  # handed on as it is
    known = {old for old, _ in ALIASES} | {"redis.tls.enabled"}
    unread = []
    for key in all_keys():
        above, _, name = key.path.removesuffix("[]").rpartition(".")
        if key.status is WORKS and f"{above}.".startswith(f"{section}.") and above not in whole:
            unread += [key.path] if not re.search(written.format(name), source) else []
    assert set(unread) <= known


@pytest.mark.parametrize(
    ("section", "names"),
    [
        (
            "auth.token",
            "realm service issuer rootcertbundle jwks signingalgorithms[] autoredirect autoredirectpath",
        ),
        (
            "middleware.storage[].options",
            "baseurl privatekey keypairid duration ipfilteredby awsregion updatefrequency updatefrenquency "
            "iprangesurl scheme host trimpathprefix",
        ),
        (
            "storage.oss",
            "accesskeyid accesskeysecret region bucket endpoint internal encrypt secure chunksize "
            "rootdirectory",
        ),
        (
            "storage.swift",
            "username password authurl authversion tenant tenantid domain domainid tenantdomain "
            "tenantdomainid trustid region container prefix endpointtype insecureskipverify chunksize "
            "secretkey accesskey tempurlcontainerkey tempurlmethods[]",
        ),
        ("storage.azure", "copy_status_poll_max_retry copy_status_poll_delay"),
        ("notifications.events", "includereferences"),
    ],
)
def test_every_parameter_that_distribution_s_sources_read_is_listed(section: str, names: str) -> None:
    assert {f"{section}.{name}" for name in names.split()} <= {key.path for key in all_keys()}
