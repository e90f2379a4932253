"""The first lines of README.md lead from an installed wheel to a curve in the browser."""

import os
import re
import subprocess
import sys

from playwright.sync_api import expect

from conftest import BINARY, ROOT
from looking import painted


def test_the_first_lines_of_the_readme_end_in_a_curve(page, tmp_path):
    block = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1].splitlines()
    assert len(block) == 3 and block[0] == "make wheel && pip install dist/martlet-*-manylinux_*.whl", block
    # What the wheel brings is tried in Tests/PackagingTests; here the same command and package come from the checkout.
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "martlet").symlink_to(BINARY)
    (programs / "python").symlink_to(sys.executable)
    (tmp_path / "work").mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MARTLET_")}
    environment |= {"PATH": f"{programs}:{environment['PATH']}", "PYTHONPATH": str(ROOT / "python"), "HOME": str(tmp_path)}
    subprocess.run(["bash", "-ec", block[1]], cwd=tmp_path / "work", env=environment, check=True, timeout=60)
    assert block[2].endswith(" --open"), "a person's browser opens; the test's goes to the address that is printed"
    server = subprocess.Popen(
        ["bash", "-c", "exec " + block[2].removesuffix(" --open")], cwd=tmp_path / "work", env=environment, stdout=subprocess.PIPE, text=True)
    try:
        page.goto(re.search(r"http://\S+", server.stdout.readline())[0])
        page.get_by_role("link", name="first").first.click()
        chart = page.get_by_role("region", name="loss", exact=True).locator(".chart")
        expect(chart).to_be_visible()
        assert painted(chart) > 300
    finally:
        server.terminate()
        server.wait(timeout=20)
