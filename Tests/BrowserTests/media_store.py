"""What the pages of media are looked at with: two runs as the Python package logs them, and files of every kind."""

import json
import math
import os
import struct
import sys
from pathlib import Path

from store import call, picture, put

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
os.environ.update(MARTLET_QUIET="1", MARTLET_CAPTURE="none")
import martlet  # noqa: E402

from parquet_files import FILES  # noqa: E402

SIZE = 24
CLASSES = {0: "sky", 1: "road", 2: "car"}
# The classes of the masks: the lower half is road, a block in it is car.
MASK = [[2 if 14 <= y < 20 and 4 <= x < 10 else 1 if y >= 12 else 0 for x in range(SIZE)] for y in range(SIZE)]


def street(number, step):
    boxes = [
        {"position": {"minX": 4, "minY": 14, "maxX": 10, "maxY": 20}, "domain": "pixel", "class_id": 2, "box_caption": "car 0.9",
         "scores": {"confidence": 0.9}},
        {"position": {"middle": [0.75, 0.5], "width": 0.25, "height": 0.25}, "class_id": 3, "scores": {"confidence": 0.4}}]
    return martlet.Image(
        [[min(255, 100 * number + step // 2 + 3 * x) for x in range(SIZE)] for y in range(SIZE)], caption=f"sample {number}",
        boxes={"predictions": {"box_data": boxes, "class_labels": {2: "car", 3: "truck"}}},
        masks={"truth": {"mask_data": MASK, "class_labels": CLASSES}})


class Plotly:
    """What Plotly's figures are to the Python package."""

    def to_plotly_json(self):
        return json.loads(self.to_json())

    def to_json(self):
        # Plotly 6 packs arrays of numbers: here 1, 4 and 9.
        packed = {"dtype": "f8", "bdata": "AAAAAAAA8D8AAAAAAAAQQAAAAAAAACJA"}
        return json.dumps({"data": [{"type": "scatter", "name": "squares", "x": [1, 2, 3], "y": packed}, {"type": "pie", "values": [1]}],
                           "layout": {"title": {"text": "Growth"}}})


def fill_media(address):
    """The ids of two runs."""
    runs = []
    for number in range(2):
        with martlet.start_run("street", uri=address, name=f"unet-{number}", strict=True) as run:
            runs.append(run.id)
            for step in (0, 100, 200):
                run.log({
                    "loss": math.exp(-step / 100), "street": street(number, step),
                    "said": martlet.Text(f"At step {step} it says **{number}**."),
                    "weights": martlet.Histogram(np_histogram=([step + 1, 5, 2], [-1, 0, 1, 2])),
                    "predictions": martlet.Table(columns=["id", "word", "score", "picture"], data=[
                        [row, f"word{row}", row / 4 + (step / 1000 if row == 2 else 0) + (number if row == 3 else 0),
                         martlet.Image([[row * 40]])] for row in range(5 + step // 100)]),
                }, step=step)
            # Not every run logs at the same steps.
            run.log({"tone": martlet.Audio([math.sin(at / 5) / 2 for at in range(800)], sample_rate=8000, caption="a tone"),
                     "cloud": martlet.Object3D([[x, y, x * y, 255, 0, 128] for x in range(6) for y in range(6)]),
                     "page": martlet.Html("<h1>Result</h1><script>document.body.dataset.ran = 'yes'</script>"),
                     "plot": martlet.Figure(Plotly()), "digits": [martlet.Image([[0, 255]]) for _ in range(3)]}, step=100)
    fill_files(address, runs[0])
    return runs


def fill_files(address, run):
    text = {
        "report.md": "# Report\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "config.json": json.dumps({"model": {"layers": [64, 128], "name": "unet"}, "lr": 0.1}),
        "page.html": "<style>h1 { color: #123 }</style><h1>Page</h1>",
        "reaching.html": "<style>h1 { color: rgb(1, 2, 3) }</style><h1>Page</h1><script>try { parent.document.title = 'taken' } catch { document.body.dataset.kept = 'out' }"
                     "fetch('/api/v1/projects').then(() => { document.body.dataset.fetched = 'yes' }, () => { document.body.dataset.fetched = 'no' })</script>",
        "notes.ipynb": json.dumps({"cells": [
            {"cell_type": "markdown", "source": ["# Steps\n"]},
            {"cell_type": "code", "execution_count": 3, "source": "1 / 0", "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["trying\n"]},
                {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division by zero", "traceback": ["\x1b[31mZeroDivisionError\x1b[0m: division by zero"]},
                {"output_type": "display_data", "data": {"text/html": "<table><tr><td>cell of a page</td></tr></table>"}}]}]}),
        "model/MLmodel": "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    sklearn_version: 1.9.1\nmlflow_version: 3.17.2\n"
                         "signature:\n  inputs: '[{\"type\": \"double\", \"name\": \"age\", \"required\": false}]'\n"
                         "  outputs: '[{\"type\": \"tensor\", \"tensor-spec\":\n    {\"dtype\": \"int64\", \"shape\": [-1, 3]}}]'\n",
        "model/requirements.txt": "mlflow==3.17.2\n", "broken.json": "{nothing", "long.log": "a line of a log that is long\n" * 100_000,
        "scores.tsv": "name\tscore\tnote\nlow\t1\t\"two\twords\"\nten\t10\t\nhigh\t9\t\n",
        "cube.obj": "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nv 1 0 1\nv 1 1 1\nv 0 1 1\n"
                    "f 1 2 3 4\nf 5/1 6/2 7/3 8/4\nf 1 2 6 5\nf 2 3 7 6\nf -6 -5 -1 -2\nf 4 1 5 8\n",
        "points.ply": "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\nproperty uchar green\n"
                      "property uchar blue\nend_header\n0 0 0 255 0 0\n1 0 0 0 255 0\n0 1 0 0 0 255\n"}
    for path, content in text.items():
        put(address, run, path, content)
    for path, content in {
        **{f"tables/{name}.parquet": content for name, content in FILES.items()}, "broken.parquet": b"PAR1 and then nothing of the kind",
        "weights.safetensors": safetensors(), "piece.stl": stl(), "piece.glb": glb(), "model.pt": b"\x80\x02}q\x00.", "wall/a.png": picture(8, 8, 10), "wall/b.png": picture(8, 8, 90),
    }.items():
        call(address, "PUT", f"/runs/{run}/artifacts/{path}?type=data", raw=content, kind="application/octet-stream")


def safetensors():
    head = json.dumps({"__metadata__": {"format": "pt"}, "layer.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                       "layer.bias": {"dtype": "F16", "shape": [3], "data_offsets": [24, 30]}}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(30)


CORNERS = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
FACES = [(0, 1, 2), (0, 1, 3), (1, 2, 3), (0, 2, 3)]


def stl():
    """A tetrahedron."""
    return bytes(80) + struct.pack("<I", len(FACES)) + b"".join(
        struct.pack("<3f", 0, 0, 0) + b"".join(struct.pack("<3f", *CORNERS[corner]) for corner in face) + bytes(2) for face in FACES)


def glb():
    """The same, twice as large, moved by its node."""
    points = b"".join(struct.pack("<3f", *corner) for corner in CORNERS)
    places = b"".join(struct.pack("<3H", *face) for face in FACES)
    document = json.dumps({
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0, "scale": [2, 2, 2], "translation": [5, 0, 0]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}], "buffers": [{"byteLength": len(points) + len(places)}],
        "bufferViews": [{"buffer": 0, "byteLength": len(points)}, {"buffer": 0, "byteOffset": len(points), "byteLength": len(places)}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"}, {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"}]}).encode()
    document += b" " * (-len(document) % 4)
    body = points + places
    return b"".join([b"glTF", struct.pack("<II", 2, 28 + len(document) + len(body)), struct.pack("<I", len(document)), b"JSON", document,
                     struct.pack("<I", len(body)), b"BIN\0", body])


IMAGES = 10_000


def fill_many(address):
    """A run of 10,000 images at as many steps; a hundred files show them."""
    call(address, "POST", "/experiments", {"name": "many"})
    run = call(address, "POST", "/experiments/many/runs", {"name": "ten thousand"})["id"]
    files = []
    for number in range(100):
        stored = call(address, "PUT", f"/runs/{run}/artifacts/many/{number}.png?type=plot", raw=picture(32, 32, 2 * number), kind="image/png")
        files.append({"sha256": stored["sha256"], "mime": "image/png", "path": f"many/{number}.png"})
    for first in range(0, IMAGES, 2000):
        call(address, "POST", f"/runs/{run}/rich/samples", [
            {"kind": "image", "step": step, "value": {"width": 32, "height": 32}, "files": [files[step % 100]]} for step in range(first, first + 2000)])
    return run
