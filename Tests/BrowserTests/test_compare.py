"""Two runs side by side: what is better, and what differs besides params."""

import re

from playwright.sync_api import expect

from store import runs

PAIR = "/compare?runs=00000000000000000000000000000001,00000000000000000000000000000002"


def opened(page, query=""):
    page.goto(PAIR + query)
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()
    expect(page.get_by_role("region", name="Console")).to_be_visible()
    return lambda name: page.get_by_role("region", name=name, exact=True)


def test_the_best_is_what_the_experiment_says_is_better(page):
    opened(page)
    # By its name a gate is nothing; the experiment says that less is better.
    gate = page.get_by_role("row", name=re.compile("^gate"))
    expect(gate).to_contain_text("Less is better")
    expect(gate).not_to_contain_text("guessed")
    expect(gate.locator(".best")).to_have_text("4 (−1)")
    loss = page.get_by_role("row", name=re.compile("^loss"))
    expect(loss).to_contain_text("Less is better, guessed from the name")
    expect(loss.locator(".best")).to_contain_text("0.4")
    # Where both have the same, none is best.
    expect(page.get_by_role("row", name=re.compile("^accuracy")).locator(".best")).to_have_count(0)


def test_code_packages_and_machine_show_differences_alone(page):
    region = opened(page)
    expect(region("Code").get_by_role("row", name=re.compile("^commit 4f1c.* 9ab0"))).to_be_visible()
    expect(region("Code").get_by_role("row", name=re.compile("^branch"))).to_have_count(0)
    packages = region("Packages")
    expect(packages).to_contain_text("2 differences, 1 the same")
    expect(packages.get_by_role("row", name="torch 2.4.0 2.5.1")).to_be_visible()
    expect(packages.get_by_role("row", name="einops – 0.8.0")).to_be_visible()
    expect(packages).not_to_contain_text("numpy")
    expect(region("Machine").get_by_role("row", name=re.compile("^gpus"))).to_be_visible()


def test_a_file_of_the_code_is_compared_by_lines(page):
    region = opened(page)
    files = region("Code files")
    expect(files).to_contain_text("1 file of 2 differs")
    expect(files.locator(".lines .out")).to_have_text(["−    width = 64"])
    expect(files.locator(".lines .in")).to_have_text(["+    width = 128"])
    files.get_by_role("button", name="code/model.py").click()
    expect(files.locator(".lines")).to_have_count(0)


def test_output_is_compared_with_numbers_left_out_or_not(page):
    console = opened(page)("Console")
    expect(console.locator(".lines .in")).to_have_text(["+warning: a batch was skipped"])
    expect(console.locator(".lines .out")).to_have_count(0)
    expect(console.locator(".left-out").first).to_have_text("9 same lines")
    console.get_by_role("checkbox").uncheck()
    expect(console).to_contain_text("30 lines only in before · + 31 lines only in after")


def test_of_many_runs_two_are_chosen(page, server):
    third = runs(server, "name = 'run_01'")[0]["id"]
    page.goto(f"{PAIR},{third}")
    expect(page.get_by_role("heading", name="3 runs compared")).to_be_visible()
    page.get_by_role("combobox", name="to", exact=True).select_option(label="run_01")
    expect(page).to_have_url(re.compile(f"other={third}"))
    expect(page.get_by_role("region", name="Packages")).to_contain_text("numpy")
    expect(page.get_by_role("region", name="Console")).to_contain_text("30 lines only in before · + 0 lines only in run_01")
