"""A panel of many lines: means without bands, which would hide each other, and half of the answer."""

import json

import pytest
from playwright.sync_api import expect

from looking import painted
from store import call


@pytest.fixture(scope="module")
def crowd(server):
    """45 runs of 1,000 points, one of which was NaN for a while: more points than a panel has buckets."""
    call(server, "POST", "/experiments", {"name": "crowd"})
    for number in range(45):
        run = call(server, "POST", "/experiments/crowd/runs", {"params": {"lr": number / 100}})
        values = [number / 10 + (step % 7) / 100 for step in range(1000)]
        if number == 3:
            values[500:520] = ["NaN"] * 20
        call(server, "POST", f"/runs/{run['id']}/metrics", {"series": [{"metric": "loss", "steps": list(range(1000)), "values": values}]})


def shown(page, count):
    """The chart with so many lines, and what was asked for it."""
    asked = []
    page.on("request", lambda request: asked.append(json.loads(request.post_data)) if request.url.endswith("/curves") else None)
    page.goto("/experiments/crowd?group=none&show=" + ",".join(f"run_{number + 1:02d}" for number in range(count)))
    chart = page.get_by_role("region", name="loss", exact=True).get_by_role("group", name=f"Chart of loss, {count} lines")
    expect(chart).to_be_visible()
    return chart, asked


def test_many_lines_come_without_bands_and_say_what_was_no_number(page, crowd):
    chart, asked = shown(page, 45)
    assert [question.get("only_mean") for question in asked] == [True]
    assert painted(chart) > 1000
    region = page.get_by_role("region", name="loss", exact=True)
    region.get_by_role("button", name="More of").click()
    with page.expect_download() as found:
        region.get_by_role("button", name="Save as CSV").click()
    rows = [line.split(",") for line in found.value.path().read_text().splitlines()[1:]]
    assert len({row[0] for row in rows}) == 45
    assert all(row[3] == row[4] == "" for row in rows), "a mean was told as an extreme"
    # Where all of a bucket was NaN there is no mean.
    assert any(row[2] in ("", "NaN") for row in rows)


def test_few_lines_have_their_bands(page, crowd):
    _, asked = shown(page, 5)
    assert [question.get("only_mean") for question in asked] == [None]
