"""Media of runs by step, tables that are compared, and what files look like."""

import re

import pytest
from playwright.sync_api import expect

from conftest import serving
from looking import assert_open_to_all, painted, table_of
from media_store import IMAGES, fill_many, fill_media


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """The address of a server with media, and the ids of its two runs."""
    with serving(tmp_path_factory.mktemp("media")) as address:
        yield address, *fill_media(address)


@pytest.fixture
def charts(page, media):
    address, first, _ = media
    page.goto(f"{address}/runs/{first}/charts")
    return page


@pytest.fixture
def opened(page, media):
    """Opens a file of the first run."""
    address, first, _ = media

    def go(path):
        page.goto(f"{address}/runs/{first}/artifacts?path={path}")
        return page.get_by_role("region", name=path, exact=True)
    return go


def panel(page, name):
    found = page.get_by_role("region", name=name, exact=True)
    found.scroll_into_view_if_needed()
    return found


def alpha(canvas, x, y):
    """How much of a mask lies on a pixel."""
    return canvas.evaluate("(c, [x, y]) => c.width ? c.getContext('2d').getImageData(x, y, 1, 1).data[3] : -1", [x, y])


def until(page, question, wanted):
    """What is drawn on a canvas says no event, so it is asked for again."""
    for _ in range(100):
        found = question()
        if found == wanted:
            return
        page.wait_for_timeout(50)
    assert found == wanted


# -- Pictures


def test_boxes_and_masks_lie_on_the_picture_and_each_class_hides(charts):
    street = panel(charts, "street")
    picture = street.locator(".picture")
    expect(picture.get_by_role("img")).to_have_attribute("alt", "street of unet-0 at step 200: 2 boxes (1 car, 1 truck), mask truth (sky, road, car)")
    expect(picture.locator(".box")).to_have_count(2)
    # 4 of 24 pixels from the left, 14 from the top.
    size, box = picture.bounding_box(), picture.locator(".box").first.bounding_box()
    assert abs((box["x"] - size["x"]) / size["width"] - 4 / 24) < 0.02 and abs((box["y"] - size["y"]) / size["height"] - 14 / 24) < 0.02
    mask = picture.locator("canvas")
    for place in ((0, 0), (0, 20), (5, 15)):
        until(charts, lambda place=place: alpha(mask, *place) > 0, True)
    boxes, truth = (street.get_by_role("group", name=name) for name in ("Classes of boxes predictions", "Classes of mask truth"))
    boxes.get_by_role("button", name="truck").click()
    expect(picture.locator(".box")).to_have_text(["car 0.9"])
    truth.get_by_role("button", name="road").click()
    until(charts, lambda: [alpha(mask, *place) > 0 for place in ((0, 0), (0, 20), (5, 15))], [True, False, True])
    # The group's own name hides and shows all of it.
    truth.get_by_role("button", name="mask truth").click()
    expect(mask).to_have_count(0)
    boxes.get_by_role("button", name="truck").click()
    street.get_by_label("score at least").fill("0.5")
    expect(picture.locator(".box")).to_have_text(["car 0.9"])


def test_one_step_moves_every_panel_of_every_run(page, media):
    address, *_ = media
    page.goto(f"{address}/experiments/street")
    slider = page.get_by_role("slider", name="Step")
    captions = {name: panel(page, name).locator("figcaption") for name in ("street", "said")}
    for found in captions.values():
        expect(found).to_have_text([re.compile("unet-1 · step 200"), re.compile("unet-0 · step 200")])
    slider.focus()
    slider.press("ArrowLeft")
    for found in captions.values():
        expect(found).to_have_text([re.compile("step 100")] * 2)
    # The same keys on a picture; and where nothing is yet, that is said.
    panel(page, "street").get_by_role("button", name="Enlarge").first.press("ArrowLeft")
    expect(captions["street"]).to_have_text([re.compile("step 0")] * 2)
    expect(panel(page, "digits")).to_contain_text("Nothing up to step 0; the first is at 100.")
    expect(page).to_have_url(re.compile("mstep=0"))
    page.reload()
    expect(panel(page, "street").locator("figcaption")).to_have_text([re.compile("step 0")] * 2)


def test_several_pictures_at_one_step_stand_beside_each_other(charts):
    expect(panel(charts, "digits").get_by_role("img")).to_have_count(3)
    # Each is told from the others.
    assert len({one.get_attribute("alt") for one in panel(charts, "digits").get_by_role("img").all()}) == 3


def test_a_picture_is_seen_down_to_its_pixels(page, media):
    address, *_ = media
    page.goto(f"{address}/experiments/street")
    panel(page, "street").get_by_role("button", name="Enlarge").first.press("Enter")
    light = page.get_by_role("dialog")
    expect(light).to_have_accessible_name("street of unet-1 at step 200")
    image = light.get_by_role("img")
    until(page, lambda: image.evaluate("i => i.complete && i.getBoundingClientRect().width > 400"), True)
    wide = image.bounding_box()["width"]
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(light.get_by_label("Size")).to_have_text("225 %")
    assert abs(image.bounding_box()["width"] / wide - 2.25) < 0.01
    page.keyboard.press("0")
    expect(light.get_by_label("Size")).to_have_text("100 %")
    # Pixel (5, 15) of run 1 at step 200: 100 + 100 + 3 · 5 of grey, and a car in the mask.
    bounds = image.bounding_box()
    page.mouse.move(bounds["x"] + bounds["width"] * 5.5 / 24, bounds["y"] + bounds["height"] * 15.5 / 24)
    expect(light).to_contain_text("x 5, y 15: 215, 215, 215 · truth: car")
    page.keyboard.press("ArrowLeft")
    expect(light).to_have_accessible_name("street of unet-1 at step 100")
    page.keyboard.press("ArrowDown")
    expect(light).to_have_accessible_name("street of unet-0 at step 100")
    page.mouse.wheel(0, -300)
    expect(light.get_by_label("Size")).not_to_have_text("100 %")
    assert_open_to_all(page)
    page.keyboard.press("Escape")
    expect(light).to_have_count(0)


def test_ten_thousand_pictures_are_a_wall_and_the_first_are_there_at_once(page, tmp_path):
    with serving(tmp_path) as address:
        run = fill_many(address)
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "/artifacts/" in request.url else None)
        page.goto(f"{address}/runs/{run}/charts")
        samples = panel(page, "samples")
        expect(samples).to_contain_text(f"{IMAGES:,} values")
        expect(page.get_by_role("slider", name="Step")).to_have_attribute("max", str(IMAGES - 1))
        asked.clear()
        taken = []
        for _ in range(3):
            taken.append(page.evaluate("""async () => {
                const start = performance.now()
                const section = document.querySelector('[aria-label="samples"]')
                Array.from(section.querySelectorAll('button')).find(one => one.textContent === 'All steps').click()
                while (performance.now() < start + 10000) {
                    const images = Array.from(section.querySelectorAll('.gallery img')).slice(0, 24)
                    if (images.length === 24 && images.every(one => one.complete && one.naturalWidth > 0)) return performance.now() - start
                    await new Promise(then => requestAnimationFrame(then))
                }
                return Infinity
            }"""))
            seen = samples.locator(".gallery img").count()
            samples.get_by_role("button", name="All steps").click()
        print(f"24 thumbnails of {IMAGES}: {', '.join(f'{one:.0f}' for one in taken)} ms")
        assert min(taken) < 300, taken
        # What is not in sight was not asked for.
        assert 24 <= seen < 120 and len(asked) < 120
        samples.get_by_role("button", name="All steps").click()
        wall = samples.get_by_role("region", name="10,000 pictures of samples")
        wall.evaluate("w => { w.scrollTop = w.scrollHeight }")
        expect(wall.get_by_role("button", name="at step 9999")).to_be_visible()
        assert wall.locator("img").count() < 120


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


# -- Other values


def test_sound_words_pages_figures_and_shapes_are_shown(charts):
    tone = panel(charts, "tone").locator("audio")
    assert tone.evaluate("a => new Promise(then => { a.onloadedmetadata = () => then(a.duration); a.preload = 'metadata'; a.load() })") == pytest.approx(0.1)
    expect(tone).to_have_accessible_name("tone of unet-0 at step 100")
    expect(panel(charts, "said").locator("strong")).to_have_text("0")
    panel(charts, "page")
    inside = charts.frame_locator("iframe[title='page of unet-0 at step 100']")
    expect(inside.get_by_role("heading", name="Result")).to_be_visible()
    expect(inside.locator("body")).to_have_attribute("data-ran", "yes")
    plot = charts.get_by_role("region", name="Growth")
    plot.scroll_into_view_if_needed()
    expect(plot).to_contain_text("Not drawn: pie.")
    assert painted(plot.locator(".chart")) > 300
    assert table_of(plot)[1] == [["squares", "1", "1"], ["squares", "2", "4"], ["squares", "3", "9"]]
    assert_turns(charts, panel(charts, "cloud").get_by_role("img", name=re.compile("cloud of unet-0 at step 100: 36 points")))


def test_histograms_are_a_heatmap_ridges_and_a_table(charts):
    weights = panel(charts, "weights")
    assert painted(weights.locator(".chart")) > 1000
    weights.get_by_role("button", name="Ridges").click()
    assert painted(weights.locator(".chart")) > 300
    assert table_of(weights) == (["step", "from", "to", "count"], [
        [str(step), *edges, count] for step in (0, 100, 200) for edges, count in ((["-1", "0"], str(step + 1)), (["0", "1"], "5"), (["1", "2"], "2"))])


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


# -- Tables


def test_a_table_sorts_filters_and_shows_pictures(charts):
    table = panel(charts, "predictions")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(7)
    picture = rows.first.get_by_role("button", name="Enlarge").locator("img")
    until(charts, lambda: picture.evaluate("i => i.naturalWidth"), 1)
    table.get_by_role("button", name="score", exact=True).click()
    table.get_by_role("button", name=re.compile("^score")).click()
    expect(table.get_by_role("columnheader", name="score")).to_have_attribute("aria-sort", "descending")
    expect(rows.first).to_contain_text("word6")
    table.get_by_role("button", name="Filter columns").click()
    table.get_by_label("Filter score").fill("> 0.5")
    table.get_by_label("Filter word").fill("word3")
    expect(rows).to_have_count(1)
    expect(table.get_by_role("status").or_(table.locator("output"))).to_contain_text("1 of 7 rows")
    table.get_by_label("Filter word").fill("= word")
    expect(rows).to_have_count(0)


def test_two_steps_and_two_runs_of_a_table_are_compared(page, media):
    address, *_ = media
    page.goto(f"{address}/experiments/street")
    table = panel(page, "predictions")
    other = table.get_by_label("Compare with")
    other.select_option(label="unet-1, step 0")
    expect(table).to_contain_text("unet-1, step 200 beside unet-1, step 0: 1 changed, 2 added, 0 removed, 4 equal.")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="changed")).to_contain_text(re.compile(r"word2.*0\.5\s*→\s*0\.7\s*\+0\.2"))
    table.get_by_role("button", name="Equal rows too").click()
    expect(rows).to_have_count(7)
    other.select_option(label="unet-0, step 200")
    expect(table).to_contain_text("1 changed, 0 added, 0 removed, 6 equal.")
    expect(rows.filter(has_text="changed")).to_contain_text(re.compile(r"word3.*→.*1\.75"))


# -- Files


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


@pytest.mark.parametrize(("path", "words"), [
    ("tables/zstd.parquet", ["40 rows, 2 columns", "No column can be shown", "Zstandard", 'pyarrow.parquet.read_table("zstd.parquet")']),
    ("tables/lists.parquet", ["2 rows, 2 columns", "1 column left out", "lists and structs are not read here", "embedding"]),
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


def assert_turns(page, shape):
    drawn = "s => { const c = s.querySelector('canvas'); return c.width ? c.toDataURL() : '' }"
    expect(shape).to_be_visible()
    until(page, lambda: len(shape.evaluate(drawn)) > 500, True)
    before = shape.evaluate(drawn)
    shape.focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: shape.evaluate(drawn) != before, True)


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
