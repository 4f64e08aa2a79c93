"""Names that programs and packages ask for beside the library proper answer as PyTorch's CPU build does, or say no."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau
from flambeau import jit
from flambeau.nn.modules.utils import _ntuple, _pair, _reverse_repeat_tuple, _single


@pytest.mark.parametrize("program", [
    "from torch.nn.modules.utils import _pair, _triple; result = _pair(2), _pair((3, 4)), _triple(1)",
    "from torch.nn.modules.batchnorm import _BatchNorm; result = issubclass(torch.nn.BatchNorm2d, _BatchNorm)",
    "from torch.nn.modules.conv import _ConvNd; result = issubclass(torch.nn.Conv2d, _ConvNd)",
    "from torch.nn.common_types import _size_2_t; result = str(_size_2_t).endswith('Union[int, tuple[int, int]]')",
    "from torch.types import Number, Device; result = isinstance(3, Number), isinstance('cpu', Device)",
    "from torch.utils.model_zoo import load_url; result = load_url is torch.hub.load_state_dict_from_url",
    "from torch import functional; result = functional.einsum is torch.einsum",
    "result = torch.xpu.is_available(), torch.mtia.is_available(), torch.cuda.is_available(), torch.cuda.device_count()",
    "result = torch.jit.is_scripting(), torch.jit.is_tracing(), torch.jit.annotate(int, 3)",
    "from typing import Optional\nresult = torch.jit.isinstance([1, 'a'], list[int]), torch.jit.isinstance({1: 2.0}, dict[int, float])",
    "result = torch.jit.isinstance((1, 'a'), tuple[int, str]), torch.jit.isinstance(None, __import__('typing').Optional[int])",
    "result = torch.jit.isinstance(3, (str, int)), torch.jit.isinstance([], list[str])",
    "result = torch.jit.script(torch.nn.Linear(2, 3))(torch.ones(1, 2)).shape",
    "result = torch.jit.trace(torch.nn.Linear(2, 3), torch.ones(1, 2))(torch.ones(4, 2)).shape",
    "result = torch._C._get_tracing_state()",
])  # fmt: skip
def test_answers_are_pytorchs(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from flambeau import drop_in

    def run(package: Any) -> Any:
        names: dict[str, Any] = {"torch": package}
        exec(program, names)
        return names["result"]

    theirs = run(torch)
    drop_in.install(replace=True)
    try:
        ours = run(flambeau)
    finally:
        drop_in.uninstall()
    assert ours == theirs


def test_there_are_no_process_groups() -> None:
    assert flambeau.distributed.is_available() is False
    linear = flambeau.nn.Linear(1, 1)
    assert not isinstance(linear, flambeau.nn.parallel.DistributedDataParallel)
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        flambeau.nn.parallel.DistributedDataParallel(linear)
    with pytest.raises(AttributeError):
        flambeau.distributed.init_process_group  # noqa: B018


def test_nothing_is_scripted() -> None:
    module = flambeau.nn.Linear(2, 2)
    assert jit.script(module) is module and jit.trace(module, flambeau.ones(1, 2)) is module
    assert jit.trace_module(module, {}) is module and jit.optimize_for_inference(module) is module
    assert not module.training and jit.freeze(module) is module
    with pytest.raises(RuntimeError, match="eval mode"):
        jit.freeze(module.train())
    for decorator in (jit.export, jit.unused, jit.ignore, jit.script_if_tracing, jit.script_method, jit.interface):
        assert decorator(len) is len
    assert jit.ignore(drop=True)(len) is len
    assert not isinstance(module, jit.ScriptModule) and not isinstance(len, jit.ScriptFunction)


def test_tuples_of_sizes() -> None:
    assert (_single(1), _pair([1, 2]), _ntuple(4)(0)) == ((1,), (1, 2), (0, 0, 0, 0))
    assert _reverse_repeat_tuple((1, 2, 3), 2) == (3, 3, 2, 2, 1, 1) and _pair.__name__ == "_pair"
