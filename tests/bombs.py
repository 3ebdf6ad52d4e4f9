"""Small files that would become large."""

import struct
import zipfile
import zlib

_MB = 1024**2


def zeros_zip(megabytes: int, declared: int | None = None) -> bytes:
    """Return a zip with one image of so many megabytes of zeros, made without writing them all.

    `declared`: the size that its directory gives instead.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(_MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    # An empty last block ends the stream.
    data = block * megabytes + b"\x03\x00"
    size = megabytes * _MB if declared is None else declared
    name = b"cat/1.png"
    sizes = struct.pack("<LLL", 0, len(data), size)
    common = struct.pack("<HHHHH", 20, 0, zipfile.ZIP_DEFLATED, 0, 0x21) + sizes
    local = b"PK\x03\x04" + common + struct.pack("<HH", len(name), 0) + name + data
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + common
    entry += struct.pack("<HHHHHLL", len(name), 0, 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(entry), len(local), 0)
    return local + entry + end


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def announced_png(width: int, height: int, *more: bytes) -> bytes:
    """Return a PNG with a header, further chunks, and hardly any pixels."""
    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), *more, _chunk(b"IDAT", zlib.compress(bytes(1000))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + _chunk(b"IEND", b"")


def chunk_bomb(kind: bytes) -> bytes:
    """Return a small PNG with 300 MB of zeros in a compressed chunk beside the pixels."""
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(_MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = head + (packer.compress(bytes(_MB)) + packer.flush(zlib.Z_FULL_FLUSH)) * 299
    return announced_png(8, 8, _chunk(kind, b"name\0\0" + zeros))


def announced_webp(width: int, height: int) -> bytes:
    """Return an animated WebP with a header and no frame."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<L", 10) + b"\x02\0\0\0" + sides
    return b"RIFF" + struct.pack("<L", len(body)) + body
