"""The statistical charts of the Explore page, against the same numbers worked out here."""

import csv
import math
import re
import statistics
import xml.etree.ElementTree as ElementTree

import pytest
from playwright.sync_api import expect

from looking import painted, saved, table_of
from store import call

CHARTS = ["Scatter", "By group", "Trade-off", "Contour", "Correlation"]


@pytest.fixture(scope="module")
def sweep(server):
    """The runs of the sweep; a metric that is no number is None."""
    found = call(server, "GET", "/experiments/sweep/runs?limit=100")["runs"]
    for run in found:
        run["metrics"] = {name: value if isinstance(value, (int, float)) else None for name, value in run["metrics"].items()}
    return found


def explore(page, query=""):
    page.goto("/experiments/sweep/explore" + query)
    expect(page.get_by_role("region", name="Correlation", exact=True)).to_be_visible()
    return lambda name: page.get_by_role("region", name=name, exact=True)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_drawn_and_says_how_many_it_shows(page, name):
    region = explore(page, "?metric=val/accuracy")(name)
    expect(region.get_by_role("img")).to_be_visible()
    assert painted(region) > 1000
    expect(region.locator(".stat-foot")).to_contain_text(
        "n 45 to 48 of 48 runs" if name == "Correlation" else "n 47 of 48 runs · left out: 1 without a value · 1 still running")


@pytest.mark.parametrize("name", ["Scatter", "By group", "Contour"])
def test_what_is_no_number_is_left_out_and_said(page, name):
    region = explore(page, "?metric=val/loss")(name)
    expect(region.locator(".stat-foot")).to_contain_text("n 46 of 48 runs · left out: 2 with NaN or ∞")


def test_groups_have_the_quartiles_of_their_runs(page, sweep):
    region = explore(page, "?metric=val/accuracy&by=optimizer")("By group")
    assert "adam, median" in region.get_by_role("img").get_attribute("aria-label")
    before = region.locator("canvas").evaluate("c => c.toDataURL()")
    region.get_by_role("button", name="Violin").click()
    expect(page).to_have_url(re.compile("shape=violin"))
    page.wait_for_function("([c, b]) => c.toDataURL() !== b", arg=[region.locator("canvas").element_handle(), before])
    head, rows = table_of(region)
    assert head[:3] == ["optimizer", "n", "median"]
    for label, n, median, low, high, *_ in rows:
        values = [run["metrics"].get("val/accuracy") for run in sweep if run["params"]["optimizer"] == label]
        values = [value for value in values if value is not None]
        quartiles = statistics.quantiles(values, n=4, method="inclusive")
        assert int(n) == len(values)
        assert [float(low), float(median), float(high)] == pytest.approx(quartiles, rel=1e-5)


def test_a_number_with_many_values_is_grouped_in_fifths(page):
    region = explore(page, "?metric=val/accuracy&by=lr")("By group")
    _, rows = table_of(region)
    assert len(rows) == 5 and sum(int(row[1]) for row in rows) == 47
    assert max(int(row[1]) for row in rows) - min(int(row[1]) for row in rows) <= 2


def front(sweep, x, y, x_sign, y_sign):
    """The runs that no other beats, by trying all; a sign of 1 says that less is better."""
    points = [(x_sign * run["metrics"][x], y_sign * run["metrics"][y], run["name"]) for run in sweep
              if run["metrics"].get(x) is not None and run["metrics"].get(y) is not None]
    return {name for a, b, name in points
            if not any(c <= a and d <= b and (c, d) != (a, b) for c, d, _ in points)}


def test_the_front_is_what_no_run_beats(page, sweep):
    region = explore(page, "?py=metrics.val/accuracy&px=metrics.latency_ms")("Trade-off")
    expect(region.get_by_role("button", name="x: less is better")).to_be_visible()
    expect(region.get_by_role("button", name="y: more is better")).to_be_visible()
    expect(region.locator(".stat-foot")).to_contain_text("guessed from the name")
    _, rows = table_of(region)
    assert {row[0] for row in rows if row[3] == "yes"} == front(sweep, "latency_ms", "val/accuracy", 1, -1)


def test_a_direction_is_taken_from_the_definition_and_can_be_turned(page, sweep):
    region = explore(page, "?py=metrics.val/loss&px=metrics.images_per_joule")("Trade-off")
    said = region.get_by_role("button", name="x: more is better")
    expect(said).not_to_contain_text("?")
    said.click()
    expect(page).to_have_url(re.compile("pxgoal=min"))
    expect(region.get_by_role("button", name="x: less is better")).to_be_visible()
    _, rows = table_of(region)
    assert {row[0] for row in rows if row[3] == "yes"} == front(sweep, "images_per_joule", "val/loss", 1, 1)


def ranks(values):
    return [sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values]


def test_correlations_are_spearmans_over_the_runs_with_both(page, sweep):
    region = explore(page)("Correlation")
    table = {(row[0], row[1]): row for row in csv.reader(saved(page, region, "Save as CSV").splitlines()[1:])}
    value = lambda run, name: run["metrics"].get(name) if name in ("val/loss", "latency_ms") else run["params"].get(name)  # noqa: E731
    for one, other in [("width", "latency_ms"), ("lr", "val/loss"), ("dropout", "val/loss")]:
        pairs = [(value(run, one), value(run, other)) for run in sweep if value(run, other) is not None]
        row = table.get((one, other)) or table[(other, one)]
        assert int(row[3]) == len(pairs)
        assert float(row[2]) == pytest.approx(statistics.correlation(ranks([a for a, _ in pairs]), ranks([b for _, b in pairs])), abs=1e-9)


def test_a_square_opens_its_pair_as_a_scatter(page):
    region = explore(page, "?metric=val/accuracy")("Correlation")
    region.locator(".chart").scroll_into_view_if_needed()
    box = region.locator(".chart").bounding_box()
    # The first column is the first setting, the last row the last metric.
    page.mouse.move(box["x"] + 118 + 20, box["y"] + box["height"] - 78 - 8)
    expect(region.locator(".readout")).to_contain_text("val/loss")
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile("metric=val/loss"))
    expect(page.get_by_role("region", name="Scatter", exact=True).get_by_role("img")).to_have_attribute("aria-label", re.compile("^Scatter of val/loss over"))


def test_a_contour_says_what_it_lacks(page):
    page.goto("/experiments/digits/explore")
    expect(page.get_by_role("region", name="Contour", exact=True)).to_contain_text("A contour takes two numeric settings")


def test_a_brush_chooses_the_runs_of_every_chart(page):
    region = explore(page, "?metric=val/accuracy&axes=lr,width")
    canvas = page.get_by_role("region", name="Parallel coordinates").locator("canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 70, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 70, box["y"] + 150, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Clear brushes")).to_be_visible()
    text = region("Scatter").locator(".stat-foot").inner_text()
    shown, of = map(int, re.match(r"n (\d+) of (\d+) runs", text).groups())
    assert 3 < shown <= of < 48
    for name in ("By group", "Contour"):
        expect(region(name).locator(".stat-foot")).to_contain_text(f"n {shown} of {of} runs")


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_saved_as_svg_with_all_that_it_shows(page, name):
    region = explore(page, "?metric=val/accuracy")(name)
    root = ElementTree.fromstring(saved(page, region, "Save as SVG"))
    tag = "{http://www.w3.org/2000/svg}"
    assert root.tag == tag + "svg" and root.attrib["aria-label"]
    words = {text.text for text in root.iter(tag + "text")}
    if name == "Correlation":
        assert {"lr", "width", "val/loss"} <= words
        assert len(list(root.iter(tag + "rect"))) > 49
    else:
        # A circle for each run.
        circles = [path for path in root.iter(tag + "path") if re.match(r"M[-\d.]+ [-\d.]+a", path.attrib["d"]) and path.attrib["fill"] != "none"]
        assert len(circles) == 47 * (2 if name == "Contour" else 1)
        assert any(word and word.endswith(("val/accuracy", "is better", "dropout", "width")) for word in words)
    for rect in root.iter(tag + "rect"):
        assert all(math.isfinite(float(rect.attrib[key])) for key in ("x", "y", "width", "height") if key in rect.attrib and "%" not in rect.attrib[key])
