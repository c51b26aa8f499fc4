"""A real identity platform (OpenID Connect) as a process of its own, which knows the people it is told."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from xinzheng.core.identity_platforms import ClaimNames, IdentityPlatform

STARTS_WITHIN = 15


@contextmanager
def identity_provider(*people: dict[str, Any]) -> Iterator[str]:
    """Its address; each person is a dictionary of claims with ``sub``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Its libraries warn of their own future, which would be an error in this process.
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for person in people:
        command += ["--user-claims", json.dumps(person)]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        url = f"http://localhost:{port}"
        _wait_for(f"{url}/.well-known/openid-configuration")
        yield url
    finally:
        process.terminate()
        process.wait()


def platform_at(url: str, platform_id: str, name: str, **options: Any) -> IdentityPlatform:
    """The installation's entry for a provider at this address."""
    claims = ClaimNames(
        number="id_number",
        name="name",
        phone="phone_number",
        organisation="uscc",
        representative="is_representative",
        verified="level",
        verified_is=("L3",),
    )
    given = {
        "vouches_for_identity": True,
        "origins": (url,),
        "claims": claims,
        "scopes": ("openid", "profile", "phone"),
    }
    return IdentityPlatform(platform_id, name, url, "xinzheng", "a-secret-of-the-tests", **(given | options))


def _wait_for(address: str) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
