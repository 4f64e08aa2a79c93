"""The backward pass: gradients flow from the roots through the tape, each node once, later nodes first.

No recursion: graphs of any depth run. What arrives for a node is summed before it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from sys import getrefcount
from typing import Any

from ..core.dtypes import COMPLEX
from ..core.storages import Storage
from ..tracing.handles import Handle
from ..tracing.recorder import observer, trace
from . import replay
from .grad_mode import mode
from .tape import AccumulateGrad, Edge, Node, anomaly, edge_of, ones_of, zeros_of


def accumulate(variable: Any, grad: Any) -> None:
    """Add ``grad`` to ``variable.grad``."""
    if grad is None:
        return
    held = variable._grad
    if held is None:
        spec = variable._spec
        if mode.enabled:
            variable._grad = grad.clone()
        elif _only_here(grad) and grad._spec is spec:
            variable._grad = grad
        else:
            made = (grad.detach() if grad._tracked else grad)._clone()
            if made._spec is not spec and spec.is_dense:
                made = made._with_layout(spec)
            variable._grad = made
    elif mode.enabled:
        variable._grad = held + grad
    else:
        held.add_(grad)
    post = variable._post_accumulate_hooks
    if post:
        for hook in list(post.values()):
            hook(variable)


def _only_here(grad: Any) -> bool:
    """Whether nobody but the backward pass holds a pending gradient, so that the leaf may have it without a copy.

    Four references are ours: to the tensor, the list it arrived in, two functions' variables and the argument below; to
    its storage, the tensor, the trace, a variable and the argument.
    """
    cell = grad._cell
    return (
        type(cell) is Storage and cell.epoch is trace.epoch and cell.position >= 0
        and getrefcount(grad) <= 4 and getrefcount(cell) <= 4 and not grad._tracked and grad._base is None
    )  # fmt: skip


class _Passes:
    """The backward pass that is running: its number, and the nodes that gradients may reach in it."""

    number = 0
    nodes: Any = ()
    count = 0


passes = _Passes()


def _dependencies(roots: Sequence[Node]) -> dict[Node, int]:
    """How many edges lead to each node reachable from the roots."""
    found: dict[Node, int] = dict.fromkeys(roots, 0)
    stack = list(found)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None:
                node = edge[0]
                if node in found:
                    found[node] += 1
                else:
                    found[node] = 1
                    stack.append(node)
    return found


def _leading_to(targets: set[Node], roots: Sequence[Node]) -> set[Node]:
    """The nodes from which some target can be reached, targets included."""
    leads: dict[Node, bool] = {}
    stack: list[tuple[Node, bool]] = [(root, False) for root in roots]
    while stack:
        node, seen_inputs = stack.pop()
        if seen_inputs:
            leads[node] = node in targets or any(e is not None and leads.get(e[0], False) for e in node.edges)
        elif node not in leads:
            leads[node] = False
            stack.append((node, True))
            stack.extend((edge[0], False) for edge in node.edges if edge is not None and edge[0] not in leads)
    return {node for node, reaches in leads.items() if reaches}


def run(
    roots: Sequence[tuple[Edge, Any]],
    keep_graph: bool,
    create_graph: bool,
    wanted: Sequence[Edge] | None = None,
    accumulate_wanted: bool = False,
) -> list[Any]:
    """Send gradients from the roots through the graph.

    Args:
        roots: (edge, gradient) pairs to start from.
        keep_graph: keep what nodes saved, for another pass.
        create_graph: put the backward operators on the tape as well.
        wanted: edges whose gradients are asked for; only what leads to them runs. None: every leaf accumulates.
        accumulate_wanted: the wanted edges are leaves (or retained tensors) that accumulate, as in ``backward(inputs=)``.

    Returns:
        the gradient for each wanted edge (None where none arrived).
    """
    buffers: dict[Node, list[Any]] = {}
    for edge, grad in roots:
        _deliver(buffers, edge, grad)
    nodes = list(buffers)
    waiting = _dependencies(nodes)
    captured: dict[tuple[Node, int], Any] = {}
    runs: set[Node] | None = None
    if wanted is not None:
        targets = {edge[0] for edge in wanted if edge is not None}
        captured = {edge: None for edge in wanted if edge is not None}
        runs = _leading_to(targets, nodes)
    ready: list[tuple[int, int, Node]] = []
    for node in nodes:
        if waiting[node] == 0:
            heappush(ready, (-node.sequence, id(node), node))
    previous = mode.enabled
    around = passes.number, passes.nodes
    passes.count += 1
    passes.number, passes.nodes = passes.count, waiting if runs is None else runs
    mode.enabled = create_graph
    everything = runs is None
    try:
        while ready:
            node = heappop(ready)[2]
            grads = buffers.pop(node, None)
            results: Sequence[Any] = ()
            if grads is not None and (everything or node in runs):  # type: ignore[operator]
                applies = everything or _should_apply(node, runs, captured, accumulate_wanted)
                if node.watched and not (captured and applies):
                    _run_tensor_hooks(node, grads)
                if captured:  # as PyTorch has it: before the hooks where the pass goes on, after them where it ends
                    for index, grad in enumerate(grads):
                        if (node, index) in captured:
                            captured[node, index] = grad
                    if node.watched and applies:
                        _run_tensor_hooks(node, grads)
                if applies:
                    results = _apply(node, grads, keep_graph)
            k = 0
            for edge in node.edges:
                if edge is not None:
                    target, index = edge
                    grad = results[k] if results else None
                    if grad is not None:
                        held = buffers.get(target)
                        if held is None:
                            held = buffers[target] = [None] * target.results
                        present = held[index]
                        held[index] = grad if present is None else present + grad
                    left = waiting[target] - 1
                    if left:
                        waiting[target] = left
                    else:
                        heappush(ready, (-target.sequence, id(target), target))
                k += 1
            grad = None  # lets go of the last one delivered, which its leaf may then keep
    finally:
        mode.enabled = previous
        passes.number, passes.nodes = around
    return [None if edge is None else captured[edge] for edge in wanted] if wanted is not None else []


def _should_apply(node: Node, runs: Any, captured: Any, accumulate_wanted: bool) -> bool:
    if runs is None:
        return True
    if type(node) is AccumulateGrad:
        return accumulate_wanted and (node, 0) in captured
    # A node that is only a target has nothing further that is wanted behind it.
    return any(edge is not None and edge[0] in runs for edge in node.edges)


def _deliver(buffers: dict[Node, list[Any]], edge: Edge, grad: Any) -> None:
    node, index = edge  # type: ignore[misc]
    held = buffers.get(node)
    if held is None:
        held = buffers[node] = [None] * node.results
    present = held[index]
    held[index] = grad if present is None else present + grad


def _run_tensor_hooks(node: Node, grads: list[Any]) -> None:
    for index, hooks in list((node.tensor_hooks or {}).items()):
        if index < len(grads) and grads[index] is not None:
            for hook in list(hooks.values()):
                changed = hook(grads[index])
                if changed is not None:
                    _check_hook_result(hook, changed, grads[index])
                    grads[index] = changed
    for index, reference in list((node.retained or {}).items()):
        tensor = reference()
        if tensor is not None and index < len(grads) and grads[index] is not None:
            grad = grads[index]
            if tensor._grad is None:
                tensor._grad = grad.clone() if mode.enabled else grad.detach().clone()
            else:
                tensor._grad = tensor._grad + grad


def _check_hook_result(hook: Any, changed: Any, grad: Any) -> None:
    """Raise PyTorch's error where a tensor's hook puts something in its gradient's place that cannot stand there."""
    if not isinstance(changed, Handle):
        raise TypeError(f"expected Variable, but hook returned '{type(changed).__name__}'")
    name = getattr(hook, "__name__", repr(hook))
    before, after = grad._spec.dtype, changed._spec.dtype
    if after is not before:
        raise RuntimeError(f"hook '{name}' has changed the type of value (was {before} got {after})")
    if changed._spec.shape != grad._spec.shape:
        raise RuntimeError(f"hook '{name}' has changed the size of value")


def _apply(node: Node, grads: list[Any], keep_graph: bool) -> Sequence[Any]:
    if node.watched and node._pre_hooks:
        for hook in list(node._pre_hooks.values()):
            changed = hook(tuple(grads))
            if changed is not None:
                grads = list(changed) if isinstance(changed, (tuple, list)) else [changed]
    if grads[0] is None and all(grad is None for grad in grads):
        return ()
    try:
        results = node.apply(grads)
    except Exception as error:
        if node.where is not None:
            _warn_where(node)
        raise error
    if not keep_graph:
        node.release()
    specs = node.input_specs
    if specs:
        k = 0
        for grad in results:
            if grad is not None:
                spec = specs[k]
                if spec is not None and grad._spec is not spec:
                    results[k] = fit(grad, spec, node)  # type: ignore[index]
            k += 1
    if anomaly.enabled and anomaly.check_nan:
        _check_nan(node, results)
    if node.watched and node._post_hooks:
        # A hook sees one gradient for each of ``next_functions``: None where the argument was a number.
        numbers = (None,) * (len(node.next_functions) - len(results))
        for hook in list(node._post_hooks.values()):
            changed = hook((*results, *numbers), tuple(grads))
            if changed is not None:
                results = list(changed)[: len(results)] if isinstance(changed, (tuple, list)) else [changed]
    return results


def fit(grad: Any, spec: Any, node: Node) -> Any:
    """A gradient made to fit the tensor it is for: summed over broadcast dimensions, real where that is real."""
    if grad._spec.shape != spec.shape:
        if not _sums_to(grad._spec.shape, spec.shape):
            raise RuntimeError(
                f"Function {node.name()} returned an invalid gradient at index 0 - got {list(grad._spec.shape)} but "
                f"expected shape compatible with {list(spec.shape)}"
            )
        grad = grad._summed_to(tuple(spec.shape))
    if grad._spec.dtype is not spec.dtype:
        if grad._spec.dtype.category == COMPLEX and spec.dtype.category != COMPLEX:
            grad = grad.real
        if grad._spec.dtype is not spec.dtype:
            grad = grad.to(spec.dtype)
    return grad


def _sums_to(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    if len(wanted) > len(shape):
        return False
    return all(
        want == 1 or want == have for want, have in zip(reversed(wanted), reversed(shape))
    )


def _warn_where(node: Node) -> None:
    import warnings

    warnings.warn(
        f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{node.where}", stacklevel=4
    )


def _check_nan(node: Node, results: Sequence[Any]) -> None:
    for k, grad in enumerate(results):
        if grad is not None and grad._spec.dtype.category >= 2 and bool(grad.detach().isnan().any()):
            if node.where is not None:
                _warn_where(node)
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {k}th output.")


def _end(of: Any) -> tuple[Edge, Any]:
    """The edge and the Spec of a tensor, or of the `GradientEdge` that stands for one."""
    if isinstance(of, tuple):
        node, index = of[:2]
        specs = node.result_specs
        return (node, index), specs[index] if index < len(specs) else None
    return edge_of(of), of._spec


def _wanted(inputs: Sequence[Any]) -> list[Edge]:
    wanted: list[Edge] = []
    for each in inputs:
        edge = _end(each)[0]
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        wanted.append(edge)
    return wanted


def _several(tensors: Any) -> tuple[Any, ...]:
    """Tensors, or whatever gives them one by one, as a tuple; a `GradientEdge` is a tuple, but one thing."""
    return (tensors,) if hasattr(tensors, "output_nr") else tuple(tensors)


def _seeds(tensors: Sequence[Any], gradients: Any) -> list[tuple[Edge, Any]]:
    if gradients is None:
        gradients = (None,) * len(tensors)
    elif not isinstance(gradients, (tuple, list)):
        gradients = (gradients,)
    if len(gradients) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(gradients)} gradients")
    seeds: list[tuple[Edge, Any]] = []
    for k, (tensor, gradient) in enumerate(zip(tensors, gradients)):
        edge, spec = _end(tensor)
        if gradient is None:
            if edge is not None:
                if spec.numel != 1:
                    raise RuntimeError("grad can be implicitly created only for scalar outputs")
                if spec.dtype.category == COMPLEX:
                    raise RuntimeError(
                        f"grad can be implicitly created only for real scalar outputs but got {spec.dtype}"
                    )
                gradient = ones_of(spec)
        elif gradient._spec.shape != spec.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{k}] has a shape of {gradient._spec.shape} and output[{k}] has a shape of "
                f"{spec.shape}."
            )
        elif (gradient._spec.dtype.category == COMPLEX) != (spec.dtype.category == COMPLEX):
            raise RuntimeError(
                "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
                f"grad_output[{k}] has a dtype of {gradient._spec.dtype} and output[{k}] has a dtype of {spec.dtype}."
            )
        if edge is None:
            raise RuntimeError(f"element {k} of tensors does not require grad and does not have a grad_fn")
        seeds.append((edge, gradient))
    return seeds


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Accumulate the gradients of ``tensors`` into the ``grad`` of the graph's leaves.

    Args:
        tensors: what to differentiate; each a scalar unless it has a gradient in ``grad_tensors``.
        grad_tensors: the vectors of the vector-Jacobian products.
        retain_graph: keep the graph for another pass (default: the value of ``create_graph``).
        create_graph: make the gradients differentiable themselves.
        inputs: accumulate into these only.

    Raises:
        RuntimeError: nothing requires grad, a non-scalar without gradient, or a graph already freed.

    >>> import flambeau as torch
    >>> x = torch.tensor(3.0, requires_grad=True); torch.autograd.backward(x * x); x.grad
    tensor(6.)
    """
    tensors = _several(tensors)
    if observer.capture is not None:
        observer.capture.backward([each for each in tensors if isinstance(each, Handle)])
    gradients = grad_variables if grad_tensors is None else grad_tensors
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        if len(tensors) == 1 and gradients is None and not create_graph and isinstance(tensors[0], Handle):
            root = tensors[0]
            if root._node is not None and root._base is None and root._slot == 0:
                replay.backward(root._node, bool(keep), lambda: run(_seeds(tensors, None), keep, False))
                return
        run(_seeds(tensors, gradients), keep, create_graph)
        return
    seeds = _seeds(tensors, gradients)
    inputs = _several(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    wanted = _wanted(inputs)
    grads = run(seeds, keep, create_graph, wanted, accumulate_wanted=True)
    for each, grad in zip(inputs, grads):
        # Leaves, and what retains its gradient, have accumulated already.
        if grad is not None and not isinstance(each, tuple) and each._node is not None and not each._retains:
            each._grad = grad.detach() if each._grad is None else each._grad + grad.detach()


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``, as a tuple; nothing accumulates.

    Raises:
        RuntimeError: an input was not used and neither ``allow_unused`` nor ``materialize_grads`` is set.

    >>> import flambeau as torch
    >>> x = torch.tensor(3.0, requires_grad=True); torch.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    outputs, inputs = _several(outputs), _several(inputs)
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True")
    if is_grads_batched:
        return _batched(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused)
    seeds = _seeds(outputs, grad_outputs)
    wanted = _wanted(inputs)
    keep = create_graph if retain_graph is None else retain_graph
    grads = run(seeds, keep, create_graph, wanted)
    if materialize_grads:
        grads = [zeros_of(_end(each)[1]) if found is None else found for each, found in zip(inputs, grads)]
    elif not allow_unused and any(found is None for found in grads):
        missing = next(place for place, found in enumerate(grads) if found is None)
        raise RuntimeError(
            f"The differentiated Tensor at index {missing} appears to not have been used in the graph. Set allow_unused=True if "
            "this is the desired behavior."
        )
    if not create_graph:
        grads = [found if found is None else found.detach() for found in grads]
    return tuple(grads)


def _batched(
    outputs: Any, inputs: Any, grad_outputs: Any, retain_graph: Any, create_graph: bool, allow_unused: Any
) -> tuple[Any, ...]:
    """One pass for each gradient along the first dimension of ``grad_outputs``."""
    batches = grad_outputs if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)
    size = len(batches[0])
    rows = [
        grad(
            outputs, inputs, tuple(each[k] for each in batches), True if k + 1 < size else retain_graph, create_graph,
            allow_unused,
        )
        for k in range(size)
    ]  # fmt: skip
    return tuple(None if column[0] is None else column[0].stack_with(column[1:]) for column in zip(*rows))
