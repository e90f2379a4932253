"""A real server with a small store of its own, and Debian's chromium looking at it."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

sys.path.insert(0, str(Path(__file__).parent))
from media_store import fill_media  # noqa: E402
from store import fill, fill_pair, fill_sweep  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("MARTLET_BINARY", ROOT / ".build" / "release" / "martlet"))


# A machine that builds beside the tests is slow; what is there at once is not waited for longer.
expect.set_options(timeout=15_000)


@contextmanager
def serving(folder, *more):
    """The address of a server on a folder of its own, as long as the block lasts."""
    log = folder / "log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--data", folder / "data", *more], stdout=output,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not (found := re.search(r"http://127\.0\.0\.1:\d+|http://localhost:\d+", log.read_text())):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield found[0].replace("localhost", "127.0.0.1")
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of a server that has been given four experiments."""
    with serving(tmp_path_factory.mktemp("store")) as address:
        fill(address)
        fill_sweep(address)
        fill_pair(address)
        yield address


@pytest.fixture(scope="session")
def media(tmp_path_factory):
    """The address of a server with media, and the ids of its two runs."""
    with serving(tmp_path_factory.mktemp("media")) as address:
        yield address, *fill_media(address)


@pytest.fixture(scope="session")
def base_url(server):
    return server


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": "/usr/bin/chromium",
        "args": [
            "--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
        ],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}}


@pytest.fixture(autouse=True)
def no_fault(page):
    """A page that throws, or that its own policy stops, is a failure whatever it shows."""
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None)
    yield faults
    assert not faults, faults
