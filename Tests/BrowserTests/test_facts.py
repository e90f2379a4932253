"""What a run has beside its metrics: a confusion matrix and other facts, the runs within it, and what many runs are given at once."""

import re

import pytest
from playwright.sync_api import expect

from conftest import serving
from looking import assert_open_to_all
from store import call

MATRIX = [[50, 0, 0], [5, 40, 5], [0, 3, 7]]


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """A run with facts and two children, and where they are."""
    with serving(tmp_path_factory.mktemp("facts")) as address:
        call(address, "POST", "/experiments", {"name": "folds"})
        whole = call(address, "POST", "/experiments/folds/runs", {"name": "cross-validation"})["id"]
        for fold in range(2):
            child = call(address, "POST", "/experiments/folds/runs", {"name": f"fold {fold}", "parent_id": whole})["id"]
            call(address, "POST", f"/runs/{child}/metrics", {"metrics": {"accuracy": 0.9 + fold / 100}})
            call(address, "POST", f"/runs/{child}/end", {})
        for matrix in ([[1, 49, 0], *MATRIX[1:]], MATRIX):
            call(address, "POST", f"/runs/{whole}/facts/confusion_matrix", {"labels": ["ham", "spam", "a, b"], "matrix": matrix})
        call(address, "POST", f"/runs/{whole}/facts/feature_importance", {"age": 0.7, "height": -0.2})
        call(address, "POST", f"/runs/{whole}/facts/observations", ["Folds agree.", "Short texts are hard."])
        call(address, "POST", f"/runs/{whole}/facts/baselines", {"majority": {"accuracy": 0.5}, "linear": {"accuracy": 0.8}})
        yield address, whole


def test_a_confusion_matrix_has_what_was_found_and_what_was_right(page, family):
    address, whole = family
    page.goto(f"{address}/runs/{whole}")
    section = page.get_by_role("region", name="Confusion matrix", exact=True)
    matrix = section.get_by_role("region", name="Confusion matrix, 3 classes")
    rows = matrix.locator("tbody tr")
    expect(rows.nth(1).locator("td")).to_have_text(["5", "40", "5", "80.0 %"])
    expect(rows.last.locator("td")).to_have_text(["90.9 %", "93.0 %", "58.3 %", ""])
    expect(section).to_contain_text("88.2 % right of 110")
    section.get_by_role("button", name="Shares of a row").click()
    expect(rows.nth(1).locator("td").first).to_have_text("10.0 %")
    with page.expect_download() as found:
        section.get_by_role("button", name="Save as CSV").click()
    assert found.value.path().read_text().splitlines() == ['true \\ predicted,ham,spam,"a, b"', "ham,50,0,0", "spam,5,40,5", '"a, b",0,3,7']
    # The one before it is still there.
    section.get_by_label("Recorded").focus()
    page.keyboard.press("ArrowLeft")
    expect(section).to_contain_text("1 of 2")
    expect(rows.first.locator("td").first).to_have_text("2.0 %")


def test_other_facts_are_shown_as_what_they_are(page, family):
    address, whole = family
    page.goto(f"{address}/runs/{whole}")
    expect(page.get_by_role("region", name="Observations").get_by_role("listitem")).to_have_text(["Folds agree.", "Short texts are hard."])
    expect(page.get_by_role("region", name="Feature importance").get_by_role("row", name="height")).to_contain_text("−0.2")
    expect(page.get_by_role("region", name="Baselines").get_by_role("row", name="linear")).to_contain_text("0.8")


def test_runs_lie_within_runs(page, family):
    address, whole = family
    page.goto(f"{address}/runs/{whole}")
    within = page.get_by_role("region", name="Runs within", exact=True)
    expect(within.get_by_role("row", name=re.compile("fold 1"))).to_contain_text("0.91")
    within.get_by_role("link", name="fold 1").click()
    page.get_by_role("link", name="cross-validation").click()
    expect(page).to_have_url(f"{address}/runs/{whole}")
    within.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()


def test_many_runs_are_tagged_and_archived_and_both_are_undone(page, family):
    address, whole = family
    page.goto(f"{address}/experiments/folds/table")
    page.get_by_role("checkbox", name="Pick all").check()
    page.once("dialog", lambda dialog: dialog.accept("reviewed=yes"))
    page.get_by_role("button", name="Tag", exact=True).click()
    expect(page.get_by_text("3 runs tagged")).to_be_visible()
    assert call(address, "GET", f"/runs/{whole}")["tags"] == {"reviewed": "yes"}
    with page.expect_response(lambda answer: "/tags/reviewed" in answer.url and answer.request.method == "DELETE"):
        page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("2 runs archived, 1 left as it is")).to_be_visible()
    expect(page.get_by_text("archived", exact=True)).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("finished", exact=True)).to_have_count(2)
    assert call(address, "GET", f"/runs/{whole}")["tags"] == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(page, family, scheme):
    address, whole = family
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/runs/{whole}")
    expect(page.get_by_role("region", name="Baselines")).to_be_visible()
    assert_open_to_all(page)
