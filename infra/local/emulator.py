"""The emulator of AWS that `template.yaml` is deployed to, and clients for it."""

import os
import sys

from . import processes
from .console import Problem
from .place import Place
from .processes import Service

REGION = "eu-north-1"
ACCOUNT = "000000000000"
ROOT_KEY, ROOT_SECRET = "local", "local"


def start(place: Place, port: int | None, outbound_exceptions: str) -> None:
    """Starts it; the functions inherit its environment, so that has nothing but what they need."""
    port = processes.free_port(port, preferred=4566)
    scratch = place.path("tmp")
    scratch.mkdir(parents=True, exist_ok=True)
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.defpath,
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        # Each function has the rights of its role, and no more.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "AWS_ENDPOINT_URL": endpoint,
        "OUTBOUND_EXCEPTIONS": outbound_exceptions,
    }
    command = [sys.executable, "-m", "ministack"]
    service = Service("emulator", command, environment, endpoint, "/_ministack/health")
    processes.start(place, service, outbound_exceptions=outbound_exceptions)


def url(place: Place) -> str:
    try:
        return processes.running(place)["emulator"]["url"]
    except KeyError:
        raise Problem("the local stack is not running; start it with `infra/stack up`.") from None


def client(place: Place, service: str):
    """Returns a client that can only reach the emulator, whatever the user's own settings for AWS are."""
    import boto3
    from botocore.config import Config

    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    return boto3.client(
        service, endpoint_url=url(place), region_name=REGION, aws_access_key_id=ROOT_KEY,
        aws_secret_access_key=ROOT_SECRET, config=Config(proxies={}, retries={"max_attempts": 2}),
    )
