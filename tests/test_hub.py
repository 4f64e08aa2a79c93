"""Downloads from a server on this machine; entry points of repositories on disk."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

import flambeau
from flambeau import hub


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; what is called "broken" ends before its announced length."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if "broken" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"too short")
            return
        super().do_GET()

    def log_message(self, *arguments: Any) -> None:
        """Nothing: tests are quiet."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    folder.mkdir()
    Handler.asked.clear()
    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}", folder
    running.shutdown()
    running.server_close()


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hub, "_chosen_directory", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "hub"


def saved(folder: Path) -> tuple[Path, str]:
    """A state_dict in a file named by its checksum."""
    path = folder / "weights.pth"
    flambeau.save({"w": flambeau.arange(3)}, path)
    digits = hashlib.sha256(path.read_bytes()).hexdigest()
    return path.rename(folder / f"weights-{digits[:8]}.pth"), digits


def test_a_file_is_downloaded_once_and_checked(server: tuple[str, Path], own_folder: Path, capsys: Any) -> None:
    url, folder = server
    path, _ = saved(folder)
    for _ in range(2):
        state = hub.load_state_dict_from_url(f"{url}/{path.name}", check_hash=True, map_location="cpu", weights_only=True)
        assert state["w"].tolist() == [0, 1, 2]
    assert Handler.asked == [f"/{path.name}"]
    assert [each.name for each in (own_folder / "checkpoints").iterdir()] == [path.name]
    assert "100.0 %" in capsys.readouterr().err


def test_another_content_is_refused(server: tuple[str, Path], own_folder: Path) -> None:
    url, folder = server
    path, _ = saved(folder)
    path.rename(folder / "weights-00000000.pth")
    with pytest.raises(RuntimeError, match=r'invalid hash value \(expected "00000000"'):
        hub.load_state_dict_from_url(f"{url}/weights-00000000.pth", check_hash=True, progress=False)
    assert list((own_folder / "checkpoints").iterdir()) == []
    # Unless nobody wants it checked.
    assert "w" in hub.load_state_dict_from_url(f"{url}/weights-00000000.pth", progress=False, file_name="other.pth")
    assert (own_folder / "checkpoints" / "other.pth").exists()


def test_a_broken_connection_leaves_nothing(server: tuple[str, Path], tmp_path: Path) -> None:
    url, _ = server
    with pytest.raises(RuntimeError, match="ended after 9 of 1000 bytes"):
        hub.download_url_to_file(f"{url}/broken.bin", str(tmp_path / "broken.bin"), progress=False)
    with pytest.raises(HTTPError):
        hub.download_url_to_file(f"{url}/nothing.bin", str(tmp_path / "nothing.bin"), progress=False)
    with pytest.raises(URLError):
        hub.download_url_to_file("http://127.0.0.1:9/nobody", str(tmp_path / "nobody"), progress=False)
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == []


def test_the_file_is_whole_and_readable_by_others(server: tuple[str, Path], tmp_path: Path) -> None:
    url, folder = server
    (folder / "data.bin").write_bytes(b"x" * 300_000)
    hub.download_url_to_file(f"{url}/data.bin", str(tmp_path / "data.bin"), progress=False)
    assert (tmp_path / "data.bin").read_bytes() == b"x" * 300_000
    assert (tmp_path / "data.bin").stat().st_mode & 0o777 == folder.joinpath("data.bin").stat().st_mode & 0o777


def test_offline_it_says_where_the_file_belongs(tmp_path: Path) -> None:
    with pytest.raises(URLError, match=r"cannot be reached .* Without a network, put the file at .*weights\.pth"):
        hub.load_state_dict_from_url("http://127.0.0.1:9/weights.pth", str(tmp_path), progress=False)


def test_set_dir(own_folder: Path, tmp_path: Path) -> None:
    assert hub.get_dir() == str(own_folder)
    hub.set_dir(tmp_path / "mine")
    assert hub.get_dir() == str(tmp_path / "mine")


def test_a_repository_on_disk(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "parts.py").write_text("size = 3\n")
    (repository / "hubconf.py").write_text(
        "dependencies = ['numpy']\nfrom parts import size\nimport flambeau\n"
        "def line(outputs=1):\n    'A linear layer.'\n    return flambeau.nn.Linear(size, outputs)\n"
    )
    assert hub.load(str(repository), "line", source="local", outputs=2).weight.shape == (2, 3)
    with pytest.raises(RuntimeError, match="hubconf"):
        hub.load(str(tmp_path), "line", source="local")
