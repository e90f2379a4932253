"""Debian's chromium, clocks that run inside the page, and a hand that counts its clicks: what a person waits for, not what a script waits for."""
import time
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

ARGUMENTS = [
    "--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--js-flags=--expose-gc",
]

# `until` is asked once a frame; the answer's time is that of the frame after it, when what made it true is on the screen.
CLOCK = """
window.__until = (until, start) => new Promise(resolve => {
    let truth = null
    try { truth = eval(until) } catch (error) { window.__fault = String(error) }
    const look = () => {
        let isTrue = false
        try { isTrue = truth && truth() } catch (error) { window.__fault = String(error) }
        if (isTrue) requestAnimationFrame(() => resolve(performance.now() - start()))
        else requestAnimationFrame(look)
    }
    look()
})
"""


@contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def fresh_page(browser, until=None, faults=None):
    """A page without cache or storage. With `until`, its first paint that fits is timed from the start of the navigation."""
    # The clocks are words that become code in the page, which the pages' own policy forbids.
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(120_000)
    page = context.new_page()
    if faults is not None:
        page.on("pageerror", lambda error: faults.append(str(error)))
    page.add_init_script(CLOCK + (f"window.__first = window.__until({until!r}, () => 0)\n" if until else ""))
    try:
        yield page
    finally:
        context.close()


def first_paint(browser, address, until, seconds=120, thread=False):
    """Milliseconds from the start of the navigation until `until` is true and painted; with `thread`, those of the page's main thread too."""
    with fresh_page(browser, until) as page:
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(address, wait_until="commit", timeout=seconds * 1000)
        found = page.evaluate("""seconds => Promise.race([
            window.__first, new Promise((_, no) => setTimeout(() => no(new Error('not painted: ' + (window.__fault ?? ''))), seconds * 1000))])""", seconds)
        return (found, counters(session)["TaskDuration"] * 1000) if thread else found


def counters(session):
    return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}


def after(page, event, until, act, seconds=60):
    """Milliseconds from the page's first `event` (as the browser stamped it) until `until` is true and painted; `act` causes it."""
    page.evaluate("""([event, until, seconds]) => {
        let start = null
        const hear = found => { start ??= found.timeStamp }
        document.addEventListener(event, hear, { capture: true, once: true })
        window.__waited = Promise.race([
            new Promise(resolve => document.addEventListener(event, () => resolve(window.__until(until, () => start)), { capture: true, once: true })),
            new Promise((_, no) => setTimeout(() => no(new Error('not painted: ' + (window.__fault ?? ''))), seconds * 1000))])
    }""", [event, until, seconds])
    act()
    return page.evaluate("window.__waited")


def frames(page, step, count):
    """The times between frames, in ms, ordered, while `step` (a JavaScript function of the number) runs once in each."""
    return page.evaluate("""([step, count]) => new Promise(resolve => {
        const act = eval(step), times = []
        let number = 0, last = null
        const frame = now => {
            if (last !== null) times.push(now - last)
            last = now
            if (number === count) return resolve(times.sort((a, b) => a - b))
            act(number++)
            requestAnimationFrame(frame)
        }
        requestAnimationFrame(frame)
    })""", [step, count])


def heap(session):
    """Bytes of JavaScript's heap, and nodes and listeners of the page, after all garbage is gone."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    found = counters(session)
    return found["JSHeapUsedSize"], int(found["Nodes"]), int(found["JSEventListeners"])


class Hand:
    """The pointer of somebody who uses the page: counts, and remembers when the first click came."""

    def __init__(self, page):
        self.page, self.clicks, self.begin = page, 0, None

    def click(self, target, **how):
        target.wait_for()
        self.begin = self.begin or time.perf_counter()
        self.clicks += 1
        target.click(**how)

    def until(self, condition):
        """Milliseconds since the first click until a condition on the page holds."""
        self.page.wait_for_function(condition, polling="raf")
        return (time.perf_counter() - self.begin) * 1000
