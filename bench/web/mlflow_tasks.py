"""The ten tasks in `mlflow ui`, by the shortest way that was found in its pages. What it cannot do raises NotImplementedError with what was tried."""
import json
import time
import urllib.request
from urllib.parse import quote

import fixtures
from browser import Hand

DRAWN = "document.querySelector('.js-plotly-plot .trace')"
LISTED = "(document.body.innerText.match(/c\\d-s\\d/g) ?? []).length > 5"


class Server:
    def __init__(self, server, places):
        self.address, self.places = f"http://127.0.0.1:{server.port}", places
        found = self.ask("runs/search", {"experiment_ids": [places["tasks"], places["charts"]], "max_results": 200})["runs"]
        self.runs = {run["info"]["run_name"]: run["info"]["run_id"] for run in found}

    def ask(self, path, value):
        request = urllib.request.Request(f"{self.address}/api/2.0/mlflow/{path}", json.dumps(value).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def page(self, experiment, rest=""):
        return f"{self.address}/#/experiments/{self.places[experiment]}{rest}"


def opened(page, address, until):
    page.set_default_timeout(90_000)
    page.goto(address, wait_until="commit")
    page.wait_for_function(until, polling="raf")
    page.wait_for_timeout(1500)  # the page lays itself out anew for a while


def row(page, name):
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def live(page, server):
    place = server.ask("experiments/create", {"name": f"live-{time.time_ns()}"})["experiment_id"]
    run = server.ask("runs/create", {"experiment_id": place, "run_name": "now"})["run"]["info"]["run_id"]

    def log(step):
        server.ask("runs/log-metric", {"run_id": run, "key": "loss", "value": 1 / (step + 1), "step": step, "timestamp": int(time.time() * 1000)})

    for step in range(20):
        log(step)
    opened(page, f"{server.address}/#/experiments/{place}/runs/{run}/model-metrics", DRAWN)
    shape = "[...document.querySelectorAll('.js-plotly-plot .trace path')].map(one => one.getAttribute('d')).join()"
    page.evaluate(f"window.__drawn = {shape}")
    begin = time.perf_counter()
    log(20)
    page.wait_for_function(f"{shape} !== window.__drawn", polling=100)
    took = (time.perf_counter() - begin) * 1000
    server.ask("runs/update", {"run_id": run, "status": "FINISHED"})
    return 0, took, "the page asks again every 30 seconds"


def overlay(page, server):
    opened(page, server.page("tasks", "/runs?compareRunsMode=CHART"), DRAWN)
    hand = Hand(page)
    hand.click(page.get_by_role("button", name="Toggle visibility of runs"))
    hand.click(page.get_by_role("menuitemcheckbox", name="Hide all runs").or_(page.get_by_text("Hide all runs")).first)
    for name in ("c5-s4", "c5-s2", "c4-s4", "c4-s2", "c3-s4"):
        hand.click(page.locator(f"[role=row]:has-text('{name}')").first.locator("label:has(svg)").first)
    took = hand.until("document.querySelector('.js-plotly-plot') && document.querySelector('.js-plotly-plot').querySelectorAll('.trace').length === 10")  # each with its smoothed one
    return hand.clicks, took, "chart view: hide all, then the eyes of five; its Compare page has no curves over steps"


def best(page, server):
    opened(page, server.page("tasks", "/runs"), LISTED)
    hand = Hand(page)
    hand.click(page.get_by_role("button", name="Sort").or_(page.get_by_label("Sort: Created")).first)
    hand.click(page.get_by_text("val/accuracy", exact=True).last)
    took = hand.until("location.href.includes('val%2Faccuracy') || location.href.includes('val/accuracy')")
    return hand.clicks, took, "the order's menu, then the metric; its values are in a column that has to be added"


def differs(page, server):
    opened(page, server.page("tasks", "/runs"), LISTED)
    hand = Hand(page)
    for name in ("c5-s4", "c4-s3"):
        hand.click(row(page, name).get_by_role("checkbox").first)
    hand.click(page.get_by_role("button", name="Compare", exact=True))
    hand.click(page.get_by_label("Parameters - Show diff only").first)
    took = hand.until("/optimizer/.test(document.body.innerText) && !/\\bbatch\\b/.test([...document.querySelectorAll('table')].map(one => one.innerText).join())")
    return hand.clicks, took, "two ticks, Compare, and “Show diff only” below the parallel coordinates"


def seeds(page, server):
    opened(page, server.page("tasks", "/runs?compareRunsMode=CHART"), DRAWN)
    before = page.locator(".js-plotly-plot").first.locator(".trace").count()
    hand = Hand(page)
    hand.click(page.get_by_role("button", name="Group by").first)
    hand.click(page.get_by_text("lr", exact=True).last)
    took = hand.until(f"/Group/.test(document.body.innerText) && document.querySelector('.js-plotly-plot') && document.querySelector('.js-plotly-plot').querySelectorAll('.trace').length !== {before}")
    return hand.clicks, took, "grouped by a param that is named, here the only one that tells all apart; a mean, n in the list, and no band that could be seen"


def find(page, server):
    wanted = fixtures.chart_names()[1234]
    opened(page, f"{server.address}/#/experiments/{server.places['charts']}/runs/{server.runs['wide']}/model-metrics", "document.querySelector('.js-plotly-plot')")
    box = page.get_by_placeholder("Search metric charts")
    box.fill(wanted[:-1])
    page.wait_for_timeout(2000)
    begin = time.perf_counter()
    box.press_sequentially(wanted[-1])
    page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot').length <= 2 && document.body.innerText.includes('{wanted}')", polling="raf")
    return 0, (time.perf_counter() - begin) * 1000, None


def images(page, server):
    opened(page, server.page("tasks", "/runs?compareRunsMode=CHART"), DRAWN)
    hand = Hand(page)
    hand.click(page.get_by_role("button", name="Add chart").last)
    hand.click(page.get_by_role("menuitem", name="Image grid"))
    dialog = page.get_by_role("dialog")
    hand.click(dialog.get_by_role("combobox").last)
    hand.click(page.get_by_role("option", name="samples"))
    page.keyboard.press("Escape")
    hand.click(dialog.get_by_role("button", name="Add chart"))
    pictures = "[...document.querySelectorAll('img')].filter(one => /^blob|artifact/.test(one.src))"
    page.wait_for_function(f"{pictures}.some(one => one.naturalWidth > 0)")
    setup = (time.perf_counter() - hand.begin) * 1000
    page.evaluate(f"window.__shown = {pictures}.map(one => one.src).join()")
    slider = page.get_by_role("slider").last
    slider.scroll_into_view_if_needed()
    slider.focus()
    begin = time.perf_counter()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{pictures}.map(one => one.src).join() !== window.__shown && {pictures}.every(one => one.complete && one.naturalWidth > 0)", polling="raf")
    return hand.clicks, (time.perf_counter() - begin) * 1000, f"an image grid has to be added first ({setup / 1000:.1f} s); then its slider moves the runs that are visible"


def died(page, server):
    opened(page, f"{server.page('tasks')}/runs/{server.runs['c0-s3']}", "/Failed/.test(document.body.innerText)")
    hand = Hand(page)
    hand.click(page.get_by_role("tab", name="Artifacts").or_(page.get_by_text("Artifacts", exact=True)).first)
    hand.click(page.get_by_text("stderr.txt").first)
    took = hand.until("/FloatingPointError/.test(document.body.innerText)")
    return hand.clicks, took, "only since the program logged its own stderr as an artifact: the run's page says Failed, and not why"


def config(page, server):
    opened(page, f"{server.page('tasks')}/runs/{server.runs['c3-s0']}", "/optimizer/.test(document.body.innerText)")
    kinds = page.evaluate("[...document.querySelectorAll('button')].map(one => one.getAttribute('aria-label') ?? one.innerText).filter(one => /yaml|python|cli|copy/i.test(one))")
    raise NotImplementedError(f"the run's page lists the params; its buttons that copy are {len(kinds)}, for ids; no YAML, CLI or Python")


def share(page, server):
    opened(page, server.page("tasks", "/runs?compareRunsMode=CHART"), DRAWN)
    card = page.locator("[data-testid='experiment-view-compare-runs-card']").first
    hand = Hand(page)
    hand.click(card.get_by_role("button").last)
    with page.expect_download() as saved:
        hand.click(page.get_by_role("menuitem", name="Export as SVG").or_(page.get_by_role("menuitem", name="Download as SVG")).or_(page.get_by_text("SVG")).first)
    took = (time.perf_counter() - hand.begin) * 1000
    assert "<svg" in saved.value.path().read_text()
    return hand.clicks, took, "SVG or PNG of a chart; the address holds filter and order"


ALL = {task.__name__: task for task in (live, overlay, best, differs, seeds, find, images, died, config, share)}
