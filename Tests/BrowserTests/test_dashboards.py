"""Dashboards: made, changed, kept for everybody, and live."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

from looking import assert_open_to_all, painted
from store import call


@pytest.fixture
def experiment(server, request):
    """An experiment of its own, so that no test sees another's dashboards."""
    name = re.sub(r"\W+", "-", request.node.name)
    call(server, "POST", "/experiments", {"name": name})
    for seed in range(6):
        run = call(server, "POST", f"/experiments/{name}/runs", {"params": {"lr": 0.1 * (1 + seed % 2), "seed": seed}})
        call(server, "POST", f"/runs/{run['id']}/metrics", {"series": [
            {"metric": "val/loss", "steps": [0, 1, 2], "values": [3, 2, 1 + seed / 10]}]})
        if seed:
            call(server, "POST", f"/runs/{run['id']}/end", {"status": "FINISHED"})
    return name


def keep(server, experiment, name, widgets, filter=""):
    call(server, "PATCH", f"/experiments/{experiment}", {"tags": {f"martlet.dashboard.{name}": json.dumps({"filter": filter, "widgets": widgets})}})


def test_a_dashboard_is_made_changed_and_kept_for_others(page, server, browser, experiment):
    page.goto(f"/experiments/{experiment}/dashboards")
    expect(page.get_by_text("No dashboard yet")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("weekly / team")
    page.get_by_role("button", name="New dashboard").click()
    expect(page.get_by_role("heading", name="weekly / team")).to_be_visible()
    expect(page.get_by_role("region", name="Best val/loss")).to_contain_text("run_01")
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Add a widget").click()
    page.get_by_role("button", name="Text", exact=True).click()
    page.get_by_role("textbox", name="Text").fill("What **counts** this week.")
    tools = page.get_by_role("toolbar", name="Change Text")
    for _ in range(6):
        tools.get_by_role("button", name="Earlier").click()
    tools.get_by_role("button", name="Width: 2 of 3").click()
    page.get_by_role("toolbar", name="Change Runs by state").get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Dashboard saved")).to_be_visible()

    other = browser.new_page()
    other.goto(f"{server}/experiments/{experiment}/dashboards")
    other.get_by_role("link", name="weekly / team").click()
    first = other.locator(".widget").first
    expect(first.locator("strong")).to_have_text("counts")
    # All of the three columns: as wide as the place it lies in.
    assert first.bounding_box()["width"] == pytest.approx(other.locator(".widgets").bounding_box()["width"], abs=1)
    expect(other.get_by_role("region", name="Runs by state")).to_have_count(0)
    other.close()

    page.get_by_role("button", name="More of this dashboard").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("No dashboard yet")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="weekly / team")).to_be_visible()


def test_it_is_live(page, server, experiment):
    keep(server, experiment, "live", [{"kind": "best", "width": 1, "settings": {"metric": "val/loss"}}, {"kind": "states", "width": 1, "settings": {}},
                                      {"kind": "curve", "width": 1, "settings": {"metric": "val/loss"}}])
    page.goto(f"/experiments/{experiment}/dashboards/live")
    best = page.get_by_role("region", name="Best val/loss")
    expect(best.locator(".big")).to_have_text("1")
    expect(best).to_contain_text("n 6 of 6 runs")
    states = page.get_by_role("region", name="Runs by state")
    expect(states.get_by_role("row", name="running 1")).to_be_visible()
    chart = page.get_by_role("region", name="val/loss", exact=True).locator(".chart")
    assert painted(chart) > 300
    run = call(server, "POST", f"/experiments/{experiment}/runs", {"params": {"lr": 0.1, "seed": 9}})
    call(server, "POST", f"/runs/{run['id']}/metrics", {"metrics": {"val/loss": 0.25}, "step": 0})
    expect(best.locator(".big")).to_have_text("0.25")
    expect(best).to_contain_text("n 7 of 7 runs")
    expect(states.get_by_role("row", name="running 2")).to_be_visible()


def test_a_widgets_choices_are_its_own(page, server):
    keep(server, "sweep", "own", [{"kind": "scatter", "width": 1, "settings": {"metric": "val/loss", "x": "params.lr"}},
                                  {"kind": "scatter", "width": 1, "settings": {"metric": "val/accuracy", "x": "params.dropout"}}], "params.optimizer = 'adam'")
    page.goto("/experiments/sweep/dashboards/own")
    scatters = page.get_by_role("region", name="Scatter")
    expect(scatters).to_have_count(2)
    one, other = scatters.first, scatters.last
    expect(one.get_by_role("img")).to_have_attribute("aria-label", "Scatter of val/loss over lr, 16 runs")
    expect(other.get_by_role("img")).to_have_attribute("aria-label", "Scatter of val/accuracy over dropout, 15 runs")
    one.get_by_role("combobox").select_option("params.width")
    expect(one.get_by_role("img")).to_have_attribute("aria-label", "Scatter of val/loss over width, 16 runs")
    expect(other.get_by_role("img")).to_have_attribute("aria-label", "Scatter of val/accuracy over dropout, 15 runs")
    assert "x=" not in page.url
    # A change that is not saved is not lost without a question.
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.close(run_before_unload=True)
    deadline = time.monotonic() + 5
    while not asked:
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Discard").click()
    expect(one.get_by_role("img")).to_have_attribute("aria-label", "Scatter of val/loss over lr, 16 runs")


def edited(page, experiment, name, text):
    """A dashboard with a change that is not saved."""
    page.goto(f"/experiments/{experiment}/dashboards/{name}")
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("textbox", name="Text").fill(text)
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_visible()


def test_what_somebody_else_saved_meanwhile_is_not_run_over(page, server, experiment):
    keep(server, experiment, "shared", [{"kind": "text", "width": 1, "settings": {"text": "first"}}])
    edited(page, experiment, "shared", "mine")
    keep(server, experiment, "shared", [{"kind": "text", "width": 1, "settings": {"text": "theirs"}},
                                        {"kind": "best", "width": 1, "settings": {"metric": "val/loss"}}], "params.lr > 0")
    page.get_by_role("button", name="Save", exact=True).click()
    warning = page.get_by_role("alert")
    expect(warning).to_contain_text("Somebody else has saved this dashboard since you began")
    expect(warning).to_contain_text("with “Best value of val/loss” as it is now")
    expect(warning).to_contain_text("filter “params.lr > 0”")
    # Nothing was lost on either side.
    expect(page.get_by_role("textbox", name="Text")).to_have_value("mine")
    stored = call(server, "GET", f"/experiments/{experiment}")["tags"]["martlet.dashboard.shared"]
    assert "theirs" in stored and "mine" not in stored
    warning.get_by_role("button", name="Show theirs, drop mine").click()
    expect(page.get_by_text("theirs", exact=True)).to_be_visible()
    expect(warning).to_have_count(0)

    page.get_by_role("button", name="Edit").click()
    page.get_by_role("textbox", name="Text").fill("mine again")
    keep(server, experiment, "shared", [{"kind": "states", "width": 1, "settings": {}}])
    page.get_by_role("button", name="Save", exact=True).click()
    warning.get_by_role("button", name="Save mine over theirs").click()
    expect(page.get_by_text("Dashboard saved")).to_be_visible()
    assert "mine again" in call(server, "GET", f"/experiments/{experiment}")["tags"]["martlet.dashboard.shared"]


def test_leaving_with_changes_that_are_not_saved_is_asked_about(page, server, experiment):
    keep(server, experiment, "draft", [{"kind": "text", "width": 1, "settings": {"text": "first"}}])
    page.goto(f"/experiments/{experiment}/dashboards")
    page.get_by_role("link", name="draft").click()
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("textbox", name="Text").fill("second")
    asked = []

    def answer(yes):
        page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept() if yes else dialog.dismiss()))

    answer(False)
    page.get_by_role("link", name="Table").click()
    expect(page.get_by_role("textbox", name="Text")).to_have_value("second")
    answer(False)
    page.evaluate("history.back()")
    expect(page).to_have_url(re.compile(r"/dashboards/draft$"))
    expect(page.get_by_role("textbox", name="Text")).to_have_value("second")
    answer(True)
    page.get_by_role("link", name="Table").click()
    expect(page).to_have_url(re.compile(r"/table$"))
    assert len(asked) == 3 and all("not saved" in text for text in asked)
    # Saved, it may be left without a word.
    edited(page, experiment, "draft", "third")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Dashboard saved")).to_be_visible()
    page.get_by_role("link", name="Table").click()
    expect(page).to_have_url(re.compile(r"/table$"))


def test_notes_on_curves_are_seen_where_many_runs_are_drawn(page, server, experiment):
    run = call(server, "GET", f"/experiments/{experiment}/runs")["runs"][0]
    call(server, "POST", f"/runs/{run['id']}/notes", {"text": "Rate **halved** here.", "metric": "val/loss", "step": 1})
    page.goto(f"/experiments/{experiment}")
    notes = page.get_by_role("region", name="val/loss", exact=True).get_by_role("list", name="Notes on this curve")
    expect(notes).to_have_text(f"step 1 {run['name']}: Rate halved here.")
    # A note stands at a step: over time it has no place.
    page.goto(f"/experiments/{experiment}?x=time")
    expect(page.get_by_role("region", name="val/loss", exact=True)).to_be_visible()
    expect(notes).to_have_count(0)
    keep(server, experiment, "noted", [{"kind": "curve", "width": 2, "settings": {"metric": "val/loss"}}])
    page.goto(f"/experiments/{experiment}/dashboards/noted")
    expect(notes).to_contain_text("Rate halved here.")


def test_what_others_wrote_into_the_tag_breaks_nothing(page, server, experiment):
    call(server, "PATCH", f"/experiments/{experiment}", {"tags": {
        "martlet.dashboard.torn": "{", "martlet.dashboard.odd": json.dumps({"widgets": [
            {"kind": "teapot"}, None, {"kind": "best", "width": 77, "settings": {"metric": 5}}, {"kind": "text", "settings": {"text": "<b>still here</b>"}}]})}})
    page.goto(f"/experiments/{experiment}/dashboards/torn")
    expect(page.get_by_text("This is no dashboard")).to_be_visible()
    page.goto(f"/experiments/{experiment}/dashboards/odd")
    expect(page.locator(".widget")).to_have_count(2)
    expect(page.get_by_text("<b>still here</b>")).to_be_visible()
    page.goto(f"/experiments/{experiment}/dashboards/none")
    expect(page.get_by_text("There is no dashboard “none” here")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(page, server, scheme):
    page.emulate_media(color_scheme=scheme)
    kinds = ["curve", "best", "states", "scatter", "groups", "tradeoff", "contour", "correlation", "text"]
    keep(server, "sweep", "all", [{"kind": kind, "width": 1, "settings": {"text": "Text."} if kind == "text" else {"metric": "val/loss"}} for kind in kinds])
    page.goto("/experiments/sweep/dashboards/all")
    expect(page.locator(".widget")).to_have_count(len(kinds))
    expect(page.get_by_role("region", name="Correlation", exact=True).get_by_role("img")).to_be_visible()
    assert_open_to_all(page)
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("toolbar")).to_have_count(len(kinds))
    assert_open_to_all(page)
