"""A model as a graph for TensorBoard: one call of it is recorded, with the module each operator was called in.

Names are paths, so that TensorBoard folds a module's operators into one box: ``Net/Linear[first]/linear``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.config_pb2 import RunMetadata
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.step_stats_pb2 import DeviceStepStats, StepStats
from tensorboard.compat.proto.versions_pb2 import VersionDef

from ...autograd.grad_mode import no_grad
from ...nn.module_calls import register_module_forward_hook, register_module_forward_pre_hook
from ...nn.parameter import Parameter
from ...tensor import Tensor
from ...tracing.recorder import trace
from ...tracing.watching import Watch
from ..nesting import tensors_in
from .scalars import shape_of


class _Recording:
    """The nodes of one call, by the storages they made."""

    def __init__(self, model: Any) -> None:
        self.nodes: list[Any] = []
        self.names: dict[str, int] = {}
        self.scopes = dict(_scopes(model))
        self.open: list[str] = []
        self.made: list[str] = []  # the node that made each value of the current trace
        self.epoch: Any = None
        self.storages: list[Any] = []
        self.origins: dict[int, str] = {}  # a storage at rest -> the node of its value
        self.kept: list[Any] = []  # storages whose identity stands for a node must stay alive

    def enter(self, module: Any, args: Any) -> None:
        """A module is called."""
        self.open.append(self.scopes.get(id(module)) or "/".join([*self.open[-1:], type(module).__name__]))

    def leave(self, module: Any, args: Any, output: Any) -> None:
        """Its call is over."""
        self.open.pop()

    def note(self, entry: Any) -> None:
        """An operator is called."""
        if trace.epoch is not self.epoch:
            self._settle()
            self.epoch, self.storages, self.made = trace.epoch, trace.storages, []
        rule, *operands = entry
        inputs, numbers = [], []
        for each in operands:
            if each >= 0:
                inputs.append(self.made[each])
                continue
            owner, value = trace.owners[-each - 1], trace.inputs[-each - 1]
            if owner is not None:
                inputs.append(self.origins.get(id(owner)) or self.source(owner, self._within("constant"), "Constant", owner.spec))
            elif hasattr(value, "shape"):
                inputs.append(self.add(self._within("constant"), "Constant", [], [list(value.shape)], {"dtype": str(value.dtype)}))
            else:
                numbers.append(value)
        attributes = {"dtype": ", ".join(each.dtype.name for each in rule.results)}
        if numbers:
            attributes["numbers"] = ", ".join(map(repr, numbers))
        name = self.add(self._within(rule.name), rule.name, inputs, [list(each.shape) for each in rule.results], attributes)
        self.made.extend([name] * (len(self.storages) - len(self.made)))

    def _settle(self) -> None:
        """A recording has run: from here on its results are known by their storages."""
        for storage, name in zip(self.storages, self.made):
            if storage is not None:
                self.origins[id(storage)] = name
        self.kept.append(self.storages)

    def _within(self, name: str) -> str:
        """A name within the module whose ``forward`` runs."""
        return "/".join([*self.open[-1:], name])

    def source(self, storage: Any, name: str, kind: str, layout: Any) -> str:
        """A node for a storage that no operator made."""
        self.kept.append(storage)
        made = self.origins[id(storage)] = self.add(name, kind, [], [list(layout.shape)], {"dtype": layout.dtype.name})
        return made

    def add(self, name: str, kind: str, inputs: list[str], shapes: list[list[int]], attributes: dict[str, str]) -> str:
        """Enter a node; its name is made unique."""
        count = self.names[name] = self.names.get(name, -1) + 1
        unique = f"{name}_{count}" if count else name
        described = {key: AttrValue(s=value.encode()) for key, value in attributes.items()}
        described["_output_shapes"] = AttrValue(list=AttrValue.ListValue(shape=[shape_of(each) for each in shapes]))
        self.nodes.append(NodeDef(name=unique, op=kind, input=inputs, attr=described))
        return unique

    def node_of(self, tensor: Any) -> str | None:
        """The node that made a tensor's value."""
        storage = tensor._storage
        if storage.epoch is self.epoch and 0 <= storage.position < len(self.made):
            return self.made[storage.position]
        return self.origins.get(id(storage))


def _scopes(model: Any) -> Iterator[tuple[int, str]]:
    """The path of each module: classes' names, and in brackets the attribute it is."""

    def below(module: Any, path: str) -> Iterator[tuple[int, str]]:
        yield id(module), path
        for name, child in module.named_children():
            yield from below(child, f"{path}/{type(child).__name__}[{name}]")

    yield from below(model, type(model).__name__)


def _copied(value: Any) -> Any:
    """Inputs on memory of their own, which nobody but the recording reads."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_copied, value))
    return value


def graph(model: Any, args: Any = None, verbose: bool = False) -> tuple[Any, Any]:
    """The graph of ``model(*args)`` as a ``GraphDef``, and the ``RunMetadata`` TensorBoard wants with it.

    The call changes nothing: buffers that it writes (running means, say) get their values back.
    """
    args = args if isinstance(args, (tuple, list)) else () if args is None else (args,)
    args = tuple(map(_copied, args))
    recording = _Recording(model)
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        path, _, own = name.rpartition(".")
        scope = recording.scopes.get(id(model.get_submodule(path)), type(model).__name__)
        kind = "Parameter" if isinstance(tensor, Parameter) else "Buffer"
        recording.source(tensor._storage, f"{scope}/{own}", kind, tensor._spec)
    for tensor in tensors_in(args):
        recording.source(tensor._storage, "input/input", "IO Node", tensor._spec)
    before = [(each, each.detach().clone()) for each in model.buffers()]
    with ExitStack() as stack:
        stack.enter_context(no_grad())
        stack.enter_context(Watch(recording.note))
        for handle in (
            register_module_forward_pre_hook(recording.enter),
            register_module_forward_hook(recording.leave, always_call=True),
        ):
            stack.callback(handle.remove)
        result = model(*args)
        recording._settle()
        for place, tensor in enumerate(tensors_in(result)):
            maker = recording.node_of(tensor)
            recording.add(
                f"output/output.{place + 1}", "IO Node", [maker] if maker else [], [list(tensor.shape)],
                {"dtype": tensor._spec.dtype.name},
            )  # fmt: skip
    with no_grad():
        for buffer, value in before:
            buffer.copy_(value)
    made = GraphDef(node=recording.nodes, versions=VersionDef(producer=22))
    if verbose:
        print(made)
    return made, RunMetadata(step_stats=StepStats(dev_stats=[DeviceStepStats(device="/device:CPU:0")]))


def onnx_graph(path: Any) -> Any:
    """The graph of an ONNX file as a ``GraphDef``."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError("reading ONNX models needs the onnx package: pip install onnx") from error
    source = onnx.load(path).graph
    nodes = [
        NodeDef(name=each.name, op=kind, attr={"_output_shapes": _onnx_shape(each.type.tensor_type)})
        for kind, each in [*(("IO Node", each) for each in source.input), *(("IO Node", each) for each in source.output)]
    ]
    known = {each.name for each in nodes}
    nodes += [NodeDef(name=each.name, op="Parameter") for each in source.initializer if each.name not in known]
    for each in source.node:
        text = ", ".join(f"{item.name}={onnx.helper.get_attribute_value(item)}" for item in each.attribute)
        for name in each.output:
            attributes = {"parameters": AttrValue(s=text.encode())}
            if name in known:  # a result of the whole model: its node stands for the operator
                found = next(node for node in nodes if node.name == name)
                found.op = each.op_type
                found.input.extend(each.input)
            else:
                nodes.append(NodeDef(name=name, op=each.op_type, input=each.input, attr=attributes))
    return GraphDef(node=nodes, versions=VersionDef(producer=22))


def _onnx_shape(kind: Any) -> Any:
    sizes: list[int] = [each.dim_value for each in kind.shape.dim]
    return AttrValue(list=AttrValue.ListValue(shape=[shape_of(sizes)]))
