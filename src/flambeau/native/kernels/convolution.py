"""Lowerings of convolution and its two gradients: which of the ways of computing them is taken, and the odd cases around.

Narrow floats are widened first and rounded last, as the reference does.
"""

from __future__ import annotations

from math import prod
from typing import Any

from ...core import dtypes
from ...core.dtypes import dtype
from ..builder import Operand, constant, integer, vector
from ..graph import Graph
from ..kernel import Argument, Kernel, KernelBuilder, lowers, memory_type
from . import (
    convolution_columns,
    convolution_direct,
    convolution_weight,
    convolution_winograd,
    convolution_winograd_weight,
)
from .contraction_tiles import Element, narrow, widen
from .convolution_axes import Correlation, Ints, adjoint_axis, forward_axes
from .convolution_columns import Adjoint
from .convolution_direct import correlate, count_of
from .convolution_weight import weight_gradient

_ELEMENTS = {
    "float32": Element("float", "float"),
    "float64": Element("double", "double"),
    "float16": Element("half", "float"),
    "bfloat16": Element("i16", "float", bfloat=True),
}


class _Context:
    """The kernels of one line so far; its operands and result in float32 or float64."""

    def __init__(self, graph: Graph, line: Any) -> None:
        self.graph, self.line = graph, line
        self.kind = graph.type(line.results[0]).dtype
        self.element = _ELEMENTS[self.kind.name]
        self.kernels: list[Kernel] = []
        self.compute: dtype = self.kind if self.element.native else dtypes.float32
        self.type = self.element.compute

    def operand(self, operand: Any) -> Argument:
        """An operand, in row-major order, as it is computed with."""
        dense = self.graph.dense(operand)
        if self.element.native:
            return dense
        shape = self.graph.type(operand).shape
        wide = self.graph.temporary(shape, self.compute)
        self.kernels.append(_converted(self.element, dense, wide, prod(shape), widening=True))
        return wide

    def result(self) -> Argument:
        """The result, as it is computed; rounded by :meth:`finish`."""
        name = self.line.results[0]
        self.made = self.graph.result(name)
        self.wide = self.made if self.element.native else self.graph.temporary(self.graph.type(name).shape, self.compute)
        return self.wide

    def way(self, problem: Correlation) -> tuple[int, float]:
        """The algorithm that takes the least time as far as the plans can tell, and how many cycles that is."""
        ways = [(convolution_direct.plan(problem, self.type).cycles, 0)]
        if convolution_winograd.suits(problem, self.type):
            ways.append((convolution_winograd.plan(problem, self.type).cycles, 1))
            ways.append((convolution_winograd.wide_plan(problem, self.type).cycles, 2))
        cycles, way = min(ways)
        return way, cycles

    def correlate(
        self, problem: Correlation, name: str, source: Argument, weight: Argument, result: Argument, way: int
    ) -> None:
        """A correlation by one of the algorithms."""
        if way:
            rule = convolution_winograd.winograd if way == 1 else convolution_winograd.wide_winograd
            self.kernels += rule(self.graph, problem, self.type, name, source, weight, result, self.compute)
            return
        if problem.weights[2] > problem.weights[1] and problem.sources * problem.results > 1024:
            problem, weight = self.turned(problem, weight)
        self.kernels.append(correlate(problem, self.type, name, source, weight, result))

    def turned(self, problem: Correlation, weight: Argument) -> tuple[Correlation, Argument]:
        """The weight with results before sources, lest each tile of results hop through them all."""
        taps = problem.weights[1]
        shape = (problem.groups, problem.results, problem.sources, taps)
        steps = (problem.results * problem.sources * taps, problem.sources * taps, taps)
        found = self.graph.temporary(shape, self.compute)
        groups, results, sources, _ = shape
        self.kernels.append(_turned(groups, sources, results, taps, self.type, weight, found))
        return problem._replace(weights=steps), found

    def finish(self) -> list[Kernel]:
        """All kernels."""
        if not self.element.native:
            count = self.graph.type(self.line.results[0]).numel
            self.kernels.append(_converted(self.element, self.wide, self.made, count, widening=False))
        return self.kernels


def _converted(element: Element, source: Argument, result: Argument, numel: int, widening: bool) -> Kernel:
    block = 1 << 14
    count = count_of(element.compute)

    def write(b: KernelBuilder) -> None:
        x, y = b.argument(0), b.argument(1)
        before, after = (element.memory, element.compute) if widening else (element.compute, element.memory)
        change = widen if widening else narrow

        def some(i: Operand, lanes: int) -> None:
            loaded = b.load(vector(before, lanes), b.at(x, before, i))
            b.store(change(b, loaded, element), b.at(y, after, i))

        with b.loop(b.begin, b.end) as item:
            begin = b.multiply(item, integer(block))
            end = b.add(begin, integer(block))
            end = b.select(b.compare("slt", end, integer(numel)), end, integer(numel))
            whole = b.subtract(end, b.emit("i64", f"srem i64 {end.name}, {count}"))
            with b.loop(begin, whole, count) as i:
                some(i, count)
            with b.loop(whole, end) as i:
                some(i, 1)
        b.done()

    name = "widen" if widening else "narrow"
    return Kernel(name, f"{name} {element} {numel}", write, [source], [result], -(-numel // block), block / 8)


def _filled(result: Argument, numel: int, element: str) -> Kernel:
    """Zeros."""
    block = 1 << 15
    kind = vector(element, count_of(element))

    def write(b: KernelBuilder) -> None:
        y = b.argument(0)
        with b.loop(b.begin, b.end) as item:
            begin = b.multiply(item, integer(block))
            end = b.add(begin, integer(block))
            end = b.select(b.compare("slt", end, integer(numel)), end, integer(numel))
            whole = b.subtract(end, b.emit("i64", f"srem i64 {end.name}, {count_of(element)}"))
            with b.loop(begin, whole, count_of(element)) as i:
                b.store(constant(kind, 0), b.at(y, element, i))
            with b.loop(whole, end) as i:
                b.store(constant(element, 0), b.at(y, element, i))
        b.done()

    return Kernel("zeros", f"zeros {element} {numel}", write, [], [result], -(-numel // block), block / 10)


def steps_of(shape: Ints) -> Ints:
    """Row-major steps."""
    return tuple(prod(shape[k + 1 :]) for k in range(len(shape)))


@lowers("convolution")
def convolution(line: Any, graph: Graph) -> list[Kernel] | None:
    """x * w."""
    kind = graph.type(line.results[0])
    if kind.dtype.name not in _ELEMENTS:
        return None
    x, w = (graph.type(each) for each in line.operands)
    if not kind.numel or not x.numel or not w.numel:
        return [_filled(graph.result(line.results[0]), kind.numel, memory_type(kind.dtype))]
    context = _Context(graph, line)
    problem = forward_problem(x.shape, w.shape, kind.shape, line.parameters)
    source, weight = context.operand(line.operands[0]), context.operand(line.operands[1])
    way, _ = context.way(problem)
    context.correlate(problem, "convolution", source, weight, context.result(), way)
    return context.finish()


def forward_problem(x: Ints, w: Ints, y: Ints, parameters: dict[str, Any]) -> Correlation:
    """A convolution of shapes x and w to y."""
    groups = parameters["groups"]
    axes = forward_axes(
        x[2:], w[2:], parameters["stride"], parameters["padding"], parameters["dilation"], y[2:]
    )  # fmt: skip
    taps = prod(w[2:])
    weights = (w[0] // groups * w[1] * taps, w[1] * taps, taps)
    return Correlation(x[0], groups, w[1], w[0] // groups, axes, weights, steps_of(w[2:]))


@lowers("convolution_input_gradient")
def convolution_input_gradient(line: Any, graph: Graph) -> list[Kernel] | None:
    """The adjoint of convolution in x."""
    made = graph.type(line.results[0])
    if made.dtype.name not in _ELEMENTS:
        return None
    grad, w = (graph.type(each) for each in line.operands)
    if not made.numel or not grad.numel or not w.numel:
        return [_filled(graph.result(line.results[0]), made.numel, memory_type(made.dtype))]
    p = line.parameters
    stride, groups, sizes = p["stride"], p["groups"], p["sizes"]
    context = _Context(graph, line)
    source, weight = context.operand(line.operands[0]), context.operand(line.operands[1])
    taps = prod(w.shape[2:])
    outputs = w.shape[0] // groups
    weights = (outputs * w.shape[1] * taps, taps, w.shape[1] * taps)
    result = context.result()
    adjoint = Adjoint(
        grad.shape[0], groups, w.shape[1], outputs, sizes, w.shape[2:], stride, p["padding"], p["dilation"], grad.shape[2:]
    )  # fmt: skip
    name = "convolution_input_gradient"
    if all(s == 1 for s in stride):
        found = [
            adjoint_axis(n, k, 1, q, d, o, 0)
            for n, k, q, d, o in zip(sizes, w.shape[2:], p["padding"], p["dilation"], grad.shape[2:])
        ]
        axes = tuple(axis for axis in found if axis is not None)
        problem = Correlation(grad.shape[0], groups, outputs, w.shape[1], axes, weights, steps_of(w.shape[2:]))
        way, cycles = context.way(problem)
        if cycles < convolution_columns.plan(adjoint, context.type).cycles:
            context.correlate(problem, name, source, weight, result, way)
            return context.finish()
    context.kernels.append(convolution_columns.input_gradient(adjoint, context.type, source, weight, result))
    return context.finish()


@lowers("convolution_weight_gradient")
def convolution_weight_gradient(line: Any, graph: Graph) -> list[Kernel] | None:
    """The adjoint of convolution in w."""
    made = graph.type(line.results[0])
    if made.dtype.name not in _ELEMENTS:
        return None
    grad, x = (graph.type(each) for each in line.operands)
    if not made.numel or not grad.numel or not x.numel:
        return [_filled(graph.result(line.results[0]), made.numel, memory_type(made.dtype))]
    context = _Context(graph, line)
    problem = forward_problem(x.shape, made.shape, grad.shape, line.parameters)
    gradient, source = context.operand(line.operands[0]), context.operand(line.operands[1])
    result = context.result()
    rule = weight_gradient
    if convolution_winograd.suits(problem, context.type):
        planned = convolution_winograd_weight.plan(problem, context.type).cycles
        if planned < convolution_weight.plan(problem, context.type).cycles:
            rule = convolution_winograd_weight.winograd_weight_gradient
    context.kernels += rule(graph, problem, context.type, gradient, source, result, context.compute)
    return context.finish()


def _turned(groups: int, outputs: int, channels: int, taps: int, element: str, weight: Argument, result: Argument) -> Kernel:
    """(group, output, channel, taps) to (group, channel, output, taps)."""
    kind = vector(element, 4)

    def write(b: KernelBuilder) -> None:
        x, y = b.argument(0), b.argument(1)
        with b.loop(b.begin, b.end) as item:
            g = b.emit("i64", f"udiv i64 {item.name}, {channels}")
            c = b.emit("i64", f"urem i64 {item.name}, {channels}")
            start = b.add(b.multiply(g, integer(outputs * channels)), c)
            from_ = b.at(x, element, b.multiply(start, integer(taps)))
            to = b.at(y, element, b.multiply(item, integer(outputs * taps)))
            with b.loop(0, outputs) as o:
                source = b.at(from_, element, b.multiply(o, integer(channels * taps)))
                target = b.at(to, element, b.multiply(o, integer(taps)))
                with b.loop(0, taps - taps % 4, 4) as t:
                    b.store(b.load(kind, b.at(source, element, t)), b.at(target, element, t))
                for k in range(taps - taps % 4, taps):
                    b.store(b.load(element, b.at(source, element, k)), b.at(target, element, k))
        b.done()

    key = f"turned {element} {groups} {outputs} {channels} {taps}"
    return Kernel("turned_weight", key, write, [weight], [result], groups * channels, outputs * taps * 0.7)


__all__ = ["convolution", "convolution_input_gradient", "convolution_weight_gradient"]
