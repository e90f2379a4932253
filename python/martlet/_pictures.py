"""Arrays and figures as PNG, with nothing but the standard library."""

from __future__ import annotations

import struct
import zlib


def figure_png(figure):
    from io import BytesIO

    out = BytesIO()
    figure.savefig(out, format="png", bbox_inches="tight")
    return out.getvalue()


def pixels(data):
    """Width, height, channels and bytes of an array; floats are taken to be between 0 and 1."""
    if hasattr(data, "detach"):
        data = data.detach().cpu()
        if data.dim() == 3 and data.shape[0] in (1, 3, 4) and data.shape[2] not in (1, 3, 4):
            data = data.permute(1, 2, 0)
        data = data.numpy()
    shape = getattr(data, "shape", None)
    if shape is None:
        rows = [list(row) for row in data]
        shape = (len(rows), len(rows[0]))
        flat = [each for row in rows for each in row]
        is_float = any(isinstance(each, float) for each in flat)
        return shape[1], shape[0], 1, bytes(
            max(0, min(255, int(each * 255 if is_float else each))) for each in flat)
    if len(shape) not in (2, 3) or len(shape) == 3 and shape[2] not in (1, 3, 4):
        raise TypeError("An image is (height, width) or (height, width, 1, 3 or 4), not %s." % (tuple(shape),))
    if data.dtype.kind == "f":
        data = (data.clip(0, 1) * 255).astype("uint8")
    elif data.dtype.kind == "b":
        data = data.astype("uint8") * 255
    else:
        data = data.clip(0, 255).astype("uint8")
    return int(shape[1]), int(shape[0]), int(shape[2]) if len(shape) == 3 else 1, data.tobytes()


def class_numbers(data):
    """Width, height, 1 and bytes of a mask: one class, 0 to 255, for each pixel."""
    if hasattr(data, "detach"):
        data = data.detach().cpu().numpy()
    if hasattr(data, "astype"):
        if data.ndim != 2 or not data.size:
            raise ValueError("A mask is (height, width), with one class number for each pixel; not %s." % (tuple(data.shape),))
        _check_classes(int(data.min()), int(data.max()))
        return int(data.shape[1]), int(data.shape[0]), 1, data.astype("uint8").tobytes()
    if hasattr(data, "tolist"):
        data = data.tolist()
    rows = [[int(each) for each in row] for row in data]
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("A mask is (height, width), with one class number for each pixel.")
    _check_classes(min(map(min, rows)), max(map(max, rows)))
    return len(rows[0]), len(rows), 1, b"".join(map(bytes, rows))


def _check_classes(least, greatest):
    if least < 0 or greatest > 255:
        raise ValueError("The classes of a mask are 0 to 255, not %d." % (least if least < 0 else greatest))


def png(width, height, channels, pixels):
    """A PNG file (RFC 2083) of 8-bit grey, RGB or RGBA pixels."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    stride = width * channels
    rows = b"".join(b"\0" + pixels[start:start + stride] for start in range(0, stride * height, stride))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")
