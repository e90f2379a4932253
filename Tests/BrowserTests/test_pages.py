"""Every page, used as people use it: with the pointer and with the keyboard, in both themes."""

import re
import time

import pytest
from playwright.sync_api import expect

from conftest import serving
from looking import assert_open_to_all, chart_of, painted
from store import call, runs


def open_workspace(page, query=""):
    page.goto("/experiments/digits" + query)
    expect(page.get_by_role("heading", name="val/accuracy")).to_be_visible()
    expect(page.locator(".chart canvas").first).to_be_attached()


def drag(page, chart, start, end):
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] * start, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + 60, steps=8)
    page.mouse.up()


def test_projects_lead_to_experiments(page):
    page.goto("/")
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    page.get_by_role("searchbox").fill("digi")
    expect(page.get_by_role("link", name="letters")).to_have_count(0)
    page.get_by_role("link", name="digits").click()
    expect(page).to_have_url(re.compile(r"/experiments/\d+$"))
    expect(page.get_by_role("heading", name="val/accuracy")).to_be_visible()


def test_seeds_are_grouped_and_n_is_shown(page):
    open_workspace(page)
    rows = page.get_by_role("grid", name="Runs").get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("n\u00a05")
    assert painted(chart_of(page, "train/loss")) > 1000
    page.get_by_role("button", name="Group seeds").click()
    expect(rows).to_have_count(15)
    expect(page.locator(".runs-foot")).to_contain_text("10 of 15 runs visible")
    expect(page).to_have_url(re.compile("group=none"))


def test_an_eye_hides_a_run_and_the_address_keeps_it(page):
    open_workspace(page, "?group=none&show=run_01,run_02")
    expect(page.locator(".runs-foot")).to_contain_text("2 of 15")
    page.get_by_role("button", name="Show run_01").click()
    expect(page).to_have_url(re.compile("show=run_02$|show=run_02&"))
    page.reload()
    expect(page.locator(".runs-foot")).to_contain_text("1 of 15")


def test_dragging_zooms_and_asks_again_and_a_double_click_resets(page):
    open_workspace(page)
    chart = chart_of(page, "train/loss")
    chart.scroll_into_view_if_needed()
    with page.expect_request(lambda request: request.url.endswith("/api/v1/curves") and '"from"' in (request.post_data or "")):
        drag(page, chart, 0.4, 0.6)
    expect(page).to_have_url(re.compile(r"zoom=\d+"))
    low, high = map(float, re.search(r"zoom=([\d.]+),([\d.]+)", page.url).groups())
    assert 150 < low < 300 and 300 < high < 450
    chart.dblclick(position={"x": 200, "y": 60})
    expect(page).not_to_have_url(re.compile("zoom="))


def test_the_keyboard_zooms_and_reads_values(page):
    open_workspace(page)
    chart = chart_of(page, "train/loss")
    chart.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".readout")).to_contain_text("step")
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("zoom="))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("zoom="))


def test_the_crosshair_is_on_all_charts(page):
    open_workspace(page)
    chart_of(page, "train/loss").hover(position={"x": 150, "y": 60})
    page.wait_for_timeout(150)
    marked = page.evaluate("""() => Array.from(document.querySelectorAll('.chart-over')).filter(c =>
        c.width && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)).length""")
    assert marked >= 2


def test_a_wrong_filter_is_told_in_the_servers_words(page):
    open_workspace(page)
    box = page.get_by_role("searchbox", name="Filter runs")
    box.fill("metrics.`train/loss` <")
    alert = page.get_by_role("alert")
    expect(alert).to_be_visible()
    assert len(alert.inner_text()) > 20
    box.fill("params.model = 'small'")
    expect(alert).to_have_count(0)
    expect(page.get_by_role("grid", name="Runs").get_by_role("row")).to_have_count(1)


def test_filter_names_are_completed(page):
    open_workspace(page)
    box = page.get_by_role("searchbox", name="Filter runs")
    box.press_sequentially("params.mo")
    expect(page.get_by_role("option", name="params.model")).to_be_visible()
    box.press("Tab")
    expect(box).to_have_value("params.model ")


def test_panels_are_searched_by_a_pattern(page):
    open_workspace(page)
    page.get_by_role("searchbox", name="Search panels").fill("^val|loss$")
    expect(page.locator(".panel")).to_have_count(2)
    page.get_by_role("searchbox", name="Search panels").fill("nothing-like-it")
    expect(page.get_by_text("No panel fits")).to_be_visible()


def test_only_rows_in_sight_are_in_the_page(page, server):
    call(server, "POST", "/experiments", {"name": "many", "project": "vision"})
    for number in range(120):
        call(server, "POST", "/runs", {"experiment": "many", "params": {"n": number}, "metrics": {"loss": number}, "status": "FINISHED"})
    page.goto("/experiments/many")
    rows = page.get_by_role("grid", name="Runs").get_by_role("row")
    expect(rows.first).to_be_visible()
    expect(page.locator(".runs-foot")).to_contain_text("of 120 runs visible")
    assert rows.count() < 60
    page.locator(".runs-list").evaluate("e => e.scrollTo(0, e.scrollHeight)")
    expect(page.get_by_role("link", name="run_01", exact=False)).to_be_visible()
    page.goto("/experiments/many/table")
    expect(page.get_by_role("grid", name="Runs").get_by_role("row").nth(5)).to_be_visible()
    assert page.get_by_role("grid", name="Runs").get_by_role("row").count() < 70


def test_a_summary_value_is_a_bar(page):
    open_workspace(page)
    panel = page.get_by_role("region", name="params_millions", exact=True)
    panel.scroll_into_view_if_needed()
    expect(panel.get_by_role("row")).to_have_count(3)


def test_a_point_is_on_screen_within_a_second_of_being_logged(page, server):
    running = runs(server, "state = 'running'")[0]
    open_workspace(page, f"?group=none&show={running['short_id']}")
    expect(page.locator(".live-on")).to_be_visible()
    chart = chart_of(page, "train/loss")
    page.wait_for_timeout(500)
    before = chart.locator("canvas").first.evaluate("c => c.toDataURL()")
    step = 2000 + int(time.time()) % 1000
    call(server, "POST", f"/runs/{running['id']}/metrics", {"metrics": {"train/loss": 1.5}, "step": step})
    start = time.monotonic()
    while chart.locator("canvas").first.evaluate("c => c.toDataURL()") == before:
        assert time.monotonic() - start < 1.0
        time.sleep(0.02)


def test_a_new_run_appears_by_itself(page, server):
    page.goto("/experiments/letters")
    expect(page.get_by_text("No runs yet").first).to_be_visible()
    made = call(server, "POST", "/experiments/letters/runs", {"name": "fresh"})
    call(server, "POST", f"/runs/{made['id']}/metrics", {"metrics": {"loss": 1}, "step": 0})
    expect(page.get_by_role("link", name="fresh")).to_be_visible()
    expect(page.get_by_role("heading", name="loss")).to_be_visible()


def test_what_happened_between_the_answers_and_the_stream_is_shown(page, server):
    held = []
    page.route("**/api/v1/changes?**", lambda route: held.append(route))
    call(server, "POST", "/experiments", {"name": "between"})
    page.goto("/experiments/between")
    expect(page.get_by_text("No runs yet").first).to_be_visible()
    while not held:
        page.wait_for_timeout(20)
    run = call(server, "POST", "/experiments/between/runs", {"name": "slipped through"})
    call(server, "POST", f"/runs/{run['id']}/metrics", {"metrics": {"loss": 1}, "step": 0})
    held.pop(0).continue_()
    expect(page.get_by_role("link", name="slipped through")).to_be_visible()
    expect(page.get_by_role("heading", name="loss")).to_be_visible()


def test_the_table_sorts_filters_picks_and_compares(page):
    page.goto("/experiments/digits/table")
    grid = page.get_by_role("grid", name="Runs")
    expect(grid.get_by_role("row")).to_have_count(16)
    grid.get_by_role("button", name="val/accuracy").click()
    expect(page).to_have_url(re.compile("sort=metrics.val/accuracy"))
    expect(grid.get_by_role("columnheader", name="val/accuracy")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("searchbox", name="Filter runs").fill("params.model = 'large' AND params.lr < 0.5")
    expect(grid.get_by_role("row")).to_have_count(6)
    boxes = grid.get_by_role("checkbox")
    boxes.nth(1).check()
    boxes.nth(2).check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^seed"))).to_be_visible()


def test_the_table_is_walked_by_keys(page):
    page.goto("/experiments/digits/table")
    grid = page.get_by_role("grid", name="Runs")
    expect(grid.get_by_role("row")).to_have_count(16)
    grid.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/runs/[0-9a-f]{32}"))


def test_groups_have_n_mean_and_spread(page):
    page.goto("/experiments/digits/table?group=seeds")
    row = page.get_by_role("row", name=re.compile("small"))
    expect(row).to_contain_text("5")
    expect(row).to_contain_text("±")


def test_a_deleted_run_comes_back(page, server):
    call(server, "POST", "/experiments/letters/runs", {"name": "doomed"})
    page.goto("/experiments/letters/table")
    grid = page.get_by_role("grid", name="Runs")
    grid.get_by_role("checkbox", name="Pick doomed").check()
    page.get_by_role("button", name="Delete").click()
    expect(grid.get_by_role("link", name="doomed")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(grid.get_by_role("link", name="doomed")).to_be_visible()


def test_the_run_page_says_why_it_ended(page, server):
    failed = runs(server, "state = 'failed'")[0]
    page.goto(f"/runs/{failed['id']}")
    expect(page.locator(".message.bad")).to_contain_text("It failed")
    expect(page.locator(".message.bad")).to_contain_text("train/loss (20 of 150)")
    page.get_by_role("link", name="Charts").click()
    expect(page.locator(".chart").first).to_be_visible()
    page.get_by_role("link", name="Code").click()
    expect(page.get_by_text("torch 2.4.0")).to_be_visible()


def test_histograms_over_steps_are_drawn(page, server):
    run = runs(server, "name = 'run_01'")[0]
    page.goto(f"/runs/{run['id']}/charts")
    panel = page.get_by_role("region", name="weights", exact=True)
    expect(panel.get_by_role("img")).to_have_attribute("aria-label", re.compile("at 2 steps, from −1 to 1"))
    assert painted(panel.locator(".chart")) > 1000
    panel.get_by_role("button", name="Ridges").click()
    expect(panel.get_by_role("button", name="Heatmap")).to_be_visible()


def test_artifacts_are_shown_and_cannot_take_over_the_page(page, server):
    run = runs(server, "name = 'run_01'")[0]
    page.goto(f"/runs/{run['id']}/artifacts?path=report.html")
    expect(page.frame_locator("iframe").get_by_role("heading", name="Report")).to_be_visible()
    assert page.title() != "taken over"
    page.get_by_role("button", name="scores.csv").click()
    page.get_by_role("button", name="score", exact=True).click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("low")
    page.get_by_role("button", name="samples_0.png").click()
    assert page.get_by_role("img", name="media/samples_0.png").evaluate("i => i.decode().then(() => i.naturalWidth)") == 48


def test_notes_are_markdown_without_html(page, server):
    run = runs(server, "name = 'run_01'")[0]
    page.goto(f"/runs/{run['id']}/notes")
    expect(page.locator("strong", has_text="good")).to_be_visible()
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    page.get_by_placeholder("What did you see").fill("Try *again*.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("em", has_text="again")).to_be_visible()


@pytest.mark.parametrize(("old", "new"), [
    ("/#/experiments/{e}", "/experiments/{e}"), ("/#/experiments/{e}/runs/{r}", "/runs/{r}"),
    ("/#/models/reader", "/models/reader"), ('/#/compare-runs?runs=["{r}"]&experiments=["{e}"]', "/compare?runs={r}"),
])
def test_links_of_mlflow_lead_to_the_same_thing(page, server, old, new):
    run = runs(server, "name = 'run_01'")[0]
    places = {"e": run["experiment_id"], "r": run["id"]}
    page.goto(old.replace("{e}", places["e"]).replace("{r}", places["r"]))
    page.wait_for_url("**" + new.format(**places).replace("?", "\\?"))


def test_the_palette_finds_runs_and_pages(page):
    page.goto("/")
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("combobox").fill("digits exper")
    expect(page.get_by_role("option").first).to_contain_text("digits")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/experiments/"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_brushing_an_axis_keeps_the_runs_in_it(page):
    page.goto("/experiments/digits/explore")
    canvas = page.get_by_role("region", name="Parallel coordinates").locator("canvas")
    expect(canvas).to_be_visible()
    runs_by_result = page.get_by_role("region", name="Runs by result").get_by_role("row")
    expect(runs_by_result).to_have_count(16)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 70, box["y"] + 34)
    page.mouse.down()
    page.mouse.move(box["x"] + 70, box["y"] + 80, steps=4)
    page.mouse.up()
    expect(runs_by_result).to_have_count(6)
    page.get_by_role("button", name="Clear brushes").click()
    expect(runs_by_result).to_have_count(16)


def test_what_is_not_there_is_said(page):
    page.goto("/runs/ffffffffffffffffffffffffffffffff")
    expect(page.get_by_role("alert")).to_contain_text("no run")
    page.goto("/experiments/digits/nowhere")
    expect(page.get_by_text("There is nothing at this address")).to_be_visible()


PAGES = [
    "/", "/experiments/digits", "/experiments/digits?group=none", "/experiments/digits/table", "/experiments/digits/about",
    "/experiments/digits/explore", "/experiments/sweep/explore", "/experiments/sweep/explore?shape=violin&metric=val/loss",
    "/runs/RUN", "/runs/RUN/charts", "/runs/RUN/artifacts", "/runs/RUN/notes", "/compare?runs=RUN", "/compare?runs=00000000000000000000000000000001,00000000000000000000000000000002", "/models",
    "/models/reader", "/settings", "/login", "/runs",
]


def test_a_page_whose_script_is_out_of_reach_says_so_and_tries_again(page):
    page.goto("/")
    expect(page.get_by_role("link", name="digits")).to_be_visible()
    page.route("**/assets/MyRuns-*.js", lambda route: route.abort())
    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(page.get_by_role("alert")).to_contain_text("This page could not be loaded.")
    # The rest of the app is not lost with it.
    page.get_by_role("link", name="Martlet, all projects").click()
    expect(page.get_by_role("link", name="digits")).to_be_visible()
    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.route("**/", lambda route: route.abort())
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("The server still does not answer")).to_be_visible()
    page.unroute("**/")
    page.unroute("**/assets/MyRuns-*.js")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="All runs")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", PAGES)
def test_nobody_is_kept_out(page, server, address, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(address.replace("RUN", runs(server, "name = 'run_01'")[0]["id"]))
    expect(page.locator("#main")).to_be_visible()
    page.wait_for_timeout(400)
    assert_open_to_all(page)


@pytest.mark.parametrize("address", [
    "/", "/experiments/digits", "/experiments/digits/table", "/experiments/sweep/explore", "/experiments/digits/dashboards", "/runs",
    "/compare?runs=00000000000000000000000000000001,00000000000000000000000000000002"])
def test_a_phone_can_read_it(page, address):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    expect(page.locator("#main")).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 392


def test_a_phone_reaches_every_page(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/experiments/digits")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page).to_have_url(re.compile("/runs$"))
    page.goto("/experiments/digits")
    page.get_by_role("link", name="Dashboards").click()
    expect(page.get_by_role("heading", name="Dashboards")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 392


def test_it_works_beneath_a_prefix(page, tmp_path):
    with serving(tmp_path, "--base-path", "/proxy/8003") as address:
        call(address, "POST", "/runs", {"experiment": "apart", "metrics": {"loss": 1}, "status": "FINISHED"})
        missing = []
        page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
        page.goto(f"{address}/proxy/8003/")
        page.get_by_role("link", name="apart").click()
        expect(page).to_have_url(re.compile(r"/proxy/8003/experiments/\d+$"))
        page.reload()
        expect(page.get_by_role("heading", name="loss")).to_be_visible()
        page.get_by_role("link", name="Table").click()
        expect(page.get_by_role("grid", name="Runs").get_by_role("row")).to_have_count(2)
        assert missing == []


def test_files_are_packed_and_kept(page):
    loaded = []
    page.on("response", lambda answer: loaded.append(answer) if "/assets/" in answer.url else None)
    open_workspace(page)
    scripts = [answer for answer in loaded if answer.url.endswith((".js", ".css"))]
    assert len(scripts) >= 3
    for answer in scripts:
        assert "immutable" in answer.headers["cache-control"]
        assert int(answer.headers["content-length"]) < 1000 or answer.headers["content-encoding"] in ("br", "gzip")
    total = sum(int(answer.headers["content-length"]) for answer in scripts if answer.url.endswith(".js"))
    assert total <= 130_000


def test_the_first_view_of_the_workspace_is_there_at_once(page):
    open_workspace(page)
    times = []
    for _ in range(3):
        start = time.monotonic()
        open_workspace(page)
        times.append(time.monotonic() - start)
    # A shared machine without a GPU; see the gates in bench for what is promised.
    assert sorted(times)[1] < 3
