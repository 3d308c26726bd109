"""From a click on Run to the output on the page, browser included.

    python benchmarks/click.py [--runs 100] [--json]

Starts the real server, opens a lesson in Chromium, writes `1 + 1` into a cell and clicks its button again and again.
The clock runs in the page: from just before the click to the first frame after the new output and its execution count
stand in the document.
Needs Playwright and a Chromium (on the path, or named in CHROMIUM).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: The bar of the house: milliseconds, 95th percentile.
BAR_MS = 50.0

ONE_RUN = """
async () => {
  const cell = document.querySelector("gl-cell");
  const count = () => cell.querySelector(".cell-count")?.textContent ?? "";
  const before = count();
  const shown = () => [...cell.querySelectorAll(".out-result")].some((e) => e.textContent.trim() === "2");
  const done = () => shown() && count() !== before && !count().includes("*");
  const began = performance.now();
  cell.querySelector(".cell-run").click();
  await new Promise((arrived) => {
    const look = () => { if (done()) { watcher.disconnect(); arrived(); } };
    const watcher = new MutationObserver(look);
    watcher.observe(cell, { childList: true, subtree: true, characterData: true });
  });
  await new Promise((frame) => requestAnimationFrame(frame));
  return performance.now() - began;
}
"""


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Return when the server answers."""
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit("the server stopped before it answered")
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("the server did not answer within a minute")


def measure(url: str, runs: int) -> list[float]:
    """Milliseconds of every run after a few to warm up."""
    chromium = os.environ.get("CHROMIUM") or next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit("no Chromium found: install one, or name it in the environment variable CHROMIUM")
    flags = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page()
        page.goto(f"{url}/en/lessons/03-autograd")
        cell = page.locator("gl-cell").first
        area = cell.locator("textarea")
        area.focus()
        page.wait_for_selector("gl-cell .cm-content")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("1 + 1")
        times = [page.evaluate(ONE_RUN) for _ in range(runs + 10)]
        browser.close()
    return times[10:]


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", str(port), "--no-browser"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(f"{url}/healthz", server)
        times = measure(url, options.runs)
    finally:
        server.terminate()
        server.wait(20)
    found = {
        "runs": len(times),
        "p50_ms": round(percentile(times, 0.5), 1),
        "p95_ms": round(percentile(times, 0.95), 1),
    }
    if options.json:
        print(json.dumps(found))
    else:
        print(
            f"click to output of 1 + 1: p50 {found['p50_ms']} ms, p95 {found['p95_ms']} ms (bar: p95 <= {BAR_MS:g} ms)"
        )


if __name__ == "__main__":
    main()
