"""What lies on a picture: boxes as numbers in its description, masks as pictures of class numbers, and the names of classes.

The form is that of W&B's `Image(boxes=, masks=, classes=)`: groups by name, each with `box_data` or `mask_data` and `class_labels`.
"""

from __future__ import annotations

import os

from ._pictures import class_numbers, png


def described_boxes(boxes):
    """The groups of boxes as plain JSON; numbers may have been NumPy's or a tensor's."""
    out = {}
    for name, group in boxes.items():
        if not isinstance(group, dict) or not isinstance(group.get("box_data"), (list, tuple)):
            raise ValueError(
                "boxes[%r] needs “box_data”, a list of boxes such as {\"position\": {\"minX\": 0.1, \"minY\": 0.1, "
                "\"maxX\": 0.4, \"maxY\": 0.3}, \"class_id\": 1}." % name)
        out[str(name)] = {"box_data": [_box(each) for each in group["box_data"]], **_labels(group)}
    return out


def _box(box):
    place = box.get("position") if isinstance(box, dict) else None
    if not isinstance(place, dict) or not ({"minX", "minY", "maxX", "maxY"} <= set(place)
                                           or {"middle", "width", "height"} <= set(place)):
        raise ValueError("A box needs a position of minX, minY, maxX and maxY, or of middle, width and height; not %r." % (box,))
    return {str(key): _bare(each) for key, each in box.items()}


def _bare(value):
    if isinstance(value, dict):
        return {str(key): _bare(each) for key, each in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_bare(each) for each in value] if isinstance(value, (list, tuple)) else value


def _labels(group):
    labels = group.get("class_labels")
    return {"class_labels": {str(number): str(label) for number, label in labels.items()}} if labels else {}


def taken_masks(masks):
    """Each mask as its description and its file's bytes, taken as they are now."""
    out = {}
    for name, group in masks.items():
        if not isinstance(group, dict) or ("mask_data" not in group and "path" not in group):
            raise ValueError("masks[%r] needs “mask_data”, one class number for each pixel, or the “path” of a PNG of these." % name)
        if "mask_data" in group:
            data = class_numbers(group["mask_data"])
        else:
            with open(os.fspath(group["path"]), "rb") as file:
                data = file.read()
        out[str(name)] = (_labels(group), data)
    return out


def mask_bytes(data):
    return data if isinstance(data, bytes) else png(*data)


def described_classes(classes):
    """`[{"id": 1, "name": "car"}]`, or an object that carries such a list."""
    found = getattr(classes, "_class_set", classes)
    return [{"id": _bare(each["id"]), "name": str(each["name"])} for each in found]
