"""Checkpoints: one file, whole or not at all, gone when the work is done."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest
import torch

from hsu_lib import atomic
from hsu_lib.learning import checkpoints
from hsu_lib.learning.checkpoints import Checkpoint, keep_in


def test_a_state_comes_back_as_it_was(tmp_path):
    checkpoint = Checkpoint(tmp_path / "folder" / "state")
    x = torch.randn(1, 3, 4, 5).to(memory_format=torch.channels_last)
    state = {"x": x, "done": 3, "list": [torch.ones(2)], "nested": {"rate": 0.5, "pair": (1, 2)}}
    checkpoint.save(state)
    back = checkpoint.load()
    assert torch.equal(back["x"], x)
    assert back["x"].stride() == x.stride()  # sums depend on the order in memory
    assert torch.equal(back["list"][0], torch.ones(2))
    assert (back["done"], back["nested"]) == (3, state["nested"])


def test_the_latest_state_counts_and_nothing_else_is_left(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state")
    assert checkpoint.load() is None
    for done in (1, 2):
        checkpoint.save({"done": done})
    assert checkpoint.load() == {"done": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_a_save_that_fails_leaves_the_state_before_it(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "state")
    checkpoint.save({"done": 1})

    def fail(handle):
        raise OSError(errno.ENOSPC, "disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="disk full"):
            checkpoint.save({"done": 2})
    assert checkpoint.load() == {"done": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


@pytest.mark.parametrize("damage", ["empty", "cut", "other"])
def test_a_damaged_file_is_forgotten_and_told(tmp_path, damage):
    checkpoint = Checkpoint(tmp_path / "state")
    checkpoint.save({"x": torch.randn(1000)})
    whole = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "other": b"no state"}[damage])
    with pytest.warns(RuntimeWarning, match="damaged checkpoint"):
        assert checkpoint.load() is None
    assert not checkpoint.path.exists()


def test_every_flipped_bit_is_noticed(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state")
    checkpoint.save({"x": torch.arange(3.0), "done": 5})
    whole = checkpoint.path.read_bytes()
    for place in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        checkpoint.path.write_bytes(flipped)
        with pytest.warns(RuntimeWarning, match="damaged checkpoint"):
            assert checkpoint.load() is None


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = atomic.temporary(tmp_path)
    mine.write_bytes(b"half")
    theirs = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{dead.pid}-"))
    theirs.write_bytes(b"half")
    with keep_in(tmp_path / "state"):
        assert [file.name for file in tmp_path.iterdir()] == [mine.name]


class Code:
    ran = False

    def __reduce__(self):
        return setattr, (Code, "ran", True)


def test_no_code_in_a_file_is_run(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state")
    checkpoint.save({"x": Code()})
    with pytest.warns(RuntimeWarning, match="more than tensors and plain values"):
        assert checkpoint.load() is None
    assert not Code.ran


def test_a_file_that_cannot_be_read_is_kept(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "state")
    checkpoint.save({"done": 1})

    def fail(*_, **__):
        raise PermissionError("not now")

    with monkeypatch.context() as patch:
        patch.setattr(type(checkpoint.path), "read_bytes", fail)
        with pytest.raises(PermissionError):
            checkpoint.load()
    assert checkpoint.load() == {"done": 1}


def test_it_is_due_when_time_has_passed(monkeypatch, tmp_path):
    now = 50.0
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now)
    checkpoint = Checkpoint(tmp_path / "state", seconds=10)
    assert not checkpoint.due()
    now = 60.0
    assert checkpoint.due()
    checkpoint.save({})
    assert not checkpoint.due()
    assert Checkpoint(tmp_path / "state", seconds=0).due()


def test_a_checkpoint_is_removed_at_the_end_unless_an_error_got_out(tmp_path):
    path = tmp_path / "state"

    def interrupted():
        with keep_in(path) as checkpoint:
            checkpoint.save({"done": 1})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.exists()
    with keep_in(path) as checkpoint:
        assert checkpoint.load() == {"done": 1}
    assert not path.exists()
