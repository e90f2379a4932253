"""Ten things that people do with a tracker, done in the browser with a count of clicks, here and in `mlflow ui`.

A click is one press of the button of the mouse, typing a name is told beside it. The time goes from the first click, or from the link
where there is none, until what was wanted is painted. What a page cannot do is said, with what was tried.
"""
import json
import os
import time

import fixtures
import mlflow_tasks
import peers
import report
from browser import Hand, after, fresh_page

TITLES = [
    ("live", "Is my run learning? (live)", "0 clicks after the link, a point on the screen under 1 s"),
    ("overlay", "Lay 5 runs over each other", ""),
    ("best", "The best run by a metric", "1 click"),
    ("differs", "What differs between two runs", "2 clicks"),
    ("seeds", "Mean over seeds, with band and n", "1 click"),
    ("find", "One chart of 1,500", "type its name, 100 ms"),
    ("images", "Images of one step in 3 runs", "1 slider"),
    ("died", "Why did it die?", "first screen of the run's page"),
    ("config", "Copy the settings as YAML, CLI, Python", "2 clicks"),
    ("share", "A figure or a link for a colleague", "2 clicks"),
]


def opened(page, address, until):
    page.goto(address, wait_until="commit")
    page.wait_for_function(until, polling="raf")


LISTED = "document.querySelectorAll('[role=grid] [role=row] a, [role=grid] [role=row] button').length > 3"


def live(page, server):
    name = f"live-{time.time_ns()}"
    server.ask("POST", "/experiments", {"name": name})
    run = server.ask("POST", f"/experiments/{name}/runs", {"name": "now"})["id"]
    for step in range(20):
        server.ask("POST", f"/runs/{run}/metrics", {"step": step, "metrics": {"loss": 1 / (step + 1)}})
    opened(page, f"{server.address}/experiments/{name}", "document.querySelector('.panel .chart canvas')?.width > 20 && document.querySelector('.live-on')")
    samples = []
    for step in range(20, 25):
        page.evaluate("window.__drawn = document.querySelector('.panel .chart canvas').toDataURL()")
        begin = time.perf_counter()
        server.ask("POST", f"/runs/{run}/metrics", {"step": step, "metrics": {"loss": 1 / (step + 1)}})
        page.wait_for_function("document.querySelector('.panel .chart canvas').toDataURL() !== window.__drawn", polling="raf")
        samples.append((time.perf_counter() - begin) * 1000)
    server.ask("POST", f"/runs/{run}/end", {"status": "FINISHED"})
    return 0, report.median(samples), "from the point's request to its picture"


def pick(page, server, names, compares=True):
    opened(page, f"{server.address}/experiments/tasks/table", LISTED)
    hand = Hand(page)
    for name in names:
        hand.click(page.get_by_role("checkbox", name=f"Pick {name}", exact=True))
    if compares:
        hand.click(page.get_by_role("button", name="Compare", exact=True))
    return hand


def overlay(page, server):
    # Those that stand in sight: a hand does not scroll and click within one frame.
    hand = pick(page, server, [f"c5-s{seed}" for seed in (4, 3, 2, 1, 0)])
    took = hand.until("document.querySelector('.panel .chart')?.getAttribute('aria-label').includes(', 5 lines')")
    return hand.clicks, took, "five ticks in the table and Compare"


def best(page, server):
    opened(page, f"{server.address}/experiments/tasks/table", LISTED)
    hand = Hand(page)
    hand.click(page.get_by_role("button", name="val/accuracy", exact=True))
    took = hand.until("/^c\\d-s\\d/.test(document.querySelector('.vgrid [role=row] a').textContent) && document.querySelector('[aria-sort=descending]').textContent.includes('val/accuracy')")
    return hand.clicks, took, f"{page.locator('.vgrid [role=row] a').first.inner_text()} stands first"


def differs(page, server):
    hand = pick(page, server, ["c0-s0", "c1-s1"], compares=False)
    took = hand.until("document.querySelector('.diff') && /lr/.test(document.querySelector('.diff').innerText) && !/batch/.test(document.querySelector('.diff').innerText)")
    return hand.clicks, took, "two ticks: what differs stands beside the table; settings that are the same are folded away"


def seeds(page, server):
    begin = time.perf_counter()
    opened(page, f"{server.address}/experiments/tasks", "/n\\u00a05/.test(document.querySelector('[role=grid]')?.innerText) && document.querySelector('.panel .chart canvas')?.width > 20")
    return 0, (time.perf_counter() - begin) * 1000, "runs that differ in seeds are grouped when the page opens: mean, 95 % interval, n 5"


def find(page, server):
    opened(page, f"{server.address}/experiments/charts", "document.querySelectorAll('.panel').length > 1000")
    wanted = fixtures.chart_names()[1234]
    box = page.get_by_role("searchbox", name="Search panels")
    box.fill(wanted[:-1])
    page.wait_for_timeout(300)
    took = after(page, "input", f"() => document.querySelectorAll('.panel').length === 1 && document.querySelector('.panel[aria-label=\"{wanted}\"] .chart')", lambda: box.press_sequentially(wanted[-1]))
    box.fill("")
    page.wait_for_function("document.querySelectorAll('.panel').length > 1000")
    first = after(page, "input", "() => document.querySelectorAll('.panel').length < 1000", lambda: box.press_sequentially(wanted[4:7]))
    return 0, took, f"from the last letter to the drawn chart; the letter that leaves a few of 1,500 takes {first:.0f} ms"


def images(page, server):
    media, count = "[...document.querySelectorAll('[aria-label=Media] img')]", 3
    opened(page, f"{server.address}/experiments/tasks?group=none&show=run_10,run_20,run_30", f"{media}.length >= {count} && {media}.every(one => one.complete && one.naturalWidth > 0)")
    slider = page.get_by_role("region", name="Media").get_by_role("slider")
    slider.scroll_into_view_if_needed()
    page.evaluate(f"window.__shown = {media}.map(one => one.src)")
    begin = time.perf_counter()
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{media}.length >= {count} && {media}.every((one, index) => one.src !== window.__shown[index] && one.complete && one.naturalWidth > 0)", polling="raf")
    return 1, (time.perf_counter() - begin) * 1000, "one slider moves all three; its move is told as a click"


def died(page, server):
    run = server.ask("GET", "/experiments/tasks/runs?filter=" + "state%20%3D%20'failed'")["runs"][0]["id"]
    begin = time.perf_counter()
    opened(page, f"{server.address}/runs/{run}", "/FloatingPointError: the loss is NaN at step 199/.test(document.querySelector('.message.bad')?.innerText)")
    took = (time.perf_counter() - begin) * 1000
    box = page.locator(".message.bad").bounding_box()
    assert box["y"] + box["height"] < 900, "the reason is not on the first screen"
    return 0, took, "its last words and the metric that was NaN, at the top of the run's page"


def config(page, server):
    run = server.ask("GET", "/experiments/tasks/runs?limit=1")["runs"][0]
    opened(page, f"{server.address}/runs/{run['id']}", "document.querySelector('[aria-label=Copy]')")
    copied, hand = {}, None
    for kind in ("YAML", "options", "Python"):
        hand = Hand(page)
        hand.click(page.get_by_role("button", name="Copy", exact=True))
        hand.click(page.get_by_role("button", name=f"Config as {kind}"))
        took = hand.until("document.querySelector('.toast')")
        copied[kind] = page.evaluate("navigator.clipboard.readText()")
    place = {}
    exec(copied["Python"], place)
    assert place["config"] == run["params"], copied["Python"]
    assert f"--lr={run['params']['lr']}" in copied["options"].split(), copied["options"]
    assert f"lr: {run['params']['lr']}" in copied["YAML"].splitlines(), copied["YAML"]
    return hand.clicks, took, "each of the three was pasted and read back"


def share(page, server):
    opened(page, f"{server.address}/experiments/tasks", "document.querySelector('.panel .chart canvas')?.width > 20")
    panel = page.get_by_role("region", name="train/loss", exact=True)
    hand = Hand(page)
    hand.click(panel.get_by_role("button", name="More of"))
    with page.expect_download() as saved:
        hand.click(panel.get_by_role("button", name="Save as SVG"))
    took = (time.perf_counter() - hand.begin) * 1000
    text = saved.value.path().read_text()
    assert "<svg" in text and "train/loss" in text
    return hand.clicks, took, "SVG, PNG or CSV of a panel; the address in the browser is the link, filter, zoom and choice included"


OURS = {task.__name__: task for task in (live, overlay, best, differs, seeds, find, images, died, config, share)}


def once(browser, act, server, pictures=None, name=""):
    with fresh_page(browser) as page:
        page.set_default_timeout(30_000)
        try:
            clicks, took, note = act(page, server)
            return {"clicks": clicks, "ms": took, "note": note}
        except NotImplementedError as reason:
            return {"clicks": None, "ms": None, "note": str(reason)}
        finally:
            if pictures:
                os.makedirs(pictures, exist_ok=True)
                page.screenshot(path=os.path.join(pictures, f"{name}.png"))


def several(browser, act, server, rounds, quiet, pictures, name):
    """The median of a few times; clicks do not change."""
    found = []
    for _ in range(rounds):
        quiet()
        found.append(once(browser, act, server, pictures, name))
        if found[-1]["ms"] is None:
            return found[-1]
    times = sorted(one["ms"] for one in found)
    return {**found[-1], "ms": round(report.median(times)), "least_ms": round(times[0]), "samples": [round(one) for one in times]}


def ten(browser, ours, folder, quiet, problems, pictures=None, rounds=3):
    peers.once(os.path.join(folder, "mlflow"), "fill_mlflow")
    with open(os.path.join(folder, "mlflow", "places.json")) as file:
        places = json.load(file)
    rows = {key: {"task": key, "title": title, "wanted": wanted} for key, title, wanted in TITLES}

    def all_of(tasks, server, whose):
        for key, act in tasks.items():
            try:
                rows[key][whose] = several(browser, act, server, rounds, quiet, pictures, f"{whose}-{key}")
            except Exception as error:
                problems.append((f"{whose}: {key}", str(error).split("\n")[0]))

    all_of(OURS, ours, "martlet")
    with peers.mlflow(os.path.join(folder, "mlflow")) as server:
        all_of(mlflow_tasks.ALL, mlflow_tasks.Server(server, places), "mlflow")
    return list(rows.values())


def told(found):
    if not found:
        return "not measured"
    return "no" if found["ms"] is None else f"{found['clicks']} clicks, {found['ms']:,} ms"


def show(rows):
    for row in rows:
        print(f"{row['title']}: {told(row.get('martlet'))}; mlflow {told(row.get('mlflow'))}. {(row.get('mlflow') or {}).get('note') or ''}")
