"""Values that are looked at and not only counted. Each is taken as it is when it is logged, and encoded by the writer's thread."""

from __future__ import annotations

import json
import os
import struct

from ._overlays import described_boxes, described_classes, mask_bytes, taken_masks
from ._pictures import figure_png, pixels, png


class Media:
    """A rich value: what it shows (`kind`), a small description, and at most one file."""

    kind = ""
    ending = ""
    mime = "application/octet-stream"
    later = None  # a `Later`, where it is still on a device

    def __init__(self, caption=None):
        self.caption = caption

    def settle(self, keep):
        """Comes before the others, on the writer's thread, once `later` is there. Stores files beside its own:
        `keep(data, ending, mime)` gives a file's record."""

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
    """A picture: a path, PNG or JPEG bytes, a PIL image, or an array (height, width) or (height, width, 1, 3 or 4).

    `boxes`, `masks` and `classes` lie on it, in W&B's form.
    """

    kind = "image"
    ending, mime = ".png", "image/png"
    _endings = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
                ".webp": "image/webp", ".svg": "image/svg+xml", ".bmp": "image/bmp"}

    def __init__(self, data, caption=None, boxes=None, masks=None, classes=None, mode=None):
        super().__init__(caption)
        self._more = {}
        if boxes:
            self._more["boxes"] = described_boxes(boxes)
        if classes:
            self._more["classes"] = described_classes(classes)
        self._masks = taken_masks(masks) if masks else {}
        self._data = self._picture = self._pixels = None
        if isinstance(data, (str, os.PathLike)):
            self._from_path(data)
        elif isinstance(data, (bytes, bytearray)):
            self._data = bytes(data)
        elif home_of(data) == "PIL":
            self._picture = data.copy()
        elif home_of(data) == "matplotlib":
            self._data = figure_png(data)
        else:
            self._pixels = pixels(data)

    def settle(self, keep):
        if self._masks:
            found = {}
            for name, (about, data) in self._masks.items():
                file = keep(mask_bytes(data), ".png", "image/png")
                found[name] = {**about, "path": file["path"], "sha256": file["sha256"]}
            self._more["masks"] = found

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
        more = dict(self._more)
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
            self._data = figure_png(figure)
            self.ending, self.mime = ".png", "image/png"

    def encode(self):
        return self._data


def home_of(value):
    return (type(value).__module__ or "").partition(".")[0]
