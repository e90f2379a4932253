"""What a page does before it can be read: little, nothing twice, and nothing that waits for something else without need."""

from collections import Counter
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from store import call


def asked(page):
    """The addresses that the page asks the API for, without the feed of changes; grows while one looks."""
    found = []
    page.on("request", lambda request: found.append(request.url.split("/api/v1/")[1]) if "/api/v1/" in request.url and "/changes" not in request.url else None)
    return found


def settle(server):
    """Waits until nothing happens any more: what a store does after it was filled is news, which pages ask again for."""
    cursor = call(server, "GET", "/changes")["cursor"]
    while (found := call(server, "GET", f"/changes?since={cursor}&wait=1"))["changes"]:
        cursor = found["cursor"]


@pytest.mark.parametrize("place", ["", "/table"])
def test_an_experiment_that_opens_asks_for_nothing_twice(page, server, place):
    settle(server)
    found = asked(page)
    with page.expect_response(lambda answer: "/changes?since=" in answer.url):
        page.goto("/experiments/sweep" + place)
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", "49" if place else "48")
    # What a stream that opens makes the page ask again is asked half a second later.
    page.wait_for_timeout(800)
    counted = Counter(found)
    assert counted["experiments/sweep"] == 1 and counted["experiments/sweep/names"] == 1, counted
    assert counted["runs/table"] == (2 if place else 1), counted  # the table's first look, and all of it


def test_every_script_of_a_first_visit_is_named_by_the_page_itself(page):
    page.goto("/")
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    late = page.evaluate("""() => {
        const named = new Set([...document.querySelectorAll('link[rel=modulepreload], script[src]')].map(one => one.href || one.src))
        return performance.getEntriesByType('resource').map(one => one.name).filter(name => /\\/assets\\/.*\\.js$/.test(name) && !named.has(name))
    }""")
    assert late == [], "the browser hears of these when another script has come"


def test_a_first_visit_loads_three_files_of_script(page):
    page.goto("/experiments/sweep/table")
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", "49")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(one => one.name).filter(name => /\\.js$/.test(name))")
    assert len(loaded) == 3, loaded


def test_questions_are_on_their_way_before_the_apps_script(page):
    page.route("**/assets/main-*.js", lambda route: None)
    with page.expect_response("**/api/v1/runs/table"), page.expect_response("**/api/v1/experiments/sweep/names"):
        page.goto("/experiments/sweep/table", wait_until="commit")


def test_a_run_is_asked_for_once_and_without_its_artifacts(page, server):
    run = call(server, "GET", "/experiments/digits/runs?limit=1&filter=" + quote("params.seed = 0"))["runs"][0]["id"]
    settle(server)
    answers = []
    page.on("response", lambda answer: answers.append(answer) if f"/api/v1/runs/{run}" in answer.url else None)
    page.goto(f"/runs/{run}/artifacts?view=pictures")
    expect(page.get_by_role("region", name="2 pictures of")).to_be_visible()
    expect(page.get_by_role("button", name="All pictures 2")).to_be_visible()
    page.wait_for_timeout(800)
    paths = Counter(answer.url.split("/api/v1/")[1].split(run)[1].split("?")[0] for answer in answers)
    assert paths[""] == 1 and paths["/artifacts"] == 1, paths
    about = next(answer for answer in answers if answer.url.endswith("?artifacts=0")).json()
    assert about["artifacts"] == [] and about["artifact_count"] >= 4


def test_the_table_shows_runs_before_the_experiments_names_are_known(page):
    held = []
    page.route("**/experiments/sweep/names", lambda route: held.append(route))
    page.goto("/experiments/sweep/table")
    grid = page.get_by_role("grid", name="Runs")
    expect(grid.get_by_role("columnheader", name="dropout")).to_be_visible()
    expect(grid.get_by_role("row").nth(5)).to_be_visible()
    columns = grid.get_attribute("aria-colcount")
    for route in held:
        route.continue_()
    expect(grid).to_have_attribute("aria-rowcount", "49")
    expect(grid).to_have_attribute("aria-colcount", columns)
