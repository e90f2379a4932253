"""The app as those see it who work on it: before a server that runs already."""

import re
import subprocess
import sys

from playwright.sync_api import expect

from conftest import ROOT
from store import call


def test_the_built_app_is_served_before_a_server(page, server):
    process = subprocess.Popen([sys.executable, ROOT / "web" / "serve", server, "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
        page.goto(f"{address}/experiments/letters/about")
        expect(page.get_by_role("heading", name="letters")).to_be_visible()
        # What streams passes through as it comes.
        page.goto(f"{address}/runs?user=hopper")
        expect(page.get_by_text("hopper has no runs here")).to_be_visible()
        call(server, "POST", "/runs", {"experiment": "letters", "name": "passed on", "user": "hopper", "status": "FINISHED"})
        expect(page.get_by_role("link", name="passed on")).to_be_visible()
        assert page.request.get(f"{address}/assets/../index.html").status == 404
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_a_wrong_address_is_told(server):
    found = subprocess.run([sys.executable, ROOT / "web" / "serve", "http://127.0.0.1:1"], capture_output=True, text=True, timeout=20)
    assert found.returncode != 0 and "does not answer" in found.stderr
