"""What several tests ask of a page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect


def painted(chart):
    """How many pixels of a chart's lower canvas are not empty."""
    return chart.locator("canvas").first.evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 3 && v > 0).length")


def chart_of(page, metric):
    return page.get_by_role("region", name=metric, exact=True).locator(".chart")


def saved(page, region, entry):
    """The text of the file that a chart's menu saves."""
    region.get_by_role("button", name="More of").click()
    with page.expect_download() as found:
        region.get_by_role("button", name=entry).click()
    return found.value.path().read_text()


def table_of(region):
    """A chart's table: its head, and a list of cells for each row."""
    region.get_by_role("button", name="More of").click()
    region.get_by_role("button", name="Show as table").click()
    rows = [[cell.inner_text() for cell in row.get_by_role("cell").all()] for row in region.locator("tbody").get_by_role("row").all()]
    return [cell.inner_text() for cell in region.get_by_role("columnheader").all()], rows


def assert_open_to_all(page):
    """Nothing on the page keeps people out who see, hear or move otherwise, as far as axe can tell."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def panel(page, name):
    """A part of the page by its name, scrolled to: what lies far below is not loaded before."""
    found = page.get_by_role("region", name=name, exact=True)
    found.scroll_into_view_if_needed()
    return found


def until(page, question, wanted):
    """What is drawn on a canvas says no event, so it is asked for again."""
    for _ in range(100):
        found = question()
        if found == wanted:
            return
        page.wait_for_timeout(50)
    assert found == wanted


def assert_turns(page, shape):
    """A shape is drawn, and an arrow key draws it from another side."""
    drawn = "s => { const c = s.querySelector('canvas'); return c.width ? c.toDataURL() : '' }"
    expect(shape).to_be_visible()
    until(page, lambda: len(shape.evaluate(drawn)) > 500, True)
    before = shape.evaluate(drawn)
    shape.focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: shape.evaluate(drawn) != before, True)
