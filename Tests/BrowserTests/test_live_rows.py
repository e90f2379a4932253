"""Rows show what their runs log, without being loaded again and without taking a late point for the last one."""

import re

import pytest
from playwright.sync_api import expect
from store import call


@pytest.fixture
def follower(server, request):
    """An experiment of its own with one run, and how to log its loss."""
    name = "rows-" + request.node.name
    call(server, "POST", "/experiments", {"name": name})
    run = call(server, "POST", f"/experiments/{name}/runs", {"name": "follower", "params": {"lr": 0.1}})

    def log(step, loss):
        call(server, "POST", f"/runs/{run['id']}/metrics", {"metrics": {"loss": loss}, "step": step})

    log(5, 0.8125)
    return name, log


def test_a_cell_of_the_table_follows_its_run(page, follower):
    name, log = follower
    page.goto(f"/experiments/{name}/table")
    row = page.get_by_role("row").filter(has_text="follower")
    expect(row).to_contain_text("0.8125")
    log(6, 0.4375)
    expect(row).to_contain_text("0.4375")
    # By now the stream is open, and what was looked at again because of that is there.
    asked = []
    page.on("request", lambda request: asked.append(request.post_data or "") if "/runs/table" in request.url else None)
    # A point that comes late is drawn where it belongs, and is not the value of the run.
    log(2, 0.9375)
    log(7, 0.3125)
    expect(row).to_contain_text("0.3125")
    log(3, 0.6875)
    page.wait_for_timeout(1500)
    expect(row).to_contain_text("0.3125")
    assert asked and all("id IN" in body for body in asked), "the whole table was asked for again"


def test_so_does_the_list_beside_the_panels(page, follower):
    name, log = follower
    page.goto(f"/experiments/{name}?cols=metrics.loss,started")
    row = page.get_by_role("grid").get_by_role("row").filter(has_text="follower")
    expect(row).to_contain_text("0.8125")
    log(6, 0.4375)
    expect(row).to_contain_text("0.4375")


def test_so_does_the_small_curve_of_a_row(page, follower):
    name, log = follower
    page.goto(f"/experiments/{name}/table")
    spark = page.get_by_role("row").filter(has_text="follower").get_by_role("img", name="loss curve")
    expect(spark).to_have_accessible_name(re.compile(r"0\.8125 to 0\.8125"))
    log(6, 0.4375)
    expect(spark).to_have_accessible_name(re.compile(r"0\.4375 to 0\.8125"))
    log(7, 0.1875)
    expect(spark).to_have_accessible_name(re.compile(r"0\.1875 to 0\.8125"))


def test_what_is_logged_while_the_page_opens_is_not_missed(page, follower):
    """Between the first answers and the stream lies a gap: the stream begins where those answers were read."""
    name, log = follower
    held = []
    page.route("**/changes?since=*", lambda route: held.append(route))
    with page.expect_request("**/changes?since=*"):
        page.goto(f"/experiments/{name}/table")
    row = page.get_by_role("row").filter(has_text="follower")
    expect(row).to_contain_text("0.8125")
    log(6, 0.4375)
    page.wait_for_timeout(500)
    expect(row).to_contain_text("0.8125")
    for route in held:
        route.continue_()
    expect(row).to_contain_text("0.4375")
