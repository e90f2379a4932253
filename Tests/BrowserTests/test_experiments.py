"""Experiments are picked in their list and compared: by mouse, by keys, and what keeps it from being done is said."""

import re

import pytest
from playwright.sync_api import expect

from conftest import serving
from looking import assert_open_to_all
from store import call


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The address of a server with 52 small experiments in two projects."""
    with serving(tmp_path_factory.mktemp("many")) as address:
        for slug, count in (("wide", 50), ("narrow", 2)):
            call(address, "POST", "/projects", {"name": slug.title(), "slug": slug})
            for number in range(count):
                made = call(address, "POST", "/experiments", {"name": f"{slug} {number:02}", "project": slug})
                if number < 3:
                    run = call(address, "POST", f"/experiments/{made['id']}/runs", {"params": {"lr": 0.1}})
                    call(address, "POST", f"/runs/{run['id']}/metrics", {"metrics": {"loss": 1 + number}})
        yield address


def bar(page):
    return page.get_by_role("form", name="Comparison")


def test_two_are_picked_named_and_kept(page, server):
    page.goto("/projects/vision")
    page.get_by_role("checkbox", name="Pick digits").check()
    expect(bar(page)).to_contain_text("1 experiment picked")
    expect(bar(page)).to_contain_text("Pick 1 more experiment.")
    expect(bar(page).get_by_role("button", name="Compare")).to_be_disabled()
    # What is searched for leaves the pick alone.
    page.get_by_role("searchbox", name="Search experiments").fill("sweep")
    expect(bar(page)).to_contain_text("1 not in sight")
    page.get_by_role("checkbox", name="Pick sweep").check()
    name = bar(page).get_by_role("textbox", name="Name of the comparison")
    expect(name).to_have_attribute("placeholder", re.compile("digits, sweep|sweep, digits"))
    name.fill("Does the sweep pay?")
    bar(page).get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile(r"/visualizations/[0-9a-f-]{36}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Does the sweep pay?")
    expect(page.get_by_role("region", name="Side by side").get_by_role("columnheader")).to_have_count(3)
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("link", name="Comparisons").last.click()
    expect(page.get_by_role("region", name="Kept comparisons").get_by_role("row", name=re.compile("Does the sweep pay"))).to_contain_text("2 experiments")


def test_keys_alone_do_it(page, many):
    page.goto(many)
    first = page.get_by_role("checkbox", name=re.compile("^Pick narrow")).first
    first.focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(bar(page)).to_contain_text("2 experiments picked")
    page.keyboard.press("Escape")
    expect(bar(page)).to_have_count(0)
    page.keyboard.press("x")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+x")
    expect(bar(page)).to_contain_text("2 experiments picked")
    page.keyboard.press("Enter")
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/visualizations/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("By keys")


def test_more_than_fifty_are_refused_before_the_server_is_asked(page, many):
    page.goto(many)
    boxes = page.get_by_role("checkbox", name=re.compile("^Pick"))
    expect(boxes).to_have_count(52)
    boxes.first.check()
    boxes.last.click(modifiers=["Shift"])
    expect(bar(page)).to_contain_text("52 experiments picked")
    expect(bar(page).get_by_role("alert")).to_have_text("Up to 50 are compared at once: untick 2.")
    expect(bar(page).get_by_role("button", name="Compare")).to_be_disabled()
    boxes.first.uncheck()
    boxes.last.uncheck()
    expect(bar(page).get_by_role("button", name="Compare")).to_be_enabled()


def test_what_the_server_refuses_is_said_where_it_was_asked(page, many):
    page.goto(many)
    for name in ("wide 40", "wide 41"):
        page.get_by_role("checkbox", name=f"Pick {name}").check()
    page.route("**/api/v1/experiments/compare", lambda route: route.abort())
    bar(page).get_by_role("button", name="Compare").click()
    expect(bar(page).get_by_role("alert")).to_contain_text("The server does not answer.")
    page.unroute("**/api/v1/experiments/compare")
    # Experiments without runs are compared too: there is just nothing to see.
    bar(page).get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("wide 4[01], wide 4[01]"))
    expect(page.get_by_text("No metric had been logged in them.")).to_be_visible()


def test_a_project_that_is_not_there_is_named(page, server):
    page.goto("/projects/visoin")
    expect(page.get_by_text("There is no project “visoin”")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(page, many, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{many}/projects/narrow")
    page.get_by_role("checkbox", name="Pick narrow 00").check()
    assert_open_to_all(page)


def test_menus_and_the_palette_are_walked_by_keys_and_give_the_focus_back(page, server):
    page.goto("/")
    more = page.get_by_role("button", name="More", exact=True)
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Rows: normal")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("link", name="API")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Where to")
    expect(page.get_by_role("option")).to_have_count(40)
    for _ in range(39):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    box = page.get_by_role("checkbox", name="Pick digits")
    box.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_be_focused()
