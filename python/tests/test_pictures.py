"""What lies on pictures and in the cells of tables: it is kept as it was when it was logged."""

import struct
import zlib

import pytest

import martlet
import martlet.wandb as wandb


def grey(data):
    """The pixels of a grey PNG."""
    at = data.index(b"IDAT")
    size = struct.unpack(">I", data[at - 4:at])[0]
    width = struct.unpack(">I", data[16:20])[0]
    rows = zlib.decompress(data[at + 4:at + 4 + size])
    return [list(rows[start + 1:start + 1 + width]) for start in range(0, len(rows), width + 1)]


def read(opened, run, path):
    return opened.server.get(f"/api/v1/runs/{run}/artifacts/{path}").expect(200).body


BOX = {"position": {"minX": 0.1, "maxX": 0.4, "minY": 0.2, "maxY": 0.5}, "class_id": 1, "box_caption": "a car", "scores": {"p": 0.9}}


def test_boxes_and_masks_lie_beside_the_picture(store, adopted):
    mask = [[0, 1, 2], [2, 1, 0]]
    with martlet.start_run("seen", uri=store, strict=True) as run:
        image = martlet.Image(
            [[0, 128, 255], [255, 64, 0]], classes=[{"id": 1, "name": "car"}],
            boxes={"predictions": {"box_data": [BOX], "class_labels": {1: "car"}}},
            masks={"truth": {"mask_data": mask, "class_labels": {0: "road", 1: "car", 2: "sky"}}})
        mask[0][0] = 2
        run.log({"street": image}, step=3)
    opened = adopted(store)
    opened.run(run.id)
    point = opened.get(f"runs/{run.id}/rich/street")["points"][0]
    assert point["value"]["boxes"] == {"predictions": {"box_data": [BOX], "class_labels": {"1": "car"}}}
    assert point["value"]["classes"] == [{"id": 1, "name": "car"}]
    truth = point["value"]["masks"]["truth"]
    assert truth["class_labels"] == {"0": "road", "1": "car", "2": "sky"}
    assert grey(read(opened, run.id, truth["path"])) == [[0, 1, 2], [2, 1, 0]]
    # The picture's own file is the first.
    assert grey(read(opened, run.id, point["files"][0]["path"])) == [[0, 128, 255], [255, 64, 0]]
    assert [file["path"] for file in point["files"]][1:] == [truth["path"]]


def test_a_mask_that_is_the_picture_itself_is_stored_once(store, adopted):
    with martlet.start_run("same", uri=store, strict=True) as run:
        run.log({"x": martlet.Image([[0, 1]], masks={"m": {"mask_data": [[0, 1]]}})}, step=0)
    opened = adopted(store)
    opened.run(run.id)
    point = opened.get(f"runs/{run.id}/rich/x")["points"][0]
    assert [file["path"] for file in point["files"]] == [point["value"]["masks"]["m"]["path"]]


def test_numpy_s_numbers_are_plain_in_the_record(store, adopted):
    numpy = pytest.importorskip("numpy")
    with martlet.start_run("numpy", uri=store, strict=True) as run:
        box = {"position": {"middle": numpy.array([5.0, 6.0]), "width": numpy.float32(2), "height": 4}, "domain": "pixel", "class_id": numpy.int64(3)}
        mask = numpy.array([[True, False]])
        run.log({"x": martlet.Image(numpy.zeros((2, 2)), boxes={"b": {"box_data": [box]}}, masks={"m": {"mask_data": mask}})})
    opened = adopted(store)
    opened.run(run.id)
    value = opened.get(f"runs/{run.id}/rich/x")["points"][0]["value"]
    assert value["boxes"]["b"]["box_data"][0] == {
        "position": {"middle": [5, 6], "width": 2, "height": 4}, "domain": "pixel", "class_id": 3}
    assert grey(read(opened, run.id, value["masks"]["m"]["path"])) == [[1, 0]]


@pytest.mark.parametrize(("more", "words"), [
    ({"boxes": {"b": {"box_data": [{"class_id": 1}]}}}, "position"), ({"boxes": {"b": {}}}, "box_data"),
    ({"masks": {"m": {}}}, "mask_data"), ({"masks": {"m": {"mask_data": [[0, 256]]}}}, "0 to 255, not 256"),
    ({"masks": {"m": {"mask_data": [[0, 1], [0]]}}}, "one class number for each pixel")])
def test_a_wrong_overlay_is_told(more, words):
    with pytest.raises(ValueError, match=words):
        martlet.Image([[0]], **more)


def test_wandb_s_classes_are_the_list_that_they_hold():
    assert wandb.Image([[0]], classes=wandb.Classes([{"id": 2, "name": "cat"}])).describe()["classes"] == [{"id": 2, "name": "cat"}]


def test_tensorboard_s_boxes_come_out_in_the_same_form(store, adopted, monkeypatch):
    pytest.importorskip("numpy")
    from martlet.tensorboard import SummaryWriter

    monkeypatch.setenv("MARTLET_TRACKING_URI", str(store))
    writer = SummaryWriter("logs/boxes")
    writer.add_image_with_boxes("x", [[[0.0, 1.0]]], [[1, 2, 3, 4]], labels=["cat"], global_step=2)
    run = writer.run
    writer.close()
    opened = adopted(store)
    opened.run(run.id)
    value = opened.get(f"runs/{run.id}/rich/x")["points"][0]["value"]
    assert value["boxes"]["boxes"] == {"class_labels": {"0": "cat"}, "box_data": [
        {"position": {"minX": 1, "minY": 2, "maxX": 3, "maxY": 4}, "domain": "pixel", "class_id": 0}]}


def test_pictures_in_the_cells_of_a_table_are_files(store, adopted):
    with martlet.start_run("cells", uri=store, strict=True) as run:
        table = martlet.Table(columns=["name", "picture"], data=[["one", martlet.Image([[7]], caption="seven")]])
        table.add_data("two", None)
        run.log({"rows": table}, step=1)
    opened = adopted(store)
    opened.run(run.id)
    point = opened.get(f"runs/{run.id}/rich/rows")["points"][0]
    rows = opened.server.get(f"/api/v1/runs/{run.id}/artifacts/{point['files'][0]['path']}").expect(200).json
    assert rows["columns"] == ["name", "picture"] and rows["data"][1] == ["two", None]
    cell = rows["data"][0][1]
    assert cell["kind"] == "image" and cell["caption"] == "seven" and grey(read(opened, run.id, cell["path"])) == [[7]]
