"""What signs requests to S3: the section's credentials, or those that the SDK finds within bounds."""

from __future__ import annotations

import os
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.s3.client import (
    BotoCoreError,
    ClientError,
    CoreSession,
    CredentialResolver,
    ProfileNotFound,
    Session,
)
from udist_plugin.drivers.s3.times import read_times
from udist_plugin.drivers.section import is_printable
from udist_plugin.errors import ConfigurationError
from udist_plugin.redaction import shown

if TYPE_CHECKING:
    from botocore.credentials import Credentials

    from udist_plugin.drivers.s3.settings import Settings

FINDING: Final = 20.0
"""Seconds in which credentials are found: a token service or a ``credential_process`` may never answer."""
REGION: Final = "us-east-1"
"""Of a service that is not Amazon's, unless a region is named."""


class _Resolver(CredentialResolver):
    """botocore's, which says whom it asks."""

    asked = ""

    def load_credentials(self) -> Credentials | None:
        for provider in self.providers:
            self.asked = str(provider.METHOD)
            found: Credentials | None = provider.load()
            if found is not None:
                return found
        return None


def open_session(settings: Settings, *, find: bool = True) -> Session:
    """With the section's credentials, else what the SDK finds: the environment, shared files, a web identity,
    the machine's metadata. With none, requests say so. Without ``find`` nobody is asked yet.

    Raises ``ConfigurationError`` without a region, profile or file that is there, and where whoever should
    give credentials fails or does not answer.
    """
    core = CoreSession(profile=settings.profile or None)
    read_times(core)
    file = settings.credentials_file
    if file:
        if not os.path.isfile(file):
            raise ConfigurationError(f"there is no file {file}", key="storage.s3.credentialsconfigpath")
        core.set_config_variable("credentials_file", file)
    try:
        if file:
            # Who names a profile is not given the environment's credentials; who names a file shall not be.
            core.set_config_variable("profile", core.profile or "default")
        _choose_region(core, settings)
        session = Session(
            aws_access_key_id=settings.access_key or None,
            aws_secret_access_key=settings.secret_key or None,
            aws_session_token=settings.session_token or None,
            botocore_session=core,
        )
        if find and not settings.access_key:
            _find(core, settings.bucket)
    except ProfileNotFound as error:
        where = f" (in {file})" if file else ""
        raise ConfigurationError(f"{error}{where}", key="udist.s3.profile") from error
    except BotoCoreError as error:
        key = "storage.s3.credentialsconfigpath" if file else "storage.s3"
        raise ConfigurationError(shown(error), key=key) from error
    return session


def _choose_region(core: CoreSession, settings: Settings) -> None:
    """For token services, too."""
    region = settings.region or core.get_config_variable("region") or (REGION if settings.endpoint else "")
    if not region:
        raise ConfigurationError("is missing: the bucket's region", key="storage.s3.region")
    core.set_config_variable("region", region)


def _find(core: CoreSession, bucket: str) -> None:
    """Lets ``core`` have its credentials, in a thread that is left behind where it does not end."""
    resolver = _Resolver(core.get_component("credential_provider").providers)
    core.register_component("credential_provider", resolver)
    outcome: Future[None] = Future()

    def find() -> None:
        try:
            if (found := core.get_credentials()) is not None:
                _check(*found.get_frozen_credentials()[:3], method=resolver.asked)
            outcome.set_result(None)
        except BaseException as error:
            outcome.set_exception(error)

    Thread(target=find, name="udist-s3-credentials", daemon=True).start()
    try:
        outcome.result(FINDING)
    except ProfileNotFound:
        raise
    except (BotoCoreError, ClientError, OSError) as error:
        problem = f"it did not answer within {FINDING:g} s" if not outcome.done() else shown(error)
        raise ConfigurationError(
            f"no credentials for the bucket {bucket} from {resolver.asked}: {problem}. Correct that, or set "
            "accesskey and secretkey, credentialsconfigpath, or udist.s3.profile",
            key="storage.s3.accesskey",
        ) from error


def _check(access_key: str | None, secret_key: str | None, token: str | None, *, method: str) -> None:
    for key, value in (("accesskey", access_key), ("secretkey", secret_key), ("sessiontoken", token)):
        if not is_printable(value or ""):
            problem = f"the value from {method} contains a line break or another control character: remove it"
            raise ConfigurationError(problem, key=f"storage.s3.{key}")
