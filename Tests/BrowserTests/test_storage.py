"""The treemap of where the bytes are: level by level, by pointer and by keys."""

import re

import pytest
from playwright.sync_api import expect

from conftest import serving
from looking import assert_open_to_all
from store import call


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store whose sizes are known: two projects, one with a run of 600 kB of artifacts and one of 200 kB."""
    with serving(tmp_path_factory.mktemp("storage")) as address:
        for project, sizes in (("large", [600_000, 200_000]), ("small", [50_000])):
            call(address, "POST", "/projects", {"name": project.title(), "slug": project})
            call(address, "POST", "/experiments", {"name": f"in {project}", "project": project})
            for number, size in enumerate(sizes):
                run = call(address, "POST", f"/experiments/in%20{project}/runs", {"name": f"{project} {number}"})
                call(address, "PUT", f"/runs/{run['id']}/artifacts/model.bin", raw=bytes([number + len(project)]) * size, kind="application/octet-stream")
                call(address, "POST", f"/runs/{run['id']}/metrics", {"metrics": {"loss": 1}, "step": 0})
        yield address


def area(box):
    bounds = box.bounding_box()
    return bounds["width"] * bounds["height"]


def test_one_goes_down_by_clicks_and_up_by_the_trail(page, store):
    page.goto(f"{store}/")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("link", name="Storage").click()
    map = page.get_by_role("group", name=re.compile("^Treemap of"))
    large, small = map.get_by_role("link", name=re.compile("^Large, ")), map.get_by_role("link", name=re.compile("^Small, "))
    # Room is what is drawn: sixteen times the bytes, about sixteen times the area.
    assert area(large) / area(small) == pytest.approx(16, rel=0.2)
    table = page.get_by_role("region", name="Parts")
    expect(table.get_by_role("row", name=re.compile("^Large 2 800 kB"))).to_be_visible()
    large.click()
    expect(page).to_have_url(re.compile(r"project=large$"))
    map.get_by_role("link", name=re.compile("^in large, ")).click()
    runs = map.get_by_role("link")
    expect(runs).to_have_count(2)
    assert area(runs.first) / area(runs.last) == pytest.approx(3, rel=0.05)
    runs.first.click()
    expect(page.get_by_role("heading", name=re.compile("^large 0: "))).to_be_visible()
    expect(table.get_by_role("row", name="Artifacts 600 kB 100.0 %")).to_be_visible()
    expect(page.get_by_role("link", name="The run")).to_have_attribute("href", re.compile("/runs/[0-9a-f]{32}$"))
    page.get_by_role("navigation", name="Level").get_by_role("link", name="All projects").click()
    expect(map.get_by_role("link", name=re.compile("^Small, "))).to_be_visible()


def test_keys_move_between_boxes_and_go_into_one(page, store):
    page.goto(f"{store}/settings/storage")
    map = page.get_by_role("group", name=re.compile("^Treemap of"))
    large = map.get_by_role("link", name=re.compile("^Large, "))
    boxes = map.locator("[data-box]")
    # Largest first: that may be the database's own, whose log grows and shrinks.
    large.focus()
    page.keyboard.press("Home")
    expect(boxes.first).to_be_focused()
    page.keyboard.press("End")
    expect(boxes.last).to_be_focused()
    # One stop of Tab, whatever there is in it.
    expect(map.locator("[data-box][tabindex='0']")).to_have_count(1)
    moved = 0
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        large.focus()
        page.keyboard.press(key)
        moved += large.evaluate("box => box !== document.activeElement && document.activeElement.hasAttribute('data-box')")
    assert moved > 0, "no arrow led to another box"
    large.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"project=large$"))


def test_a_count_is_made_anew_on_demand(page, store):
    page.goto(f"{store}/settings/storage?project=small")
    expect(page.get_by_role("heading", name=re.compile("^Small: 5"))).to_be_visible()
    run = call(store, "POST", "/experiments/in%20small/runs", {"name": "late"})
    call(store, "PUT", f"/runs/{run['id']}/artifacts/late.bin", raw=b"late" * 100_000, kind="application/octet-stream")
    page.get_by_role("button", name="Count anew").click()
    expect(page.get_by_role("heading", name=re.compile("^Small: 4[56]"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(page, store, scheme):
    page.emulate_media(color_scheme=scheme)
    for place in ("", "?project=large"):
        page.goto(f"{store}/settings/storage{place}")
        expect(page.get_by_role("group", name=re.compile("^Treemap of"))).to_be_visible()
        assert_open_to_all(page)
