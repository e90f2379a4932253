"""What the pages take in a browser. Each measure yields (id, samples, note); the gates are in bench/gates.json."""
import threading
import time
import urllib.request

import fixtures
from browser import after, first_paint, frames, fresh_page, heap

ROWS = "() => document.querySelectorAll('[role=grid] [role=row] a').length > 5"
CHART = "() => document.querySelector('[role=grid] [role=row] a') && document.querySelector('.panel .chart canvas')?.width > 20"
# Every page of the app, so that each of its scripts is loaded once.
PAGES = ["/", "/runs", "/models", "/settings", "/experiments/tasks", "/experiments/tasks/table", "/experiments/tasks/explore",
         "/experiments/tasks/dashboards", "/experiments/tasks/about", "/experiments/tasks/runs/run_01", "/experiments/tasks/runs/run_01/charts",
         "/experiments/tasks/runs/run_01/artifacts", "/experiments/tasks/runs/run_01/notes"]


class Bench:
    def __init__(self, browser, address, server, rounds, quiet, size):
        self.browser, self.address, self.server, self.rounds, self.quiet, self.size = browser, address, server, rounds, quiet, size

    def paint(self, path, until):
        """One sample a round, each in a moment when the machine has room, in a browser that knows nothing yet."""
        found = []
        for _ in range(self.rounds + 1):
            self.quiet()
            found.append(first_paint(self.browser, self.address + path, until))
        return found[1:]  # the first one warms the server's files and the browser's processes


def weights(bench):
    """The packed bytes of what the browser loads, as a client gets them that takes gzip."""
    loaded, entry = set(), []
    for path in PAGES:
        with fresh_page(bench.browser) as page:
            page.goto(bench.address + path, wait_until="networkidle" if path == "/" else "load")
            page.wait_for_timeout(600)
            names = page.evaluate("performance.getEntriesByType('resource').map(one => one.name).filter(name => /assets/.test(name))")
            entry = entry or [name for name in names if name.endswith(".js")]
            loaded |= set(names)

    def size(name):
        asked = urllib.request.Request(name, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked) as answer:
            return len(answer.read()) / 1000

    sizes = {name: size(name) for name in loaded}
    lazy = [sizes[name] for name in loaded if name.endswith(".js") and name not in entry]
    yield "web.entry_kb", [sum(sizes[name] for name in entry)], f"{len(entry)} files that the first page loads"
    yield "web.chunk_kb", [max(lazy)], f"the largest of {len(lazy)} that other pages load later"
    yield "web.css_kb", [sum(value for name, value in sizes.items() if name.endswith(".css"))], None
    yield "web.font_kb", [sum(value for name, value in sizes.items() if name.endswith(".woff2"))], None


def floor(bench):
    """What this browser on this machine takes for a page with nothing to do: no gate below can be nearer than this."""
    yield "web.floor_ms", bench.paint("/docs", "() => document.body?.innerText.length > 10"), "text from the same server, without a script of the app"


def table(bench):
    """The table of an experiment of 100,000 runs: first rows, filter, order, scrolling, and the weight of the page."""
    count = fixtures.MANY_RUNS if bench.size == "full" else 10_000
    yield "web.table_paint_ms", bench.paint("/experiments/many/table", ROWS), f"{count:,} runs, 10 params, 10 metrics"
    orders, filters, scrolls, nodes = ([], []), ([], []), [], []
    for number in range(bench.rounds):
        for warm in (0, 1):
            with fresh_page(bench.browser, ROWS) as page:
                page.goto(bench.address + "/experiments/many/table")
                page.evaluate("window.__first")
                page.wait_for_function("document.querySelector('.grid-tools')?.textContent.includes('Columns')")
                bench.quiet()
                top, column = "document.querySelector('.vgrid [role=row] a')?.textContent", f"m{number}"
                page.evaluate(f"window.__before = {top}")
                orders[warm].append(after(
                    page, "click", f"() => {top} !== window.__before && document.querySelector('[aria-sort=descending]')?.textContent.startsWith('{column}')",
                    lambda: page.get_by_role("button", name=column, exact=True).click()))
                bench.quiet()
                total = "document.querySelector('.grid-tools')?.textContent.match(/([\\d,]+) runs?/)?.[1]"
                page.evaluate(f"window.__before = {total}")
                box = page.get_by_role("searchbox", name="Filter runs")
                box.fill(f"metrics.m{number + 3} > 0.{number + 4} AND params.p1 = {number}")
                filters[warm].append(after(
                    page, "keydown", f"() => {total} !== window.__before && document.querySelectorAll('.vgrid [role=row] a').length > 5", lambda: box.press("Enter")))
    for _ in range(bench.rounds):
        with fresh_page(bench.browser, ROWS) as page:
            page.goto(bench.address + "/experiments/many/table")
            page.evaluate("window.__first")
            page.wait_for_function(f"document.querySelector('.vgrid')?.getAttribute('aria-rowcount') === '{count + 1}'", timeout=60_000)
            page.wait_for_timeout(1000)
            bench.quiet()
            times = frames(page, "(n => { document.querySelector('.vgrid').scrollTop += 40 + n * n })", 120)
            assert page.evaluate("document.querySelectorAll('.vgrid [role=row] a').length") > 5, "scrolling left the table blank"
            scrolls.append(times[int(0.95 * len(times))])
            nodes.append(page.evaluate("document.querySelectorAll('*').length"))
    yield "web.sort_ms", orders[1], "from the click to the new rows"
    yield "web.sort_first_ms", orders[0], "the first question about a metric since the server started"
    yield "web.filter_first_ms", filters[0], None
    yield "web.filter_ms", filters[1], "from Enter to the new rows; without Enter 450 ms more, in which one types on"
    yield "web.scroll_p95_ms", scrolls, "all runs loaded; 120 frames of growing jumps"
    yield "web.table_nodes", nodes, None


def workspace(bench):
    for number in (0, 49) if bench.size == "full" else (0, 1):
        yield f"web.workspace_paint_ms.{number and 'last' or 'first'}", bench.paint(f"/experiments/wide-{number:02d}", CHART), "1,500 runs with 150 metrics; run list and first curve"
    with fresh_page(bench.browser, CHART) as page:
        page.goto(bench.address + "/experiments/wide-00")
        page.evaluate("window.__first")
        page.wait_for_timeout(2000)
        yield "web.workspace_nodes", [page.evaluate("document.querySelectorAll('*').length")], "150 panels, 1,500 runs"


def curves(bench):
    """Long curves in one panel: the first paint of all of them, and a zoom that asks the server again."""
    count = fixtures.LONG_CURVES if bench.size == "full" else 10
    shown = ",".join(f"run_{number + 1:02d}" for number in range(count))
    path = f"/experiments/long?show={shown}"
    all_drawn = f"() => document.querySelector('.panel .chart')?.getAttribute('aria-label').includes(', {count} lines')"
    yield "web.curves_paint_ms", bench.paint(path, all_drawn), f"{count} curves of 1,000,000 points"
    zooms = []
    for _ in range(bench.rounds):
        with fresh_page(bench.browser, all_drawn) as page:
            page.goto(bench.address + path)
            page.evaluate("window.__first")
            page.wait_for_timeout(800)
            bench.quiet()
            box = page.locator(".panel .chart-over").first.bounding_box()
            page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60)
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=4)
            # The answer to the zoom is drawn when its request is over and a frame has passed.
            page.evaluate("""() => { window.__asked = 0; new PerformanceObserver(list => { for (const one of list.getEntries())
                if (one.name.endsWith('/curves')) window.__asked += 1 }).observe({ type: 'resource' }) }""")
            zooms.append(after(page, "pointerup", "() => window.__asked > 0", page.mouse.up))
    yield "web.zoom_ms", zooms, f"{count} curves asked for anew in 300 or 600 buckets; from the release of the button"


def parallel(bench):
    drawn = "() => document.querySelector('[aria-label^=\"Parallel coordinates of 1000\"] canvas')?.width > 50"
    paints, steps = bench.paint("/experiments/parallel/explore", drawn), []
    draws = []
    for _ in range(bench.rounds):
        with fresh_page(bench.browser, drawn) as page:
            page.goto(bench.address + "/experiments/parallel/explore")
            page.evaluate("window.__first")
            page.wait_for_timeout(1500)
            bench.quiet()
            box = page.locator("[aria-label^='Parallel coordinates'] canvas").bounding_box()
            x = box["x"] + 70
            # Another order of axes draws all of it anew.
            draws.append(after(page, "click", "() => location.search.includes('axes')", lambda: page.get_by_role("button", name="p3", exact=True).click()))
            page.get_by_role("button", name="p3", exact=True).click()
            page.mouse.move(x, box["y"] + 60)
            page.mouse.down()
            moved = ("(n => { const c = document.querySelector(\"[aria-label^='Parallel coordinates'] canvas\"), b = c.getBoundingClientRect();"
                     f" c.dispatchEvent(new PointerEvent('pointermove', {{ bubbles: true, clientX: {x}, clientY: b.top + 64 + n * 2 }})) }})")
            times = frames(page, moved, 90)
            page.mouse.up()
            assert page.get_by_role("button", name="Clear brushes").count() == 1, "nothing was brushed"
            steps.append(times[len(times) // 2])
    yield "web.parallel_paint_ms", paints, "1,000 runs x 8 axes, from the start of the navigation"
    yield "web.parallel_draw_ms", draws, "an axis taken out: all of it drawn anew"
    yield "web.parallel_brush_ms", steps, "p50 of a frame while a brush grows; the statistics below follow it"


def pictures(bench):
    """A run with 10,000 images: the wall of all of them, until the first 24 are decoded; and one key's images on the run's charts."""
    run = bench.server.ask("GET", "/experiments/pictures/runs")["runs"][0]["id"]
    complete = "(all => all.length >= {0} && all.slice(0, {0}).every(one => one.complete && one.naturalWidth > 0))([...document.querySelectorAll('{1}')])"
    walls, seen = [], 0
    for _ in range(bench.rounds + 1):
        with fresh_page(bench.browser) as page:
            page.goto(f"{bench.address}/runs/{run}/artifacts")
            button = page.get_by_role("button", name="All pictures")
            button.wait_for()
            page.wait_for_timeout(1000)
            bench.quiet()
            walls.append(after(page, "click", "() => " + complete.format(24, ".gallery img"), button.click))
            seen = page.locator(".gallery img").count()
    yield "web.thumbnails_ms", walls[1:], f"from the click on All pictures of the run's artifacts until the first 24 of {seen} in sight are decoded"
    first = "() => " + complete.format(1, "[aria-label=Media] img")
    yield "web.media_paint_ms", bench.paint(f"/runs/{run}/charts", first), "its 25 keys at the last step, from the start of the navigation"


def memory(bench, updates=3600):
    """An hour of live updates, one a second, told in two minutes or so: heap after garbage collection, before and after."""
    run = bench.server.ask("POST", "/experiments", {"name": f"live-{time.time_ns()}"})["id"]
    live = bench.server.ask("POST", f"/experiments/{run}/runs", {"name": "live"})["id"]

    def log(step):
        bench.server.ask("POST", f"/runs/{live}/metrics", {"step": step, "metrics": {f"m{key}": (step * (key + 3)) % 97 / 97 for key in range(10)}})

    log(0)
    log(1)
    with fresh_page(bench.browser, CHART) as page:
        page.goto(f"{bench.address}/experiments/{run}")
        page.evaluate("window.__first")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.wait_for_function("document.querySelector('.live-on')")
        found = []
        for step in range(2, updates + 2):
            log(step)
            page.wait_for_timeout(25)
            if step % (updates // 12) == 0:
                page.wait_for_timeout(1000)
                found.append((step, *heap(session)))
    bench.server.ask("POST", f"/runs/{live}/end", {"status": "FINISHED"})
    later = found[len(found) // 3:]
    mean_x = sum(one[0] for one in later) / len(later)
    mean_y = sum(one[1] for one in later) / len(later)
    slope = sum((one[0] - mean_x) * (one[1] - mean_y) for one in later) / sum((one[0] - mean_x) ** 2 for one in later)
    told = ", ".join(f"{one[1] / 1e6:.1f}" for one in found)
    yield "web.heap_mb_per_hour", [slope * updates / 1e6], f"slope over the last two thirds of {updates} updates of 10 metrics; MB: {told}"
    yield "web.live_nodes", [found[-1][2] - found[len(found) // 3][2]], "nodes at the end less those after a third"


ALL = [weights, floor, table, workspace, curves, parallel, pictures, memory]
