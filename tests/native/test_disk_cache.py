"""The cache on disk: whatever happens to its files, what is read is what was written, or nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flambeau.native import disk_cache
from flambeau.native.disk_cache import DiskCache

VERSION = f"{'a' * 16}-{'b' * 16}"


def kernel(k: int) -> str:
    return f"kernel_{k:032x}"


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path / VERSION)


def test_what_is_written_is_read(cache: DiskCache) -> None:
    assert cache.read(kernel(1)) is None
    cache.write(kernel(1), b"code" * 100)
    assert cache.read(kernel(1)) == b"code" * 100
    assert (cache.hits, cache.misses, cache.damaged) == (1, 1, 0)
    assert DiskCache(cache.folder).read(kernel(1)) == b"code" * 100


@pytest.mark.parametrize("how", ["empty", "short", "cut", "bit", "longer", "foreign"])
def test_damage_is_seen(cache: DiskCache, how: str) -> None:
    cache.write(kernel(1), bytes(range(256)) * 10)
    assert cache.folder is not None
    path = cache.folder / kernel(1)
    content = bytearray(path.read_bytes())
    if how == "bit":
        content[len(content) // 2] ^= 1
    changed = {"empty": b"", "short": bytes(content[:10]), "cut": bytes(content[:-1]), "bit": bytes(content),
               "longer": bytes(content) + b"x", "foreign": b"\x7fELF" + bytes(content)}[how]  # fmt: skip
    path.write_bytes(changed)
    assert cache.read(kernel(1)) is None
    assert cache.damaged == 1
    cache.write(kernel(1), b"new")
    assert cache.read(kernel(1)) == b"new"


def test_no_folder_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAMBEAU_CACHE_DIR", "")
    assert disk_cache.root() is None
    cache = DiskCache(None)
    cache.write(kernel(1), b"code")
    assert cache.read(kernel(1)) is None
    cache.prune()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = DiskCache(tmp_path / "file" / VERSION)
    cache.write(kernel(1), b"code")
    assert cache.folder is None
    assert cache.read(kernel(1)) is None


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(cache: DiskCache) -> None:
    cache.write(kernel(1), b"code")
    assert cache.folder is not None
    cache.folder.chmod(0o500)
    try:
        cache.write(kernel(2), b"code")
        assert cache.folder is None
    finally:
        Path(cache.folder or "").chmod(0o700)


def test_prune_deletes_what_was_used_longest_ago_and_nothing_of_others(cache: DiskCache, tmp_path: Path) -> None:
    others = [tmp_path / "letter.txt", tmp_path / "photos" / "kernel_panic.jpg", tmp_path / VERSION / "notes"]
    (tmp_path / "photos").mkdir()
    for k in range(6):
        cache.write(kernel(k), bytes(1000))
        os.utime(tmp_path / VERSION / kernel(k), (1000 + k, 1000 + k))
    old = DiskCache(tmp_path / f"{'c' * 16}-{'d' * 16}")
    old.write(kernel(9), bytes(1000))
    os.utime(tmp_path / f"{'c' * 16}-{'d' * 16}" / kernel(9), (1, 1))
    left = tmp_path / VERSION / f".{kernel(8)}.123"  # of a process that was killed
    left.write_bytes(bytes(1000))
    os.utime(left, (2, 2))
    for path in others:
        path.write_bytes(bytes(5000))
        os.utime(path, (1, 1))
    assert cache.read(kernel(0)) is not None  # used now
    cache.prune(4 * 1100)
    assert all(path.exists() for path in others)
    assert not left.exists()
    assert old.read(kernel(9)) is None
    assert [cache.read(kernel(k)) is not None for k in range(6)] == [True, False, False, True, True, True]


def test_another_compiler_or_processor_has_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAMBEAU_CACHE_DIR", str(tmp_path))
    disk_cache.disk_cache.cache_clear()
    try:
        first = disk_cache.disk_cache().folder
        assert first is not None and first.parent == tmp_path and disk_cache._OURS.fullmatch(f"{first.name}/{kernel(1)}")
        disk_cache.disk_cache.cache_clear()
        monkeypatch.setattr(disk_cache, "compiler_version", lambda: "0" * 16)
        assert disk_cache.disk_cache().folder != first
    finally:
        monkeypatch.undo()
        disk_cache.disk_cache.cache_clear()


WRITER = """
import sys
from pathlib import Path
from flambeau.native.disk_cache import DiskCache
cache = DiskCache(Path(sys.argv[1]))
for k in range(60):
    cache.write(f"kernel_{k % 3:032x}", bytes([k % 3]) * (100_000 + k % 3))
    content = cache.read(f"kernel_{(k + 1) % 3:032x}")
    assert content is None or content == bytes([(k + 1) % 3]) * (100_000 + (k + 1) % 3)
    if k % 20 == 0:
        cache.prune(250_000)
assert not cache.damaged
"""


def test_several_processes_write_and_prune(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / VERSION)]
    running = [subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}) for _ in range(3)]
    assert [each.wait(60) for each in running] == [0, 0, 0]


PROGRAM = """
import flambeau as torch
from flambeau.native.policy import policy
from flambeau.native.code_cache import statistics
policy.mode = "native"
print((torch.arange(10.0) * 3 + 1).sum().item(), statistics.compiled > 0, statistics.loaded > 0)
"""


def test_kernels_come_from_disk_and_damaged_ones_are_compiled_again(tmp_path: Path) -> None:
    def run() -> str:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "FLAMBEAU_CACHE_DIR": str(tmp_path)}
        return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True).stdout

    assert run() == "145.0 True False\n"
    assert run() == "145.0 False True\n"
    for path in tmp_path.glob("*/kernel_*"):
        path.write_bytes(path.read_bytes()[:-7])
    assert run() == "145.0 True False\n"
    assert run() == "145.0 False True\n"
