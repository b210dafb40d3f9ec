"""Pages in headless Chromium: a script of ours looks at them, and what it returns is what a test compares.

The browser is driven by its own command line (``--dump-dom``) alone. Pages are shown in frames, which can be
narrower than the 500 pixels that a window of Chromium has at least.
"""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
PROBE = """<!doctype html><title>probe</title><pre id="result">unfinished</pre><script>
const look = async () => { SCRIPT };
look().catch((error) => ({ error: String(error) })).then((found) => {
  document.getElementById("result").textContent = JSON.stringify(found);
});
</script>"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the pages, and one page more that looks at all the others."""

    probe = ""

    def do_GET(self):
        if self.path != "/probe":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.probe.encode())

    def log_message(self, *_):
        pass


def run(html: Path, script: str, folder: Path) -> tuple[Any, list[str], set[str]]:
    """What a script returns, the lines on the console, and the addresses asked for elsewhere.

    Parameters
    ----------
    html
        Folder of the pages; the script finds them by their names.
    script
        Body of an async function in JavaScript.
    folder
        For the browser's own files.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    probe = {"probe": PROBE.replace("SCRIPT", script)}
    handler = functools.partial(type("Probe", (Handler,), probe), directory=str(html))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}"
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        options += ["--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
        options += [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={folder / 'net.json'}"]
        options += ["--window-size=1400,900", "--enable-logging=stderr", "--v=0"]
        options += ["--virtual-time-budget=600000"]
        done = subprocess.run(
            [CHROMIUM, *options, "--dump-dom", f"{home}/probe"], capture_output=True, text=True, timeout=240
        )
        server.shutdown()
    result = BeautifulSoup(done.stdout, "html.parser").find(id="result").get_text()
    assert result != "unfinished", done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    # what the theme and the toggle buttons say of their doings
    console = [line for line in console if not re.search(r'"\[(PST|togglebutton)\]: ', line)]
    log = json.loads((folder / "net.json").read_text())
    kind = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [event.get("params", {}) for event in log["events"] if event["type"] == kind]
    # what Chromium asks for itself has no page as its initiator
    urls = {p["url"] for p in asked if "127.0.0.1" in p.get("initiator", "")}
    assert any(url.startswith(f"{home}/") for url in urls)  # else the log was not understood
    return json.loads(result), console, {url for url in urls if not url.startswith((home, "data:", "blob:"))}
