"""What a page does before it can be read: little, nothing twice, and nothing that waits for something else without need."""

from collections import Counter

import pytest
from playwright.sync_api import expect


def asked(page):
    """The addresses that the page asks the API for, without the feed of changes; grows while one looks."""
    found = []
    page.on("request", lambda request: found.append(request.url.split("/api/v1/")[1]) if "/api/v1/" in request.url and "/changes" not in request.url else None)
    return found


@pytest.mark.parametrize("place", ["", "/table"])
def test_an_experiment_that_opens_asks_for_nothing_twice(page, place):
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
