"""Puts the template, and the binaries of the functions, where CloudFormation takes them from."""

import copy
import hashlib
import io
import json
import zipfile
from pathlib import Path

from . import template as templates

BUCKET = "artifacts"
TEMPLATE = "template.json"


def package(s3, template: dict, binaries: dict[str, Path]) -> str:
    """Uploads each function's binary, and the template that points to them; returns where that lies."""
    _make_bucket(s3)
    packaged = copy.deepcopy(template)
    for function in templates.functions(packaged).values():
        binary = binaries[templates.package(function)]
        function["CodeUri"] = {"Bucket": BUCKET, "Key": _upload(s3, binary)}
    # In a request, a template may have no more than 51,200 bytes.
    s3.put_object(Bucket=BUCKET, Key=TEMPLATE, Body=json.dumps(packaged).encode())
    return f"{s3.meta.endpoint_url}/{BUCKET}/{TEMPLATE}"


def _make_bucket(s3) -> None:
    try:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass


def digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _upload(s3, binary: Path) -> str:
    # The name follows the content, so that a stack changes when, and only when, a binary has.
    key = f"{digest(binary)}.zip"
    s3.put_object(Bucket=BUCKET, Key=key, Body=_zip(binary))
    return key


def _zip(binary: Path) -> bytes:
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o755 << 16
    archive = io.BytesIO()
    # Stored as it is: the emulator is on this machine, and compressing takes longer than all the rest.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        file.writestr(entry, binary.read_bytes())
    return archive.getvalue()
