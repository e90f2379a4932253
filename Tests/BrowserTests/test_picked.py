"""Two ticks in the table answer what differs between two runs; the comparison's own page is a link away."""

import re

import pytest
from playwright.sync_api import expect

from looking import assert_open_to_all
from store import call


@pytest.fixture(scope="module")
def picks(server):
    """Three runs that agree in one param of three, one of them with a metric that no other has."""
    call(server, "POST", "/experiments", {"name": "picks"})
    found = []
    for number, (rate, model, more) in enumerate([(0.1, "small", {}), (0.3, "small", {}), (0.1, "large", {"extra": 7})]):
        run = call(server, "POST", "/experiments/picks/runs", {"name": f"pick-{number}", "params": {"lr": rate, "model": model, "epochs": 6}})
        call(server, "POST", f"/runs/{run['id']}/metrics", {"metrics": {"loss": 0.5 - number / 10, "same": 3, **more}, "step": 1})
        found.append(run["id"])
    call(server, "POST", f"/runs/{found[0]}/end", {"status": "FINISHED"})
    return found


@pytest.fixture
def table(page, picks):
    page.goto("/experiments/picks/table")
    expect(page.get_by_role("row").filter(has_text="pick-2")).to_be_visible()

    def tick(number):
        page.get_by_role("checkbox", name=f"Pick pick-{number}", exact=True).click()

    return tick


def test_two_ticks_show_what_differs_and_nothing_else(page, table):
    beside = page.get_by_role("complementary", name="What differs")
    table(0)
    expect(beside).to_have_count(0)
    table(1)
    expect(beside.get_by_role("status")).to_have_text("1 param, 1 metric")
    expect(beside.get_by_role("row", name=re.compile(r"^lr 0\.1 0\.3"))).to_be_visible()
    # From the first of them, the less the better.
    expect(beside.get_by_role("row", name=re.compile("^loss")).locator(".best")).to_have_text("0.4 (−0.1)")
    for name in ("model", "epochs", "same"):
        expect(beside.get_by_role("row", name=re.compile(f"^{name}"))).to_have_count(0)
    expect(beside.get_by_role("button", name="2 params the same")).to_be_visible()
    table(2)
    expect(beside.get_by_role("status")).to_have_text("2 params, 2 metrics")
    expect(beside.get_by_role("row", name=re.compile("^extra .*– – 7"))).to_be_visible()


def test_what_differs_is_found_in_columns_that_the_table_does_not_show(page, picks):
    page.goto("/experiments/picks/table?columns=state")
    page.get_by_role("checkbox", name="Pick pick-0", exact=True).click()
    page.get_by_role("checkbox", name="Pick pick-2", exact=True).click()
    expect(page.get_by_role("complementary", name="What differs").get_by_role("row", name=re.compile("^model small large"))).to_be_visible()


def test_the_whole_comparison_is_a_link_away(page, table, picks):
    table(0)
    table(1)
    page.get_by_role("complementary", name="What differs").get_by_role("link", name="Curves and more").click()
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()
    assert all(run in page.url for run in picks[:2])


def test_it_works_with_keys_alone_and_closes(page, table):
    page.get_by_role("grid", name="Runs").focus()
    for key in ("ArrowDown", "x", "ArrowDown", "x"):
        page.keyboard.press(key)
    beside = page.get_by_role("complementary", name="What differs")
    expect(beside.get_by_role("status")).to_contain_text("param")
    beside.get_by_role("button", name="Close what differs").focus()
    page.keyboard.press("Escape")
    expect(beside).to_have_count(0)
    # Other runs are another question.
    table(0)
    expect(beside).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_open_to_all(page, table, scheme):
    page.emulate_media(color_scheme=scheme)
    page.reload()
    table(0)
    table(1)
    expect(page.get_by_role("complementary", name="What differs").get_by_role("row", name=re.compile("^loss"))).to_be_visible()
    assert_open_to_all(page)


def test_it_follows_a_run_that_goes_on(page, table, picks, server):
    table(1)
    table(2)
    beside = page.get_by_role("complementary", name="What differs")
    expect(beside.get_by_role("row", name=re.compile("^loss"))).to_contain_text("0.4")
    call(server, "POST", f"/runs/{picks[1]}/metrics", {"metrics": {"loss": 0.0625}, "step": 2})
    expect(beside.get_by_role("row", name=re.compile("^loss"))).to_contain_text("0.0625")
