"""Frames in a file: four bytes of length, four of CRC-32, and the payload; a torn last one is never mistaken."""

import io
import zlib
from collections.abc import Iterator


def write_frame(file: io.FileIO, payload: bytes) -> int:
    """Hand one frame to the operating system, whole; answers its size in bytes."""
    frame = len(payload).to_bytes(4, "big") + zlib.crc32(payload).to_bytes(4, "big") + payload
    size = file.write(frame)
    while size < len(frame):
        size += file.write(frame[size:])
    return len(frame)


def read_frames(content: bytes) -> Iterator[bytes]:
    """Whole frames from the start; stops at the first that is torn."""
    position = 0
    while position + 8 <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        crc = int.from_bytes(content[position + 4 : position + 8], "big")
        payload = content[position + 8 : position + 8 + length]
        if len(payload) != length or zlib.crc32(payload) != crc:
            return
        yield payload
        position += 8 + length
