"""Media of runs by step, and tables that are compared."""

import re

import pytest
from playwright.sync_api import expect

from conftest import serving
from looking import assert_open_to_all, assert_turns, painted, panel, table_of, until
from media_store import IMAGES, fill_many


@pytest.fixture
def charts(page, media):
    address, first, _ = media
    page.goto(f"{address}/runs/{first}/charts")
    return page


def alpha(canvas, x, y):
    """How much of a mask lies on a pixel."""
    return canvas.evaluate("(c, [x, y]) => c.width ? c.getContext('2d').getImageData(x, y, 1, 1).data[3] : -1", [x, y])


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
