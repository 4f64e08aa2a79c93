"""Downloads over a real connection: interrupted, continued, corrupted, refused."""

import hashlib
import http.server
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest

from flambeau.vision.datasets import downloading
from flambeau.vision.datasets.utils import (
    calculate_md5,
    check_integrity,
    download_and_extract_archive,
    download_url,
    extract_archive,
    list_dir,
    list_files,
    verify_str_arg,
)

CONTENT = bytes(range(256)) * 2000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT, whole or from where it is asked to; may break off after some bytes."""

    ranges: list[str | None]
    breaks_after: list[int]
    understands_ranges = True

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.understands_ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"one"')
        self.end_headers()
        if self.breaks_after:
            body = body[: self.breaks_after.pop(0)]
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[tuple[str, type[Handler]]]:
    """(address of a file, the handler that tells what was asked for)."""

    class Fresh(Handler):
        ranges: list[str | None] = []
        breaks_after: list[int] = []

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fresh) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/data.bin", Fresh
        running.shutdown()


def test_whole_with_a_progress_bar(
    server: tuple[str, type[Handler]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url, handler = server
    download_url(url, tmp_path / "new", md5=MD5)
    assert (tmp_path / "new" / "data.bin").read_bytes() == CONTENT and os.listdir(tmp_path / "new") == ["data.bin"]
    assert "data.bin" in capfd.readouterr().err
    download_url(url, tmp_path / "new", md5=MD5)
    assert handler.ranges == [None]  # what is there and intact is not fetched again


def test_a_connection_that_breaks_is_continued(server: tuple[str, type[Handler]], tmp_path: Path) -> None:
    url, handler = server
    handler.breaks_after = [100_000, 50_000]
    download_url(url, tmp_path, "named", md5=MD5)
    assert (tmp_path / "named").read_bytes() == CONTENT
    assert handler.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_an_earlier_call_is_continued(server: tuple[str, type[Handler]], tmp_path: Path) -> None:
    url, handler = server
    (tmp_path / "data.bin.partial").write_bytes(CONTENT[:1000])
    download_url(url, tmp_path, md5=MD5)
    assert handler.ranges == ["bytes=1000-"] and check_integrity(tmp_path / "data.bin", MD5)


@pytest.mark.parametrize("left", [CONTENT, b"something else", CONTENT + b"and more"])
def test_whatever_an_earlier_call_left_the_result_is_right(
    server: tuple[str, type[Handler]], tmp_path: Path, left: bytes
) -> None:
    url, _ = server
    (tmp_path / "data.bin.partial").write_bytes(left)
    download_url(url, tmp_path, md5=MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT and os.listdir(tmp_path) == ["data.bin"]


def test_without_a_checksum_nothing_old_is_trusted(server: tuple[str, type[Handler]], tmp_path: Path) -> None:
    url, handler = server
    (tmp_path / "data.bin.partial").write_bytes(b"something else")
    download_url(url, tmp_path)
    assert handler.ranges == [None] and (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_server_without_ranges(server: tuple[str, type[Handler]], tmp_path: Path) -> None:
    url, handler = server
    handler.understands_ranges = False
    handler.breaks_after = [100_000]
    download_url(url, tmp_path, md5=MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_the_wrong_content_is_refused(server: tuple[str, type[Handler]], tmp_path: Path) -> None:
    url, _ = server
    with pytest.raises(RuntimeError, match=r"File not found or corrupted.*0123"):
        download_url(url, tmp_path, md5="0123")
    assert os.listdir(tmp_path) == []


def test_no_connection(server: tuple[str, type[Handler]], tmp_path: Path) -> None:
    url, handler = server
    with pytest.raises(URLError):
        download_url("http://127.0.0.1:9/data.bin", tmp_path, md5=MD5)
    assert os.listdir(tmp_path) == []
    handler.breaks_after = [10] * 10
    with pytest.raises(URLError, match="broke 4 times"):
        download_url(url, tmp_path, md5=MD5)
    assert (tmp_path / "data.bin.partial").read_bytes() == CONTENT[:40]  # to be continued
    assert not (tmp_path / "data.bin").exists()


def test_several_at_once_fetch_it_once(server: tuple[str, type[Handler]], tmp_path: Path) -> None:
    url, handler = server
    threads = [threading.Thread(target=download_url, args=(url, tmp_path), kwargs={"md5": MD5}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert handler.ranges == [None] and os.listdir(tmp_path) == ["data.bin"]


def test_without_tqdm_a_line_tells(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    with downloading.progress_bar(2_000_000, 0, "file") as bar:
        bar.update(1_000_000)
        bar.update(1_000_000)
    assert capsys.readouterr().err == "\rfile:  50 % of 2.0 MB\rfile: 100 % of 2.0 MB\n"


def test_archives(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("content")
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz") as tar:
        tar.add(tmp_path / "in", "sub/in")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "in", "sub/in")
    for name in ("a.tar.xz", "a.zip"):
        download_and_extract_archive(
            (tmp_path / name).as_uri(), tmp_path / "down", tmp_path / name[-3:], remove_finished=True
        )
        assert (tmp_path / name[-3:] / "sub" / "in").read_text() == "content"
        assert os.listdir(tmp_path / "down") == []
    with pytest.raises(RuntimeError, match="Unknown archive type of 'in'"):
        extract_archive(tmp_path / "in")


def test_an_archive_cannot_write_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("content")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tmp_path / "in", "../out")
    with pytest.raises(tarfile.OutsideDestinationError):
        extract_archive(tmp_path / "a.tar", tmp_path / "folder")
    assert not (tmp_path / "out").exists()


def test_small_helpers(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.txt").write_text("")
    assert list_dir(tmp_path) == ["folder"] and list_files(tmp_path, ".txt", prefix=True) == [str(tmp_path / "a.txt")]
    assert calculate_md5(tmp_path / "a.txt") == hashlib.md5(b"").hexdigest()
    assert verify_str_arg("train", "split", ("train", "test")) == "train"
    with pytest.raises(ValueError, match=r"Unknown value 'x' for argument split. Valid values are {'train', 'test'}."):
        verify_str_arg("x", "split", ("train", "test"))
    with pytest.raises(ValueError, match="Expected type str for argument split"):
        verify_str_arg(3, "split")  # type: ignore[arg-type]
