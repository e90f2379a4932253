"""Lineage: from data over runs to registered versions, both ways, as a graph and as a list."""

import re

import pytest
from playwright.sync_api import expect

from conftest import serving
from looking import assert_open_to_all
from store import call


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A run that published data, one that trained on it, and a version registered from that; and one that has nothing."""
    with serving(tmp_path_factory.mktemp("lineage")) as address:
        call(address, "POST", "/projects", {"name": "Lab", "slug": "lab"})
        call(address, "POST", "/experiments", {"name": "chain", "project": "lab"})
        made = {name: call(address, "POST", "/experiments/chain/runs", {"name": name})["id"] for name in ("clean", "train", "alone")}
        call(address, "PUT", f"/runs/{made['clean']}/artifacts/rows.csv?type=data", raw=b"a,b\n1,2\n", kind="text/csv")
        call(address, "POST", "/projects/lab/artifacts/rows/versions", {"run_id": made["clean"], "path": "rows.csv"})
        call(address, "POST", f"/runs/{made['train']}/inputs", {"artifact": "rows:1"})
        call(address, "PUT", f"/runs/{made['train']}/artifacts/model.bin?type=model", raw=b"weights", kind="application/octet-stream")
        call(address, "POST", "/models/reader/versions", {"run_id": made["train"], "path": "model.bin", "create_model": True})
        yield address, made


def test_one_sees_where_a_run_stands_and_goes_on_from_there(page, chain):
    address, made = chain
    page.goto(f"{address}/runs/{made['train']}")
    page.get_by_role("link", name="Lineage").click()
    graph = page.get_by_role("region", name="Graph")
    expect(graph.locator(".lineage-node")).to_have_count(4)
    # From left to right: what is made of something stands behind it.
    places = [graph.locator(".lineage-node", has_text=name).bounding_box()["x"] for name in ("clean", "rows:1", "train", "reader v1")]
    assert places == sorted(places) and len(set(places)) == 4
    expect(page.get_by_role("row", name=re.compile(r"^Run train \(here\) rows:1 reader v1"))).to_be_visible()
    # Another thing of the graph becomes the one that is looked at.
    graph.get_by_role("button", name=re.compile("rows:1")).click()
    expect(page.get_by_role("heading", name="Lineage of rows:1")).to_be_visible()
    expect(page).to_have_url(re.compile("around="))
    page.get_by_role("button", name="Back to this run").click()
    page.get_by_label("Steps each way").select_option("1")
    expect(graph.locator(".lineage-node")).to_have_count(3)
    expect(page.get_by_text("There is more")).to_be_visible()
    graph.get_by_role("link", name=re.compile("reader v1")).click()
    expect(page).to_have_url(re.compile(r"/models/reader\?project=lab&lineage=1$"))
    expect(graph.get_by_role("link", name=re.compile("clean"))).to_be_visible()


def test_a_run_without_any_says_what_would_appear(page, chain):
    address, made = chain
    page.goto(f"{address}/runs/{made['alone']}/lineage")
    expect(page.get_by_text("This run has no lineage yet")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(page, chain, scheme):
    address, made = chain
    page.emulate_media(color_scheme=scheme)
    for place in (f"/runs/{made['train']}/lineage", "/models/reader?project=lab&lineage=1"):
        page.goto(address + place)
        expect(page.get_by_role("region", name="Graph")).to_be_visible()
        assert_open_to_all(page)
