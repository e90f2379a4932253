"""Values that are looked at and not only counted. Each is taken as it is when it is logged, and encoded by the writer's thread."""

from __future__ import annotations

import json
import math
import os
import struct
import sys
import zlib

BINS_MAX = 512
ROWS_MAX = 100_000


class Media:
    """A rich value: what it shows (`kind`), a small description, and at most one file."""

    kind = ""
    ending = ""
    mime = "application/octet-stream"

    def __init__(self, caption=None):
        self.caption = caption

    def encode(self):
        """The file's bytes, or None; on the writer's thread."""
        return None

    def describe(self):
        """What stands in the point itself."""
        return {"caption": self.caption} if self.caption else {}


class _File(Media):
    """Media that may be given as a path: its bytes are read when it is logged."""

    _endings = {}

    def _from_path(self, path):
        with open(path, "rb") as file:
            self._data = file.read()
        self.ending = os.path.splitext(os.fspath(path))[1].lower()
        self.mime = self._endings.get(self.ending, self.mime)

    def encode(self):
        return self._data


class Image(_File):
    """A picture: a path, PNG or JPEG bytes, a PIL image, or an array (height, width) or (height, width, 1, 3 or 4)."""

    kind = "image"
    ending, mime = ".png", "image/png"
    _endings = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
                ".webp": "image/webp", ".svg": "image/svg+xml", ".bmp": "image/bmp"}

    def __init__(self, data, caption=None, boxes=None, masks=None, classes=None, mode=None):
        super().__init__(caption)
        self._more = {"boxes": boxes, "masks": masks, "classes": classes}
        self._data = self._picture = self._pixels = None
        if isinstance(data, (str, os.PathLike)):
            self._from_path(data)
        elif isinstance(data, (bytes, bytearray)):
            self._data = bytes(data)
        elif _module(data) == "PIL":
            self._picture = data.copy()
        elif _module(data) == "matplotlib":
            self._data = _figure_png(data)
        else:
            self._pixels = _pixels(data)

    def encode(self):
        if self._data is None:
            if self._picture is not None:
                from io import BytesIO

                out = BytesIO()
                self._picture.save(out, "PNG")
                self._data = out.getvalue()
            else:
                self._data = png(*self._pixels)
        return self._data

    def describe(self):
        more = {name: value for name, value in self._more.items() if value is not None}
        if self._pixels is not None:
            more.update(width=self._pixels[0], height=self._pixels[1])
        elif self._picture is not None:
            more.update(width=self._picture.size[0], height=self._picture.size[1])
        return {**super().describe(), **more}


class Audio(_File):
    """Sound: a path, or samples between -1 and 1 (mono, or one column a channel) with their rate."""

    kind = "audio"
    ending, mime = ".wav", "audio/wav"
    _endings = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".flac": "audio/flac"}

    def __init__(self, data, sample_rate=44_100, caption=None):
        super().__init__(caption)
        self.sample_rate = int(sample_rate)
        self._data = self._samples = None
        if isinstance(data, (str, os.PathLike)):
            self._from_path(data)
        elif isinstance(data, (bytes, bytearray)):
            self._data = bytes(data)
        else:
            rows = data.tolist() if hasattr(data, "tolist") else list(data)
            self._channels = len(rows[0]) if rows and isinstance(rows[0], (list, tuple)) else 1
            self._samples = [each for row in rows for each in row] if self._channels > 1 else rows

    def encode(self):
        if self._data is None:
            import io
            import wave

            out = io.BytesIO()
            with wave.open(out, "wb") as file:
                file.setnchannels(self._channels)
                file.setsampwidth(2)
                file.setframerate(self.sample_rate)
                file.writeframes(struct.pack(
                    "<%dh" % len(self._samples),
                    *[int(max(-1.0, min(1.0, float(each))) * 32767) for each in self._samples]))
            self._data = out.getvalue()
        return self._data

    def describe(self):
        return {**super().describe(), "sample_rate": self.sample_rate}


class Video(_File):
    """A film: the path or the bytes of an MP4, WebM or GIF."""

    kind = "video"
    ending, mime = ".mp4", "video/mp4"
    _endings = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif", ".mov": "video/quicktime"}

    def __init__(self, data, caption=None, fps=None, format=None):
        super().__init__(caption)
        self.fps = fps
        if isinstance(data, (str, os.PathLike)):
            self._from_path(data)
        elif isinstance(data, (bytes, bytearray)):
            self._data = bytes(data)
            if format:
                self.ending = "." + format.lstrip(".")
                self.mime = self._endings.get(self.ending, self.mime)
        else:
            raise TypeError("Video takes a path or the bytes of a file, not %s." % type(data).__name__)

    def describe(self):
        return {**super().describe(), **({"fps": self.fps} if self.fps else {})}


class Object3D(_File):
    """A model or a cloud of points: the path of a GLB, OBJ, PLY or STL, or rows of x, y, z (and r, g, b)."""

    kind = "object3d"
    ending, mime = ".json", "application/json"
    _endings = {".glb": "model/gltf-binary", ".gltf": "model/gltf+json", ".obj": "model/obj", ".stl": "model/stl"}

    def __init__(self, data, caption=None):
        super().__init__(caption)
        if isinstance(data, (str, os.PathLike)):
            self._from_path(data)
        else:
            self._data = json.dumps({"points": data.tolist() if hasattr(data, "tolist") else list(data)}).encode()


class Text(Media):
    """Words, as they are or as Markdown."""

    kind = "text"

    def __init__(self, text, caption=None):
        super().__init__(caption)
        self.text = str(text)

    def describe(self):
        return {**super().describe(), "text": self.text[:1 << 20]}


class Html(Media):
    """A page; shown where it can do no harm."""

    kind = "html"
    ending, mime = ".html", "text/html"

    def __init__(self, html, caption=None):
        super().__init__(caption)
        if isinstance(html, os.PathLike) or isinstance(html, str) and html.endswith(".html") and os.path.isfile(html):
            with open(html, encoding="utf-8") as file:
                html = file.read()
        self.html = html

    def encode(self):
        return self.html.encode("utf-8", "replace")


class Figure(Media):
    """A figure of matplotlib (kept as a picture) or Plotly (kept so that it can be turned and zoomed)."""

    kind = "figure"

    def __init__(self, figure, caption=None):
        super().__init__(caption)
        if hasattr(figure, "to_plotly_json"):
            self._data = figure.to_json().encode()
            self.ending, self.mime = ".plotly.json", "application/vnd.plotly.v1+json"
        else:
            # Drawn now: the figure is often cleared right afterwards.
            self._data = _figure_png(figure)
            self.ending, self.mime = ".png", "image/png"

    def encode(self):
        return self._data


class Histogram(Media):
    """How values are spread: the values themselves, or edges and counts (`np_histogram=(counts, edges)`)."""

    kind = "histogram"

    def __init__(self, values=None, bins=64, np_histogram=None, caption=None):
        super().__init__(caption)
        bins = max(1, min(int(bins), BINS_MAX))
        self.skipped = 0
        if np_histogram is not None:
            counts, edges = np_histogram
            self.counts, self.edges = [float(each) for each in counts], [float(each) for each in edges]
            if len(self.counts) > BINS_MAX or len(self.edges) != len(self.counts) + 1:
                raise ValueError("A histogram has at most %d counts and one edge more." % BINS_MAX)
        else:
            self.edges, self.counts, self.skipped = _spread(values, bins)

    def describe(self):
        more = {"not_finite": self.skipped} if self.skipped else {}
        return {**super().describe(), "edges": self.edges, "counts": self.counts, **more}


class Table(Media):
    """Rows and columns: a DataFrame, a dict of columns, a list of dicts, or rows with `columns`."""

    kind = "table"
    ending, mime = ".json", "application/json"

    def __init__(self, data=None, columns=None, rows=None, dataframe=None, caption=None):
        super().__init__(caption)
        data = dataframe if dataframe is not None else rows if rows is not None else data
        if data is None:
            data = []
        if hasattr(data, "columns") and hasattr(data, "to_dict"):
            self.columns = [str(each) for each in data.columns]
            found = zip(*[data[name].tolist() for name in data.columns])
        elif hasattr(data, "keys"):
            self.columns = [str(each) for each in data.keys()]
            found = zip(*[each.tolist() if hasattr(each, "tolist") else list(each) for each in data.values()])
        else:
            found = list(data.tolist() if hasattr(data, "tolist") else data)
            if found and hasattr(found[0], "keys"):
                self.columns = list(columns or dict.fromkeys(str(key) for row in found for key in row))
                found = [[row.get(name) for name in self.columns] for row in found]
            else:
                width = len(found[0]) if found else 0
                self.columns = [str(each) for each in columns] if columns else ["c%d" % n for n in range(width)]
        self.data = [list(row) for row in found]

    def add_data(self, *row):
        """One more row."""
        self.data.append(list(row))

    def encode(self):
        from ._params import plain

        rows = [[plain(each) for each in row] for row in self.data[:ROWS_MAX]]
        return json.dumps({"columns": self.columns, "data": rows}, default=str).encode()

    def describe(self):
        return {**super().describe(), "columns": self.columns, "rows": len(self.data)}


def recognise(value):
    """A rich value as it is, or what a foreign thing is shown as; None when it is nothing of the kind."""
    if isinstance(value, Media):
        return value
    if isinstance(value, str):
        return Text(value)
    module = _module(value)
    if module == "PIL":
        return Image(value)
    if module == "matplotlib":
        return Figure(value.get_figure() if hasattr(value, "get_figure") and not hasattr(value, "savefig") else value)
    if module == "plotly" or hasattr(value, "to_plotly_json"):
        return Figure(value)
    if module in ("pandas", "polars") and hasattr(value, "columns"):
        return Table(value)
    return None


def entry(run, key, value, step, now):
    """What goes into the queue for a rich value; None when it is none. Bytes are copied here, encoded there."""
    media = recognise(value)
    if media is None:
        return None

    def encoded():
        from . import _artifacts

        data = media.encode()
        lines = []
        fields = {"key": key, "kind": media.kind, "v": media.describe()}
        if step is not None:
            fields["step"] = step
        if data is not None:
            stored = _artifacts.store(run._recorder.book.folder, [data])
            stored.settle()
            name = "".join(letter if letter.isalnum() or letter in "-_./" else "_" for letter in key).strip("/.")
            path = "media/%s_%s_%s%s" % (name.replace("..", "_"), step if step is not None else "last",
                                         stored.digest[:8], media.ending)
            lines.append(("artifact", {"path": path, "sha256": stored.digest, "size": stored.size, "type": "media"}))
            fields["files"] = [{"sha256": stored.digest, "size": stored.size, "mime": media.mime, "path": path}]
        return [*lines, ("rich", fields)]

    return "rich", now, encoded


def _module(value):
    return (type(value).__module__ or "").partition(".")[0]


def _figure_png(figure):
    from io import BytesIO

    out = BytesIO()
    figure.savefig(out, format="png", bbox_inches="tight")
    return out.getvalue()


def _pixels(data):
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


def png(width, height, channels, pixels):
    """A PNG file (RFC 2083) of 8-bit grey, RGB or RGBA pixels."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    stride = width * channels
    rows = b"".join(b"\0" + pixels[start:start + stride] for start in range(0, stride * height, stride))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")


def _spread(values, bins):
    """Edges, counts, and how many were not finite."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(values, "dtype"):
        flat = numpy.asarray(values, dtype="float64").ravel()
        good = flat[numpy.isfinite(flat)]
        if not good.size:
            return [0.0, 1.0], [0], int(flat.size)
        counts, edges = numpy.histogram(good, bins=bins)
        return edges.tolist(), counts.tolist(), int(flat.size - good.size)
    flat = [float(each) for each in _leaves(values)]
    good = [each for each in flat if math.isfinite(each)]
    if not good:
        return [0.0, 1.0], [0], len(flat)
    low, high = min(good), max(good)
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = (high - low) / bins
    counts = [0] * bins
    for each in good:
        counts[min(bins - 1, int((each - low) / width))] += 1
    return [low + width * index for index in range(bins)] + [high], counts, len(flat) - len(good)


def _leaves(values):
    if hasattr(values, "tolist"):
        values = values.tolist()
    for each in values if isinstance(values, (list, tuple)) else [values]:
        if isinstance(each, (list, tuple)):
            yield from _leaves(each)
        else:
            yield each
