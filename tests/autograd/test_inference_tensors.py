"""Tensors made in inference mode, wherever they come from, and hooks whose results cannot stand for a gradient."""

from __future__ import annotations

import threading

import pytest

import flambeau as torch


def test_results_and_their_views_are_inference_tensors() -> None:
    x = torch.ones(4, requires_grad=True)
    with torch.inference_mode():
        made = [x * 2, x.exp(), torch.cat([x, x]), torch.where(x > 0, x, x), x.sort()[0], (x * 2).view(2, 2), x.clone()]
        with torch.enable_grad():
            assert not (x * 2).requires_grad
        assert not x.view(2, 2).is_inference() and not x.detach().is_inference()
    assert all(each.is_inference() for each in made)
    assert made[0].view(2, 2).is_inference() and made[0][0].is_inference() and made[0].unbind()[0].is_inference()
    assert not (made[0] * 2).is_inference() and not made[0].clone().is_inference()
    assert torch.equal(made[0].clone().requires_grad_() * x, torch.full((4,), 2.0))


def test_inference_tensors_stay_out_of_graphs() -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        y = x * 2
    for use in (lambda: y * x, lambda: torch.matmul(x, y), lambda: torch.where(y > 0, x, y) * y):
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
            use()
    (x + y).sum().backward()  # nothing is saved
    for use in (lambda: y.add_(1), lambda: y.requires_grad_(), lambda: y._version):
        with pytest.raises(RuntimeError, match=r"[Ii]nference"):
            use()


def test_the_mode_is_the_threads_own() -> None:
    inside, done = threading.Event(), threading.Event()

    def serve() -> None:
        with torch.inference_mode():
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=serve)
    thread.start()
    inside.wait(10)
    here = (torch.ones(1) * 2).is_inference()
    done.set()
    thread.join()
    assert not here and not (torch.ones(1) * 2).is_inference()


def test_a_decorated_class_warns_and_works() -> None:
    with pytest.warns(FutureWarning, match="Decorating classes is deprecated"):

        @torch.no_grad()
        class Recorder:
            def __init__(self) -> None:
                self.enabled = torch.is_grad_enabled()

    assert not Recorder().enabled


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        ("a", TypeError, "expected Variable, but hook returned 'str'"),
        (torch.ones(3), RuntimeError, "hook 'hook' has changed the size of value"),
        (torch.ones(2, dtype=torch.float64), RuntimeError, "hook 'hook' has changed the type of value"),
    ],
)
def test_what_a_tensor_hook_must_not_return(result: object, error: type, message: str) -> None:
    def hook(grad: torch.Tensor) -> object:
        return result

    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(hook)
    with pytest.raises(error, match=message):
        y.sum().backward()
