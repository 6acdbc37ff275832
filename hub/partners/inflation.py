"""Content-Encoding of answers: inflating what a partner sent, without being blown up by it."""

from __future__ import annotations

import asyncio
import zlib

from routing.errors import NotRoutable, Refusal

STEP = 256 * 1024
"""Bytes inflated between two turns of the event loop."""

_GZIP = zlib.MAX_WBITS | 16
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


async def inflated(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its content encoding, which is gzip, deflate or identity.

    Raises:
        NotRoutable: it is another encoding, no valid data, or more than `most` bytes.
    """
    try:
        match encoding.strip().lower():
            case "" | "identity":
                return body
            case "gzip" | "x-gzip":
                return await _inflated(body, _GZIP, most)
            case "deflate":
                return await _inflated(body, _ZLIB if _has_zlib_header(body) else _RAW, most)
            case _:
                raise NotRoutable(
                    "The receiver's answer has a content encoding the hub does not know", Refusal.NOT_OCPI
                )
    except zlib.error as error:
        raise NotRoutable("The receiver's answer is damaged compressed data", Refusal.NOT_OCPI) from error


async def _inflated(body: bytes, window_bits: int, most: int) -> bytes:
    stream = zlib.decompressobj(window_bits)
    out, left = bytearray(), body
    while not stream.eof:
        piece = stream.decompress(left, STEP)
        out += piece
        if len(out) > most:
            raise NotRoutable(f"The receiver's answer exceeds {most} bytes", Refusal.NOT_OCPI)
        left = stream.unconsumed_tail
        if not (piece or left or stream.eof):
            raise zlib.error("cut off")
        await asyncio.sleep(0)
    if stream.unused_data:
        raise zlib.error("something follows")
    return bytes(out)


def _has_zlib_header(body: bytes) -> bool:
    """Whether the data is as RFC 9110 wants `deflate`; some servers send it without this header."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0  # RFC 1950
