"""What people make of the pages: their runs, views with a name, notes on curves, small curves in the table."""

import json
import re
import subprocess
import urllib.request

import pytest
from playwright.sync_api import expect

from conftest import BINARY, serving
from looking import assert_open_to_all, chart_of
from store import call, runs


def test_runs_of_all_experiments_are_listed_by_user(page, server):
    for name, user in [("hers", "ada"), ("his", "o'neil")]:
        call(server, "POST", "/runs", {"experiment": f"of {name}", "name": name, "user": user, "status": "FINISHED"})
    page.goto("/")
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("heading", name="All runs")).to_be_visible()
    table = page.get_by_role("region", name="All runs")
    expect(table.get_by_role("link", name="hers", exact=True)).to_be_visible()
    # A quote in a name is no end of the filter.
    page.get_by_role("combobox", name="Of").select_option("o'neil")
    expect(page.get_by_role("heading", name="Runs of o'neil")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("link", name="his", exact=True)).to_be_visible()
    page.get_by_role("searchbox", name="Filter runs").fill("state = 'running'")
    expect(page.get_by_text("No run fits this filter")).to_be_visible()
    # Without logins the browser keeps whose runs one looks at.
    page.goto("/runs")
    expect(page.get_by_role("heading", name="Runs of o'neil")).to_be_visible()


def test_who_is_signed_in_sees_their_own_runs_first(page, tmp_path):
    made = {name: json.loads(subprocess.run(
        [BINARY, "users", "add", name, "--role", "write", "--uri", tmp_path / "data", "--json"], check=True, capture_output=True,
        text=True).stdout)["secret"] for name in ("ada", "grace")}
    with serving(tmp_path) as address:
        for name, token in made.items():
            request = urllib.request.Request(
                f"{address}/api/v1/runs", json.dumps({"experiment": "ours", "name": f"by {name}", "status": "FINISHED"}).encode(),
                {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
            urllib.request.urlopen(request).close()
        page.goto(f"{address}/login")
        page.get_by_role("textbox", name="Token").fill(made["ada"])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        page.get_by_role("link", name="Runs", exact=True).click()
        expect(page.get_by_role("heading", name="My runs")).to_be_visible()
        expect(page.get_by_role("link", name="by ada")).to_be_visible()
        expect(page.get_by_role("link", name="by grace")).to_have_count(0)
        page.get_by_role("combobox", name="Of").select_option("everybody")
        expect(page.get_by_role("link", name="by grace")).to_be_visible()


def test_a_run_that_begins_appears_in_the_list(page, server):
    page.goto("/runs?user=grace")
    expect(page.get_by_text("grace has no runs here")).to_be_visible()
    call(server, "POST", "/runs", {"experiment": "of hers", "name": "brand new", "user": "grace"})
    expect(page.get_by_role("link", name="brand new")).to_be_visible()


def test_a_view_is_kept_for_everybody_and_has_a_link(page, server, browser):
    page.goto("/experiments/digits/table?q=params.model+%3D+'small'&sort=metrics.val/accuracy:desc")
    grid = page.get_by_role("grid", name="Runs")
    expect(grid.get_by_role("row")).to_have_count(6)
    page.get_by_role("button", name="Saved views").click()
    page.get_by_role("button", name="Save this view").click()
    page.get_by_role("textbox", name="Name of the view").fill("small, best first")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("View “small, best first” saved")).to_be_visible()
    assert call(server, "GET", "/experiments/digits")["tags"]["martlet.view.small, best first"].startswith("/table?")

    other = browser.new_page()
    other.goto(f"{server}/experiments/digits")
    other.get_by_role("button", name="Saved views").click()
    other.get_by_role("link", name="small, best first").click()
    expect(other.get_by_role("grid", name="Runs").get_by_role("row")).to_have_count(6)
    expect(other.get_by_role("searchbox", name="Filter runs")).to_have_value("params.model = 'small'")
    expect(other.get_by_role("columnheader", name="val/accuracy ▼")).to_be_visible()
    other.close()

    page.get_by_role("button", name="Saved views").click()
    page.get_by_role("button", name="Remove small, best first").click()
    expect(page.get_by_text("removed")).to_be_visible()
    page.get_by_role("button", name="Saved views").click()
    expect(page.get_by_role("link", name="small, best first")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Saved views").click()
    expect(page.get_by_role("link", name="small, best first")).to_be_visible()


def test_a_note_is_pinned_to_a_point_and_survives_a_reload(page, server):
    run = runs(server, "name = 'run_02'")[0]
    page.goto(f"/runs/{run['id']}/charts")
    chart = chart_of(page, "train/loss")
    expect(chart.locator("canvas").first).to_be_attached()
    box = chart.bounding_box()
    page.keyboard.down("Shift")
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + 60)
    page.keyboard.up("Shift")
    panel = page.get_by_role("region", name="train/loss", exact=True)
    form = panel.get_by_role("form", name="Note on train/loss")
    step = int(form.get_by_role("textbox", name="Note at step").input_value())
    # About the middle of 600 steps, and one that was logged: they are even.
    assert 240 < step < 360 and step % 2 == 0
    form.get_by_role("textbox", name="Note", exact=True).fill("The rate **drops** here.")
    form.get_by_role("button", name="Save note").click()
    expect(form).to_have_count(0)
    page.reload()
    notes = panel.get_by_role("list", name="Notes on this curve")
    expect(notes.get_by_role("listitem")).to_have_text([f"step {step} The rate drops here."])
    kept = [note for note in call(server, "GET", f"/runs/{run['id']}/notes")["notes"] if note.get("metric") == "train/loss"]
    assert [(note["step"], note["text"]) for note in kept] == [(step, "The rate **drops** here.")]
    expect(page.get_by_role("region", name="val/accuracy", exact=True).get_by_role("list", name="Notes on this curve")).to_have_count(0)


def test_a_note_is_written_by_keys_alone(page, server):
    run = runs(server, "name = 'run_03'")[0]
    page.goto(f"/runs/{run['id']}/charts")
    chart_of(page, "val/accuracy").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    expect(page.get_by_role("textbox", name="Note", exact=True)).to_be_focused()
    page.keyboard.type("by keys")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("list", name="Notes on this curve")).to_contain_text("by keys")


def test_rows_have_a_small_curve_and_ask_for_those_in_sight(page, server):
    with page.expect_request(lambda request: request.url.endswith("/api/v1/curves")) as asked:
        page.goto("/experiments/digits/table")
    wanted = asked.value.post_data_json
    assert wanted["metrics"] == ["train/loss"] and len(wanted["runs"]) == 15 and wanted["buckets"] <= 50
    cell = page.get_by_role("img", name=re.compile("^train.loss curve: .* to .*, 20 NaN or ∞;"))
    expect(cell).to_have_count(1)
    # One row says the extremes that the store has, not those of the means that are drawn.
    run = runs(server, "name = 'run_01'")[0]
    known = next(one for one in call(server, "GET", f"/runs/{run['id']}/metrics")["metrics"] if one["metric"] == "train/loss")
    said = page.get_by_role("row", name=re.compile("run_01")).get_by_role("img").get_attribute("aria-label")
    low, high = map(float, re.search(r": ([\d.]+) to ([\d.]+);", said).groups())
    assert (low, high) == pytest.approx((known["min"], known["max"]), rel=1e-3)
    expect(page.get_by_role("img", name=re.compile("^train.loss curve: "))).to_have_count(15)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_open_menus_and_forms_keep_nobody_out(page, server, scheme):
    page.emulate_media(color_scheme=scheme)
    run = runs(server, "name = 'run_03'")[0]
    page.goto(f"/runs/{run['id']}/charts")
    chart_of(page, "train/loss").focus()
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="Save note")).to_be_visible()
    assert_open_to_all(page)
    page.goto("/experiments/digits")
    page.get_by_role("button", name="Saved views").click()
    expect(page.get_by_role("button", name="Save this view")).to_be_visible()
    page.wait_for_timeout(300)
    assert_open_to_all(page)
