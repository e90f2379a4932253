"""What is saved from the pages: pictures, and files that need no server."""

import re
import xml.etree.ElementTree as ElementTree

from playwright.sync_api import expect

from looking import assert_open_to_all, saved
from store import call, runs

SVG = "{http://www.w3.org/2000/svg}"
PAIR = "/compare?runs=00000000000000000000000000000001,00000000000000000000000000000002"


def opened_alone(page, text, tmp_path):
    """The file as somebody opens it who has nothing but it."""
    assert "<script" not in text.lower() and "src=" not in text
    file = tmp_path / "saved.html"
    file.write_text(text)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert asked == [file.as_uri()]


def saved_by(page, name):
    with page.expect_download() as found:
        page.get_by_role("button", name=name).click()
    return found.value.path().read_text()


def test_a_panel_is_saved_as_svg_with_its_lines_bands_and_names(page):
    page.goto("/experiments/digits")
    panel = page.get_by_role("region", name="train/loss", exact=True)
    expect(panel.locator(".chart")).to_be_visible()
    panel.hover()
    root = ElementTree.fromstring(saved(page, panel, "Save as SVG"))
    words = [text.text for text in root.iter(SVG + "text")]
    assert "train/loss" in words and sum(word.endswith("· n 5") for word in words) == 3
    drawn = [path for path in root.iter(SVG + "path") if path.attrib["d"].count("L") > 50]
    assert sum(path.attrib["fill"] == "none" for path in drawn) == 3, "a line for each group"
    assert sum(path.attrib["fill"] != "none" for path in drawn) == 3, "a band for each group"
    # Triangles: one of the runs ended in NaN.
    assert any(re.fullmatch(r"M[\d. -]+L[\d. -]+L[\d. -]+Z", path.attrib["d"]) for path in root.iter(SVG + "path"))


def test_a_comparison_is_saved_as_one_file(page, tmp_path):
    page.goto(PAIR)
    expect(page.get_by_role("row", name=re.compile("^gate"))).to_contain_text("Less is better")
    opened_alone(page, saved_by(page, "Save as HTML"), tmp_path)
    expect(page.get_by_role("heading", name="before and after")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("compare.runs"))).to_have_attribute("href", re.compile("^http"))
    expect(page.get_by_role("row", name="depth 4 5")).to_be_visible()
    expect(page.get_by_role("row", name="gate less 5 4").locator(".best")).to_have_text("4")
    expect(page.get_by_role("row", name="torch 2.4.0 2.5.1")).to_be_visible()
    expect(page.get_by_role("img", name="curve: 2 lines")).to_be_visible()
    expect(page.locator("pre .in")).to_have_text(["+     width = 128"])
    assert_open_to_all(page)


def test_a_run_is_saved_as_one_file(page, server, tmp_path):
    run = runs(server, "name = 'run_01'")[0]
    call(server, "PATCH", f"/runs/{run['id']}", {"description": "<img src=x onerror=alert(1)> & more"})
    page.goto(f"/runs/{run['id']}")
    page.get_by_role("button", name="Change this run").click()
    text = saved_by(page, "Save as HTML")
    # What people wrote stands there as text.
    assert "<img" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    file = tmp_path / "run.html"
    file.write_text(text)
    page.goto(file.as_uri())
    expect(page.get_by_role("heading", name="run_01", exact=True)).to_be_visible()
    expect(page.get_by_text("<img src=x onerror=alert(1)> & more")).to_be_visible()
    expect(page.get_by_role("img", name="train/loss: 1 lines")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^val.accuracy .* 60"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^scores.csv"))).to_be_visible()
    assert_open_to_all(page)
