"""Pictures of the main pages, light and dark, of the demo's store. Called by scripts/pictures."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("MARTLET_BINARY", ROOT / ".build" / "release" / "martlet")
PAGES = {
    "projects": "/", "workspace": "/experiments/resnet-cifar10", "runs": "/experiments/resnet-cifar10?group=none&smooth=0.6",
    "table": "/experiments/resnet-cifar10/table", "explore": "/experiments/resnet-cifar10/explore",
    "my-runs": "/runs",
    "run": "/experiments/resnet-cifar10/runs/run_18", "charts": "/experiments/resnet-cifar10/runs/run_18/charts",
}


def main():
    out = ROOT / "docs" / "pictures"
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([BINARY, "demo", f"{folder}/demo"], check=True)
        server = subprocess.Popen([BINARY, "ui", f"{folder}/demo"], stdout=subprocess.PIPE, text=True)
        try:
            take(server.stdout.readline().strip(), out)
        finally:
            server.terminate()
            server.wait(timeout=20)
    shutil.copy(out / "workspace-light.png", ROOT / "docs" / "workspace.png")
    print(f"pictures are in {out.relative_to(ROOT)}; docs/workspace.png is new")


def take(address, out):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--headless=new", "--disable-gpu"])
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1440, "height": 860}, color_scheme=scheme)
            for name, path in PAGES.items():
                page.goto(address + path)
                page.wait_for_timeout(2500)
                if name == "workspace":
                    chart = page.get_by_role("region", name="train/loss", exact=True).locator(".chart-over")
                    box = chart.bounding_box()
                    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + 60)
                    page.wait_for_timeout(400)
                page.screenshot(path=out / f"{name}-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
