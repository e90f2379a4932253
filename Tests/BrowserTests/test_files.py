"""What a run's files look like, and that nobody is kept out of media and files."""

import csv
import re

import pytest
from playwright.sync_api import expect

from looking import assert_open_to_all, assert_turns, panel, until
from parquet_files import FILES
from store import call


@pytest.fixture
def opened(page, media):
    """Opens a file of the first run."""
    address, first, _ = media

    def go(path):
        page.goto(f"{address}/runs/{first}/artifacts?path={path}")
        return page.get_by_role("region", name=path, exact=True)
    return go


def test_the_pictures_among_the_files_are_a_wall(page, media):
    address, first, _ = media
    page.goto(f"{address}/runs/{first}/artifacts")
    page.get_by_role("button", name="All pictures").click()
    wall = page.get_by_role("region", name=re.compile("pictures of unet-0"))
    expect(wall.locator("img").first).to_have_js_property("complete", True)
    page.get_by_label("Search files").fill("wall/")
    expect(wall.get_by_role("button")).to_have_text(["a.png", "b.png"])
    wall.get_by_role("button", name="wall/a.png").click()
    expect(page.get_by_role("dialog")).to_have_accessible_name("wall/a.png")


def test_a_film_is_played(page, media):
    address, first, _ = media
    page.goto(f"{address}/runs/{first}")
    # The browser itself makes the film: a canvas of two colours.
    status = page.evaluate("""async address => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 })
        const context = canvas.getContext('2d')
        const pieces = []
        const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: 'video/webm' })
        recorder.ondataavailable = event => pieces.push(event.data)
        const over = new Promise(then => { recorder.onstop = then })
        recorder.start()
        for (let frame = 0; frame < 20; frame += 1) {
            context.fillStyle = frame % 2 ? '#f00' : '#00f'
            context.fillRect(0, 0, 64, 48)
            await new Promise(then => requestAnimationFrame(then))
        }
        recorder.stop()
        await over
        return (await fetch(address, { method: 'PUT', body: new Blob(pieces) })).status
    }""", f"{address}/api/v1/runs/{first}/artifacts/film.webm?type=media")
    assert status == 201
    page.goto(f"{address}/runs/{first}/artifacts?path=film.webm")
    film = page.locator("video")
    until(page, lambda: film.evaluate("v => v.videoWidth"), 64)
    expect(film).to_have_accessible_name("film.webm")


@pytest.mark.parametrize("name", ["snappy", "gzip", "none"])
def test_parquet_is_a_table(page, opened, name):
    shown = opened(f"tables/{name}.parquet")
    expect(shown).to_contain_text("40 rows, 7 columns")
    table = shown.get_by_role("region", name=f"Table tables/{name}.parquet")
    expect(table.get_by_role("columnheader")).to_have_text(["id", "word", "score", "right", "day", "when", "price"])
    search = shown.get_by_role("searchbox", name=f"Search rows of tables/{name}.parquet")
    # Of each kind of value, with the places that are empty.
    expect(table.locator("tbody tr").first).to_have_text(re.compile(r"^0\s*wörd 0\s*0\s*true\s*2024-02-28\s*2023-11-14 22:13:20\s*−1$"))
    search.fill("2024-03-29")
    expect(table.locator("tbody tr")).to_have_text(re.compile(r"^30\s*wörd 0\s*3.75\s*true\s*2024-03-29\s*2023-11-14 22:13:50\s*6.5$"))
    search.fill("2024-03-08")
    expect(table.locator("tbody tr")).to_have_text(re.compile(r"^9\s*wörd 0\s*–\s*true"))


NESTED = [
    ['[0.1, 1.5]', '[[1, null], [], null]', '{"name": "Ädä \\"x\\"", "age": 9007199254740993, "tags": ["a", null]}', '{"f1": 0.5, "loss": NaN}',
     '[{"name": "b", "age": null, "tags": []}, null]'],
    ["[]", "[]", '{"name": null, "age": null, "tags": null}', "{}", "[]"],
    ["", "", "", "", ""],
    ["[null, Infinity]", "[[1099511627776]]", '{"name": "", "age": -1, "tags": ["c"]}', '{"x": null}',
     '[{"name": "d", "age": 3, "tags": ["e", "f"]}, {"name": "g", "age": 4, "tags": null}]'],
]


@pytest.mark.parametrize(("name", "head", "rows"), [
    ("zstd", ["id", "word"], [[str(place), "" if place % 7 == 3 else f"wörd {place % 3}"] for place in range(40)]),
    ("lz4", ["t"], [[f"word {place % 7}"] for place in range(90)]),
    ("blocks", ["t"], [[f"step {place} of {place % 13}"] for place in range(4000)]),
    ("zeros", ["z"], [["0"]] * 60_000),
    ("nested", ["box", "deep", "who", "scores", "people"], NESTED * 3),
    ("lists", ["id", "embedding"], [["1", "[0.5, 1]"], ["2", "[2]"]]),
])
def test_every_cell_of_a_packed_or_nested_column_is_read(page, opened, name, head, rows):
    shown = opened(f"tables/{name}.parquet")
    count = shown.locator("output").first
    for at_once in (1_000, 10_000):
        if len(rows) > at_once:
            expect(count).to_have_text(f"{at_once:,} rows")
            shown.get_by_role("button", name=re.compile("^Read ")).click()
    expect(count).to_have_text(f"{len(rows):,} rows")
    with page.expect_download() as found:
        shown.get_by_role("button", name="Save as CSV").first.click()
    with open(found.value.path(), newline="") as file:
        saved = list(csv.reader(file))
    assert saved[0] == head
    assert saved[1:] == rows


@pytest.mark.parametrize(("byte", "words"), [(0, "it does not begin as it should"), (6, "The Zstandard data is damaged")])
def test_a_damaged_page_says_which_column_and_what(media, opened, byte, words):
    address, first, _ = media
    damaged = bytearray(FILES["zstd"])
    damaged[damaged.rindex(b"\x28\xb5\x2f\xfd") + byte] ^= 0xFF
    call(address, "PUT", f"/runs/{first}/artifacts/damaged.parquet?type=data", raw=bytes(damaged), kind="application/octet-stream")
    expect(opened("damaged.parquet").get_by_role("alert")).to_contain_text(re.compile(f"“word” cannot be read: .*{words}"))


@pytest.mark.parametrize(("path", "words"), [
    ("tables/brotli.parquet", ["2 rows, 1 column", "No column can be shown", "packed by Brotli", 'pyarrow.parquet.read_table("brotli.parquet")']),
    ("broken.parquet", ["This is no Parquet file, or its end is missing."]),
    ("model.pt", ["This kind of file is not shown", "torch.load"]), ("broken.json", ["This is no strict JSON", "{nothing"]),
    ("long.log", ["The first 2.0 MB of 2.9 MB", "a line of a log"])])
def test_what_cannot_be_shown_is_said(opened, path, words):
    shown = opened(path)
    for each in words:
        expect(shown).to_contain_text(each)


def test_json_is_a_tree_for_mouse_and_keys(page, opened):
    shown = opened("config.json")
    layers = shown.locator("summary").filter(has_text="layers")
    expect(shown).to_contain_text("layers2 elements")
    expect(shown.get_by_text("128")).to_have_count(0)
    layers.focus()
    page.keyboard.press("Enter")
    expect(shown.get_by_text("128")).to_be_visible()
    shown.get_by_role("button", name="As text").click()
    expect(shown.locator("pre")).to_contain_text('"name": "unet"')


def test_html_runs_in_a_frame_that_reaches_nothing(page, opened, no_fault):
    shown = opened("reaching.html")
    inside = page.frame_locator("iframe")
    expect(inside.get_by_role("heading", name="Page")).to_have_css("color", "rgb(1, 2, 3)")
    expect(inside.locator("body")).to_have_attribute("data-kept", "out")
    expect(inside.locator("body")).to_have_attribute("data-fetched", "no")
    expect(shown).to_be_visible()
    assert page.title() != "taken"
    # The browser says that it kept the page from the network: this once, that is right.
    assert no_fault and all("/api/v1/projects" in fault for fault in no_fault), no_fault
    no_fault.clear()


def test_notebooks_models_weights_words_and_sheets_are_read(page, opened):
    notebook = opened("notes.ipynb")
    expect(notebook.get_by_role("heading", name="Steps")).to_be_visible()
    code = notebook.get_by_role("group", name="Code 3")
    expect(code).to_contain_text("1 / 0")
    expect(code).to_contain_text("trying")
    expect(code.locator(".error")).to_have_text("ZeroDivisionError: division by zero")
    expect(page.frame_locator("iframe").get_by_text("cell of a page")).to_be_visible()
    model = opened("model/MLmodel")
    expect(model).to_contain_text("sklearn_version 1.9.1")
    expect(model.get_by_role("row", name="age")).to_have_text(re.compile("age.*double.*–.*no"))
    expect(model.get_by_role("row", name="int64")).to_contain_text("(any, 3)")
    model.get_by_role("button", name="requirements.txt").click()
    expect(page.get_by_role("region", name="model/requirements.txt")).to_contain_text("mlflow==3.17.2")
    weights = opened("weights.safetensors")
    expect(weights).to_contain_text("9 values in 2 tensors")
    expect(weights.get_by_role("row", name="layer.weight")).to_contain_text("2 × 3")
    expect(opened("report.md").get_by_role("cell", name="2")).to_be_visible()
    sheet = opened("scores.tsv")
    sheet.get_by_role("button", name="score", exact=True).click()
    expect(sheet.locator("tbody tr")).to_have_text([re.compile("^low.*two\twords"), re.compile("^high"), re.compile("^ten")])


@pytest.mark.parametrize(("path", "words"), [
    ("cube.obj", "8 points, 12 triangles"), ("piece.stl", "12 points, 4 triangles"), ("piece.glb", "4 points, 4 triangles"), ("points.ply", "3 points")])
def test_shapes_turn(page, opened, path, words):
    assert_turns(page, opened(path).get_by_role("img", name=f"{path}: {words}."))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["charts", *(f"artifacts?path={path}" for path in (
    "tables/snappy.parquet", "config.json", "notes.ipynb", "model/MLmodel", "cube.obj", "page.html", "scores.tsv")), "artifacts?view=pictures"])
def test_nobody_is_kept_out(page, media, path, scheme):
    address, first, _ = media
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/runs/{first}/{path}")
    expect(page.get_by_role("region").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    if path == "charts":
        for name in ("street", "predictions", "cloud"):
            expect(panel(page, name).locator("figure, table").first).to_be_visible()
    assert_open_to_all(page)
