"""A local web server for download tests, and the question whether a real scene is here."""

from __future__ import annotations

import functools
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hsu_lib import scenes
from hsu_lib.scene import Scene, SceneSpec


def real(name: str, reference: str = "") -> Scene:
    """A public scene, or a skip with its reason where its files are not on this machine."""
    spec = SceneSpec(name, reference)
    if not scenes.is_available(spec):
        pytest.skip(f"files of {spec} are neither in HSU_DATA_DIR nor in the cache")
    return scenes.load(spec, download=False)


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()


@contextmanager
def served(folder: Path):
    """Web server of a folder on this machine: yields its address and the list of what was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
