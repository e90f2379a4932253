"""Comparisons that are kept: the numbers of their moment, until somebody looks again."""

import re

import pytest
from playwright.sync_api import expect

from looking import assert_open_to_all, painted
from store import call


@pytest.fixture
def pair(server, request):
    """Two runs of an experiment of their own, still running."""
    name = re.sub(r"\W+", "-", request.node.name)
    call(server, "POST", "/experiments", {"name": name})
    made = []
    for number in range(2):
        run = call(server, "POST", f"/experiments/{name}/runs", {"name": f"try {number}", "params": {"lr": 0.1 * (number + 1)}})
        call(server, "POST", f"/runs/{run['id']}/metrics", {"series": [
            {"metric": "loss", "steps": list(range(20)), "values": [2 - step / 20 - number / 10 for step in range(20)]}]})
        made.append(run["id"])
    return made


def test_what_was_kept_stays_until_it_is_looked_at_again(page, server, pair):
    page.goto(f"/compare?runs={','.join(pair)}")
    page.get_by_role("button", name="Keep this comparison").click()
    expect(page).to_have_url(re.compile(r"/visualizations/[0-9a-f-]{36}$"))
    loss = page.get_by_role("region", name="Side by side").get_by_role("row", name=re.compile("^loss"))
    expect(loss.get_by_role("cell").nth(1)).to_have_text("1.05")
    expect(loss.locator(".best")).to_contain_text("0.95")
    expect(page.locator(".lead time")).to_have_attribute("datetime", re.compile(r"^20\d\d-"))
    chart = page.get_by_role("region", name="loss", exact=True)
    expect(chart.locator(".chart")).to_be_visible()
    assert painted(chart.locator(".chart")) > 300

    call(server, "POST", f"/runs/{pair[0]}/metrics", {"metrics": {"loss": 0.125}, "step": 20})
    page.reload()
    expect(loss.get_by_role("cell").nth(1)).to_have_text("1.05")
    chart.get_by_role("button", name="More of").click()
    chart.get_by_role("button", name="Show as table").click()
    expect(chart.get_by_role("row")).to_have_count(21)

    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("Version 2 is what stands now")).to_be_visible()
    expect(loss.locator(".best")).to_have_text("0.125")
    expect(chart.get_by_role("row")).to_have_count(22)
    # The former stays readable, at an address of its own.
    page.get_by_role("combobox", name="Version").select_option("1")
    expect(page).to_have_url(re.compile(r"version=1$"))
    expect(loss.get_by_role("cell").nth(1)).to_have_text("1.05")
    expect(page.get_by_text("Not the newest version")).to_be_visible()

    page.get_by_role("link", name="Comparisons").click()
    kept = page.get_by_role("region", name="Kept comparisons").get_by_role("row", name=re.compile("try 0, try 1.*2 runs 2"))
    kept.first.get_by_role("link").click()
    expect(loss.locator(".best")).to_have_text("0.125")
    page.get_by_role("button", name="More of this comparison").click()
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/compare$"))


def test_experiments_are_compared_by_their_best_and_their_spread(page, server):
    kept = call(server, "POST", "/experiments/compare", {
        "experiment_ids": ["digits", "sweep"], "metrics": ["val/accuracy"], "visualization": "parallel_coordinates"})
    page.goto(kept["results"]["visualization_url"])
    table = page.get_by_role("region", name="Side by side")
    accuracy = table.get_by_role("row", name=re.compile("^val.accuracy"))
    expect(accuracy).to_contain_text("More is better, guessed from the name")
    # Of the fifteen runs one failed; of the sweep's forty-eight one has no accuracy.
    expect(accuracy.get_by_role("cell").nth(1)).to_contain_text("n 14")
    expect(accuracy.get_by_role("cell").nth(2)).to_contain_text("n 47")
    expect(accuracy.locator(".best")).to_have_count(1)
    expect(page.get_by_text("No test of significance is made yet")).to_be_visible()
    runs = page.get_by_role("region", name="Runs", exact=True)
    expect(runs.get_by_role("columnheader").first).to_have_text("Run")
    expect(page.get_by_role("group", name=re.compile("^Parallel coordinates of 6[0-9] runs over experiment, .*val.accuracy"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(page, server, scheme):
    page.emulate_media(color_scheme=scheme)
    runs = [f"{number + 1:032x}" for number in range(2)]
    for body in ({"run_ids": runs}, {"experiment_ids": ["digits", "sweep"]}):
        kept = call(server, "POST", "/comparisons", body)
        page.goto(kept["visualization_url"])
        expect(page.get_by_role("region", name="Side by side")).to_be_visible()
        assert_open_to_all(page)
    page.goto("/compare")
    expect(page.get_by_role("region", name="Kept comparisons")).to_be_visible()
    assert_open_to_all(page)
    page.goto("/visualizations/nothing")
    expect(page.get_by_role("alert")).to_contain_text("There is no comparison “nothing”")
