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
#: A picture that holds up the end of loading, at which the browser is done, until the script is.
HELD = """<img src="HOME/held" alt="" hidden><script>
const over = new MutationObserver(() => fetch("HOME/over", { method: "POST", mode: "no-cors" }));
over.observe(document.getElementById("result"), { childList: true });
</script>"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the pages, and one page more that looks at all the others."""

    def __init__(self, *given, probe, over, **named):
        self.probe, self.over = probe, over
        super().__init__(*given, **named)

    def do_POST(self):
        self.over.set()
        self._nothing()

    def _nothing(self):
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        if self.path == "/held":
            self.over.wait(200)
            return self._nothing()
        if self.path != "/probe":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.probe[0].encode())

    def log_message(self, *_):
        pass


def run(
    html: Path, script: str, folder: Path, *, patiently: bool = False, page: str = ""
) -> tuple[Any, list[str], set[str]]:
    """What a script returns, the lines on the console, and the addresses asked for elsewhere.

    Parameters
    ----------
    html
        Folder of the pages; the script finds them by their names.
    script
        Body of an async function in JavaScript.
    folder
        For the browser's own files.
    patiently
        Let time pass as it does, for pages that unpack data: virtual time does not wait for that.
    page
        Name of a page, and its state behind a ``#``, that is opened as a file and not from a server; the
        script runs in a copy of it. Patiently.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    look = PROBE.replace("SCRIPT", script)
    probe: list[str] = []  # it names the server's address
    handler = functools.partial(Handler, directory=str(html), probe=probe, over=threading.Event())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}"
        address, asker, ours = f"{home}/probe", "127.0.0.1", (home, "data:", "blob:")
        if patiently or page:
            look += HELD.replace("HOME", home)
        if page:
            name, _, state = page.partition("#")
            copy = html / f"probe-{name}"
            copy.write_text((html / name).read_text() + look.split("</title>")[1])
            address, asker, ours = f"{copy.resolve().as_uri()}#{state}", "null", (*ours, "file:")
        probe.append(look)
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        options += ["--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
        options += [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={folder / 'net.json'}"]
        options += ["--window-size=1400,900", "--enable-logging=stderr", "--v=0"]
        options += [] if patiently or page else ["--virtual-time-budget=600000"]
        done = subprocess.run(
            [CHROMIUM, *options, "--dump-dom", address], capture_output=True, text=True, timeout=240
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
    urls = {p["url"] for p in asked if asker in p.get("initiator", "")}
    assert any(url.startswith(f"{home}/") for url in urls)  # else the log was not understood
    return json.loads(result), console, {url for url in urls if not url.startswith(ours)}
