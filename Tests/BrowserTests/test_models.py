"""The registry's pages: versions with their aliases and stages, and that both are changed there."""

import pytest
from playwright.sync_api import expect

from conftest import serving
from looking import assert_open_to_all
from store import call


@pytest.fixture
def reader(tmp_path):
    """A model of two versions, the first of which is the champion; and one without any."""
    with serving(tmp_path) as address:
        call(address, "POST", "/models", {"name": "reader", "project": "default", "description": "Reads digits."})
        call(address, "POST", "/models", {"name": "empty", "project": "default"})
        for number in (1, 2):
            call(address, "POST", "/models/reader/versions", {"source": f"s3://models/reader/{number}", "description": f"try {number}"})
        call(address, "PUT", "/models/reader/aliases/champion", {"version": 1})
        yield address


def test_versions_stand_newest_first_and_their_aliases_and_stages_move(page, reader):
    page.goto(f"{reader}/models")
    expect(page.get_by_role("row", name="reader")).to_contain_text("@champion → 1")
    page.get_by_role("link", name="reader").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("2 try 2")
    expect(rows.last).to_contain_text("@champion")
    rows.first.get_by_role("button", name="Give version 2 an alias").click()
    page.get_by_role("textbox", name="Alias").fill("@champion")
    page.keyboard.press("Enter")
    expect(page.get_by_text("@champion moved from version 1 to 2")).to_be_visible()
    expect(rows.first).to_contain_text("@champion")
    expect(rows.last).not_to_contain_text("@champion")
    rows.first.get_by_label("Stage of version 2").select_option("Production")
    expect(page.get_by_text("Version 2 is now Production")).to_be_visible()
    rows.first.get_by_role("button", name="Take @champion away").click()
    expect(rows.first).not_to_contain_text("@champion")
    version = call(reader, "GET", "/models/reader/versions/2")
    assert (version["stage"], version["aliases"]) == ("Production", [])
    # A name that the server does not take is refused in its words.
    rows.first.get_by_role("button", name="Give version 2 an alias").click()
    page.get_by_role("textbox", name="Alias").fill("latest")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("latest")
    expect(rows.first).not_to_contain_text("@latest")


def test_a_model_without_versions_says_how_to_make_one(page, reader):
    page.goto(f"{reader}/models/empty")
    expect(page.get_by_text("No versions yet")).to_be_visible()
    expect(page.get_by_text("martlet models register empty RUN PATH")).to_be_visible()


def test_a_model_that_is_not_there_leads_back(page, reader):
    page.goto(f"{reader}/models/raeder")
    expect(page.get_by_role("alert")).to_contain_text("There is no registered model “raeder”")
    page.get_by_role("link", name="All projects", exact=True).click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(page, reader, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{reader}/models/reader")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert_open_to_all(page)
