"""A local web server for download tests, stand-in files, and the question whether a real scene is here."""

from __future__ import annotations

import functools
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from hsu_lib import scenes
from hsu_lib.scene import Scene, SceneSpec
from hsu_lib.scenes.public import download


def real(name: str, reference: str = "") -> Scene:
    """A public scene, or a skip with its reason where its files are not on this machine."""
    spec = SceneSpec(name, reference)
    if not scenes.is_available(spec):
        pytest.skip(f"files of {spec} are neither in HSU_DATA_DIR nor in the cache")
    return scenes.load(spec, download=False)


def real_file(file: str) -> bytes:
    """Content of a registered file, or a skip where it is not on this machine."""
    path, content, _ = download.find(file)
    if path is None:
        pytest.skip(f"{file} is neither in HSU_DATA_DIR nor in the cache")
    return content


def save_usgs(path, names, wavelengths, spectra):
    """File of the form of the library of 1995; wavelengths and widths in micrometres."""
    rows = [name.ljust(28) + "\n" for name in ("Wavelengths", "Resolution", "Data value", *names)]
    codes = np.array([list(row.encode("latin1")) for row in rows], dtype=np.uint8)
    table = np.column_stack(
        [wavelengths, np.full(len(wavelengths), 0.01), np.arange(len(wavelengths)), spectra]
    )
    savemat(path, {"names": codes, "datalib": table})
    return path.read_bytes()


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
