"""Measure how fast the built pages are on a slow phone.

The site is served from this machine, compressed as a static host does it, to headless Chromium with
the network and processor of Lighthouse's phone: 1.6 Mbit/s, 150 ms for a round trip, a processor
four times slower. For each page: first and largest contentful paint, layout shift, total blocking
time (what tasks took beyond 50 ms after the first paint), bytes on the wire and requests. Layout
shift, bytes and requests are the same on every machine; times depend on it, so they are medians.

Usage: python tools/measure_site.py [PAGE…] [--site FOLDER] [--runs N] [--json]
"""

from __future__ import annotations

import argparse
import gzip
import http.server
import json
import mimetypes
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import browser
import build_book

PAGES = ("index", "share-above-half", "data")
#: Lighthouse's "slow 4G" as it is applied by the browser: bytes a second, milliseconds.
NETWORK = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6 * 1024 * 1024 / 8,
    "uploadThroughput": 0.75 * 1024 * 1024 / 8,
}
SLOWER = 4
#: What a first visit may weigh, compressed.
LIMIT = 250_000
TEXTS = (".html", ".css", ".js", ".json", ".svg", ".csv", ".inv")

_OBSERVE = """
window.seen = {lcp: 0, cls: 0, tasks: []};
new PerformanceObserver(list => { for (const e of list.getEntries()) seen.lcp = e.startTime; })
    .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(list => { for (const e of list.getEntries())
    if (!e.hadRecentInput) seen.cls += e.value; }).observe({type: 'layout-shift', buffered: true});
new PerformanceObserver(list => { for (const e of list.getEntries())
    seen.tasks.push([e.startTime, e.duration]); }).observe({type: 'longtask', buffered: true});
"""
_READ = """(() => {
    const fcp = performance.getEntriesByName('first-contentful-paint')[0];
    const first = fcp ? fcp.startTime : 0;
    const late = seen.tasks.filter(task => task[0] + task[1] > first);
    return {fcp: first, lcp: seen.lcp, cls: seen.cls,
        tbt: late.reduce((sum, task) => sum + Math.max(0, task[1] - 50), 0)};
})()"""


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """Serve a folder on this machine, texts compressed; yield its address."""

    @cache
    def packed(path: Path) -> bytes:
        return gzip.compress(path.read_bytes(), 9, mtime=0)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = (site / unquote(urlsplit(self.path).path).lstrip("/")).resolve()
            if not path.is_relative_to(site) or not path.is_file():
                self.send_error(404)
                return
            text = path.suffix in TEXTS
            content = packed(path) if text else path.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", mimetypes.guess_type(path.name)[0] or "text/plain")
            self.send_header("Content-Length", str(len(content)))
            if text:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def visit(running: Any, address: str) -> dict[str, float]:
    """Open a page once, with an empty cache; return what was measured."""
    context = running.new_context(
        viewport={"width": 412, "height": 823}, device_scale_factor=1.75, is_mobile=True
    )
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.add_init_script(_OBSERVE)
    page.goto(address, wait_until="networkidle")
    # What the page's own scripts load once they run belongs to the visit too.
    page.wait_for_timeout(2000)
    page.wait_for_load_state("networkidle")
    found: dict[str, float] = page.evaluate(_READ)
    context.close()
    return {**found, "bytes": sum(sizes), "requests": len(sizes)}


def measure(site: Path, pages: list[str], runs: int, chromium: str) -> list[dict[str, Any]]:
    """Return a row of medians for each page.

    Parameters
    ----------
    site : Path
        Folder of the built pages.
    pages : list of str
        Names without ending.
    runs : int
        Visits of each page.
    chromium : str
        Path of the browser.
    """
    rows = []
    with serving(site) as base, browser.opened(chromium) as running:
        for name in pages:
            seen = [visit(running, f"{base}/{name}.html") for _ in range(runs)]
            median = {key: statistics.median(run[key] for run in seen) for key in seen[0]}
            rows.append(
                {
                    "page": name,
                    "first_contentful_paint_ms": round(median["fcp"]),
                    "largest_contentful_paint_ms": round(median["lcp"]),
                    "layout_shift": round(median["cls"], 4),
                    "total_blocking_time_ms": round(median["tbt"]),
                    "transferred_bytes": round(median["bytes"]),
                    "requests": round(median["requests"]),
                }
            )
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return 1 where a first visit is heavier than the limit."""
    parser = argparse.ArgumentParser(description="Measure the built pages in a browser.")
    parser.add_argument("pages", nargs="*", default=list(PAGES), help="names without ending")
    parser.add_argument("--site", type=Path, default=build_book.ROOT / "book/_build/html")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print for machines")
    given = parser.parse_args(arguments)
    site: Path = given.site.resolve()
    for name in given.pages:
        if not (site / f"{name}.html").is_file():
            print(f"error: {site / name}.html: no such page; run `make book`", file=sys.stderr)
            return 2
    chromium = browser.found()
    if chromium is None:
        print(browser.MISSING, file=sys.stderr)
        return 2
    rows = measure(site, given.pages, given.runs, chromium)
    if given.json:
        print(json.dumps(rows, indent=1))
    else:
        print("page                  first paint  largest  shift   blocked      bytes  requests")
        for row in rows:
            page, first, largest, shift, blocked, size, requests = row.values()
            print(
                f"{page:<22}{first:>8} ms{largest:>6} ms{shift:>7}{blocked:>7} ms"
                f"{size:>11,}{requests:>10}"
            )
    heavy = [row["page"] for row in rows if row["transferred_bytes"] > LIMIT]
    for name in heavy:
        print(f"error: {name}: more than {LIMIT:,} bytes on a first visit", file=sys.stderr)
    return 1 if heavy else 0


if __name__ == "__main__":
    sys.exit(main())
