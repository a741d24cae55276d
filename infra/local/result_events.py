"""Reads the result events that the service put on the bus."""

import json
import time

from . import deploy, emulator
from .place import Place


def take(place: Place, seconds: float = 5) -> list[dict]:
    """Takes what has arrived, waiting some seconds for the first."""
    sqs = emulator.client(place, "sqs")
    queue = deploy.outputs(place)["ResultEventsQueue"]
    until = time.monotonic() + seconds
    events: list[dict] = []
    while True:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            events.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        if not messages and (events or time.monotonic() > until):
            return events
        if not messages:
            time.sleep(0.2)
