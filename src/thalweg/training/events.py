"""What TensorBoard reads: records of events, as the package tensorboardX makes them.

That package writes them in a thread of its own. Where a disk is full the thread ends,
and whoever adds to its queue waits for ever; so they are written by `GrowingFile`.

Source: https://www.tensorflow.org/tutorials/load_data/tfrecord
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

proto: Any = import_module("tensorboardX.proto.event_pb2")
record_writer: Any = import_module("tensorboardX.record_writer")
summary: Any = import_module("tensorboardX.summary")

VERSION = "brain.Event:2"


def file_name() -> str:
    """Of a file that begins now; TensorBoard finds those with such a name."""
    return f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}"


def purge(step: int) -> bytes:
    """The beginning of a file that takes the place of all others from a step on."""
    start = proto.SessionLog(status=proto.SessionLog.START)
    return record(file_version=VERSION) + record(step=step, session_log=start)


def numbers(values: Mapping[str, float], step: int) -> bytes:
    """The numbers of a step by their tags."""
    return b"".join(
        record(step=step, summary=summary.scalar(tag, value))
        for tag, value in values.items()
    )


def record(**fields: Any) -> bytes:
    """An event: its length and its bytes, each with a checksum."""
    event = proto.Event(wall_time=time.time(), **fields)
    data: bytes = event.SerializeToString()
    return checked(struct.pack("<Q", len(data))) + checked(data)


def checked(data: bytes) -> bytes:
    """Bytes and their checksum."""
    return data + struct.pack("<I", record_writer.masked_crc32c(data))
