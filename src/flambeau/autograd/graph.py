"""The graph itself: nodes, edges, and what is saved on it (``torch.autograd.graph``)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..tracing.handles import Handle
from .grad_mode import enable_grad
from .hooks import RemovableHandle
from .saved import saved_hooks, saved_hooks_disabled
from .tape import Node, edge_of

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "region_activation_memory_budget", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
    "set_override_stale_capture_stream", "set_warn_on_accumulate_grad_stream_mismatch",
]  # fmt: skip


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor goes: a node, and which of its results the tensor was.

    May stand for the tensor in ``autograd.grad`` and ``backward``.
    """

    node: Any
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The edge of a tensor that requires grad.

    >>> import flambeau as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> torch.autograd.grad((x * 2).sum(), torch.autograd.graph.get_gradient_edge(x))
    (tensor([2.]),)
    """
    edge = edge_of(tensor)
    if edge is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(edge[0], edge[1], None)


def increment_version(tensor: Any) -> None:
    """Say that a tensor (or each of several) was written to, by means autograd does not see."""
    for each in (tensor,) if isinstance(tensor, Handle) else tensor:
        each._storage.version += 1


class saved_tensors_hooks:
    """What happens to tensors that are saved for backward: ``pack_hook`` gets each when it is saved, ``unpack_hook`` what
    that returned when it is needed.

    Both only within the ``with``; the innermost pair acts.

    >>> import flambeau as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True), torch.tensor): y = x * x
    >>> y.backward(); x.grad
    tensor(6.)
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if saved_hooks_disabled:
            raise RuntimeError(saved_hooks_disabled[-1])
        saved_hooks.append((self.pack_hook, self.unpack_hook))

    def __exit__(self, *exception: Any) -> None:
        saved_hooks.pop()


class save_on_cpu(saved_tensors_hooks):
    """Tensors saved for backward wait in main memory. Those that are there already stay as they are."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Any) -> tuple[Any, Any]:
            return tensor._spec.device, tensor if tensor._spec.device.type == "cpu" else tensor.cpu()

        def unpack(packed: tuple[Any, Any]) -> Any:
            device, tensor = packed
            return tensor if tensor._spec.device == device else tensor.to(device)

        super().__init__(pack, unpack)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Within, entering :class:`saved_tensors_hooks` raises ``error_message``."""
    if saved_hooks:
        raise RuntimeError(error_message)
    saved_hooks_disabled.append(error_message)
    try:
        yield
    finally:
        saved_hooks_disabled.pop()


class _Mutations:
    """What :func:`allow_mutation_on_saved_tensors` yields."""

    def __init__(self) -> None:
        self.saved: list[Any] = []

    def clear(self) -> None:
        """Let go of the copies."""
        self.saved.clear()


@contextlib.contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[Any]:
    """Within, tensors saved for backward are kept as they were, so that they may be written to afterwards.

    >>> import flambeau as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x.clone(); z = (y ** 2).sum(); _ = y.mul_(3); z.backward()
    >>> x.grad
    tensor([2., 2.])
    """
    def pack(tensor: Any) -> Any:
        with enable_grad():
            return tensor.clone()

    with saved_tensors_hooks(pack, lambda kept: kept):
        yield _Mutations()


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call ``fn`` when the gradients of all of ``tensors`` are there (with the list of them, None for what a pass does not
    reach), or with the first one (``mode="any"``).

    >>> import flambeau as torch
    >>> x = torch.ones(1, requires_grad=True); seen = []
    >>> handle = torch.autograd.graph.register_multi_grad_hook([x], seen.extend)
    >>> (x * 2).sum().backward(); seen
    [tensor([2.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    from . import engine

    edges = [edge_of(each) for each in tensors]
    found: dict[int, list[Any]] = {}  # by pass: the gradients, and how many are still to come

    def hook_for(place: int) -> Callable[[Any], None]:
        def hook(grad: Any) -> None:
            current = engine.passes
            state = found.get(current.number)
            if state is None:
                found.clear()
                reached = [edge is not None and edge[0] in current.nodes for edge in edges]
                state = found[current.number] = [[None] * len(tensors), sum(reached)]
            state[0][place] = grad
            state[1] -= 1
            if mode == "any":
                if sum(each is not None for each in state[0]) == 1:
                    fn(grad)
            elif state[1] == 0:
                fn(state[0])

        return hook

    handles = [each.register_hook(hook_for(place)) for place, each in enumerate(tensors)]
    return _Handles(handles)


class _Handles(RemovableHandle):
    """Several handles as one."""

    def __init__(self, handles: Iterable[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Remove all the hooks."""
        for each in self.handles:
            each.remove()

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.handles,)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        (self.handles,) = state


@contextlib.contextmanager
def region_activation_memory_budget(budget: float) -> Iterator[None]:
    """How much of the activations a compiler of graphs may keep in this region, from 0 to 1. Programs here keep what they
    need, whatever the budget; the number is only checked."""
    if not 0 <= budget <= 1:
        raise ValueError(f"budget must be between 0 and 1, got {budget}")
    yield


class _Streams:
    """Settings about streams, which a CPU does not have; kept so that they can be set."""

    override_stale_capture = False
    warn_on_mismatch = True


def set_override_stale_capture_stream(enabled: bool) -> None:
    """Whether a stream of an outdated capture is replaced. There are no streams on the CPU."""
    _Streams.override_stale_capture = bool(enabled)


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Whether gradients that arrive on another stream than the leaf's are warned about. There are no streams on the CPU."""
    _Streams.warn_on_mismatch = bool(enabled)
