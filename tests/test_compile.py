"""``compile`` changes nothing but speed; ``hub`` downloads whole files or none."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

import flambeau as torch


def test_a_compiled_module_has_the_same_state_and_results() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Dropout())
    compiled = torch.compile(module, mode="reduce-overhead").eval()
    x = torch.ones(4, 2)
    assert torch.equal(compiled(x), module(x)) and not module.training
    assert list(compiled.state_dict()) == ["_orig_mod.0.weight", "_orig_mod.0.bias"]
    assert compiled[0] is module[0] if hasattr(type(compiled), "__getitem__") else compiled._orig_mod is module


def test_functions_and_decorators() -> None:
    @torch.compile(fullgraph=True)
    def double(x: Any) -> Any:
        """Twice."""
        return x * 2

    assert double(torch.ones(1)).item() == 2 and double.__name__ == "double" and double.__doc__ == "Twice."
    torch.compiler.reset()
    assert double(torch.ones(1)).item() == 2
    with pytest.raises(RuntimeError, match="Unrecognized mode"):
        torch.compile(double, mode="fast")
    with pytest.raises(AssertionError, match="callable"):
        torch.compile(3)
    with pytest.raises(RuntimeError, match="stance"):
        torch.compiler.set_stance("upright")


def test_download_and_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source.pth"
    torch.save({"weight": torch.arange(3.0)}, source)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert torch.hub.get_dir() == str(tmp_path / "hub")
    name = f"model-{digest[:8]}.pth"
    state = torch.hub.load_state_dict_from_url(source.as_uri(), check_hash=True, file_name=name, progress=False)
    assert state["weight"].tolist() == [0.0, 1.0, 2.0]
    folder = tmp_path / "hub" / "checkpoints"
    with pytest.raises(RuntimeError, match="invalid hash"):
        torch.hub.load_state_dict_from_url(source.as_uri(), check_hash=True, file_name="model-00000000.pth", progress=False)
    assert [each.name for each in folder.iterdir()] == [name]


def test_local_repository(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text("def tiny(size=2):\n    'A tiny one.'\n    return [0] * size\n")
    assert torch.hub.load(str(tmp_path), "tiny", source="local", size=3) == [0, 0, 0]
    assert torch.hub.list(str(tmp_path)) == ["tiny"]
    assert torch.hub.help(str(tmp_path), "tiny") == "A tiny one."
    with pytest.raises(RuntimeError, match="Cannot find callable"):
        torch.hub.load(str(tmp_path), "large", source="local")


def test_versions() -> None:
    assert torch.version.cuda is None and torch.version.__version__ == torch.__version__
    assert "NumPy" in torch.__config__.show() and "get_num_threads" in torch.__config__.parallel_info()
