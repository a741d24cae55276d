"""Verifies a webhook by Standard Webhooks, and keeps it on a FIFO queue: what `webhooks` is measured beside."""

import base64
import binascii
import hashlib
import hmac
import os
import time

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext

# How far, in seconds, a signature may be from now.
TOLERANCE = 5 * 60

logger = Logger(service="webhooks")
sqs = boto3.client("sqs")
queue_url = os.environ["DYNAMICS365_QUEUE_URL"]
key = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))


@logger.inject_lambda_context
@event_source(data_class=APIGatewayProxyEventV2)
def handler(event: APIGatewayProxyEventV2, context: LambdaContext) -> dict:
    body = (event.decoded_body or "").encode()
    id = verify(event.headers, body)
    if id is None:
        logger.warning("refused a webhook")
        return {"statusCode": 401}
    sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=body.decode(),
        MessageGroupId=event.path_parameters["endpointId"],
        MessageDeduplicationId=id,
    )
    logger.info("kept a webhook", extra={"webhook_id": id})
    return {"statusCode": 202}


def verify(headers, body: bytes) -> str | None:
    """Returns the id of a webhook that is signed, and of now."""
    id, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp")
    signatures = headers.get("webhook-signature")
    if not id or not signatures or not timestamp or not (timestamp.isascii() and timestamp.isdigit()):
        return None
    expected = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signed = False
    for entry in signatures.split(" "):
        version, _, signature = entry.partition(",")
        if version == "v1" and hmac.compare_digest(decoded(signature), expected):
            signed = True
    near = abs(time.time() - int(timestamp)) <= TOLERANCE
    return id if signed and near else None


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
