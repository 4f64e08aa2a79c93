"""Recurrent layers over whole sequences, and their gradients.

The rows of a batch do not depend on each other, so an item is a block of rows and goes through all steps of them, without
waiting for anybody: for each step one product of its hidden states with the weight, which was packed once for all, and the
cell's arithmetic row by row while both are in cache. What the gradients of the weights need is written beside; each of
them is then one product over all steps (Appleyard et al., "Optimizing Performance of Recurrent Neural Networks on GPUs", 2016).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...primitives.recurrence import GATES, SAVED
from ..builder import Operand, Variable, constant, integer, size_of, vector
from ..kernel import UNSIGNED, Argument, Kernel, KernelBuilder, lowers, memory_type
from ..mathematics import emit_function
from .contraction import Problem, element_of, product_kernels, registers
from .contraction_tiles import Element, Matrix, Packed

#: Rows of an item where the batch has more: two tiles.
ROWS = 26


class Layout(NamedTuple):
    """The sizes of a recurrent layer, and how its batch is cut.

    ``width``: of the cell; ``state``: of the hidden state; ``gates``: cells' widths in a row of x; ``saved``: in what is kept for
    the gradient. ``lengths``: the dtype of the batch sizes, or None where all steps have ``batch`` rows.
    """

    kind: str
    rows: int
    batch: int
    steps: int
    width: int
    state: int
    block: int
    reverse: bool
    projected: bool
    biased: bool
    lengths: Any
    element: Element
    lanes: int

    @property
    def gates(self) -> int:
        """The width of a row of x."""
        return GATES[self.kind] * self.width

    @property
    def saved(self) -> int:
        """The width of what is saved of a row."""
        return SAVED[self.kind] * self.width

    @property
    def items(self) -> int:
        """How many blocks of rows there are."""
        return -(-self.batch // self.block)

    @property
    def key(self) -> str:
        """What code depends on."""
        return repr(self._replace(lengths=self.lengths and self.lengths.name))


def _layout(
    graph: Any, line: Any, outputs: Any, weight: Any, bias: Any, projection: Any, lengths: Any
) -> Layout | None:
    """The layer of a line; None where it is left to the reference."""
    p = line.parameters
    kind = outputs.dtype
    if kind.name not in ("float32", "float64") or (bias is not None and p["kind"] != "gru"):
        return None
    hidden = graph.type(line.operands[1 if line.primitive.name == "recurrence" else 3])
    batch = hidden.shape[0]
    rows, width = outputs.shape[0], graph.type(weight).shape[0] // GATES[p["kind"]]
    if not rows or not batch or not width or not hidden.shape[1]:
        return None
    if lengths is None and (p["batch"] != batch or rows % batch):
        return None
    steps = rows // batch if lengths is None else graph.type(lengths).shape[0]
    items = 1 if batch < 8 else -(-batch // ROWS)
    items += items % 2 if batch >= 16 else batch >= 8
    from ..machine import machine

    element = element_of(kind)
    return Layout(
        p["kind"], rows, batch, steps, width, hidden.shape[1], -(-batch // items), p["reverse"], projection is not None,
        bias is not None, None if lengths is None else graph.type(lengths).dtype, element,
        machine().vector_bytes // size_of(element.compute),
    )  # fmt: skip


def _pack(
    graph: Any, layout: Layout, depth: int, columns: int, strides: tuple[int, int], source: Argument, kind: Any
) -> Any:
    """A kernel that packs a matrix (depth × columns, of these strides) for products with blocks of rows."""
    from ..machine import machine

    packed = Packed.of(layout.block, depth, columns, layout.element, machine().vector_bytes, registers())
    target = graph.temporary((packed.numel,), kind)

    def write(b: KernelBuilder) -> None:
        packed.pack(b, Matrix(b.argument(0), *strides), b.argument(1), b.begin, b.end)
        b.done()

    key = repr(("pack", packed, strides))
    return packed, target, Kernel("pack", key, write, [source], [target], packed.groups, depth * packed.lanes / 8)


class _Writer:
    """What forward and backward share: this thread's memory, the loop over steps, and rows by vectors."""

    def __init__(self, b: KernelBuilder, layout: Layout, names: list[str]) -> None:
        self.b, self.layout, self.kind = b, layout, layout.element.compute
        self.places = {name: b.argument(k) for k, name in enumerate(names)}
        self._scratch = 0

    def scratch(self, columns: int) -> Operand:
        """A block of this thread's memory: so many columns for each row of an item."""
        made = self.b.at(self.b.scratch, self.kind, self._scratch)
        self._scratch += scratch_of(self.layout, columns)
        return made

    def row(self, base: Operand, number: Operand, columns: int, offset: int = 0) -> Operand:
        """The address of a row's element ``offset``."""
        return self.b.at(self.b.at(base, self.kind, self.b.multiply(number, integer(columns))), self.kind, offset)

    def across(self, columns: int, body: Callable[[Operand | int, int | None], None]) -> None:
        """``body(first column, None or how many of a vector's lanes count)`` for each vector of a row."""
        count = self.layout.lanes
        whole = columns - columns % count
        if whole:
            with self.b.loop(0, whole, count) as j:
                body(j, None)
        if whole < columns:
            body(whole, columns - whole)

    def load(self, pointer: Operand, j: Operand | int, short: int | None, offset: int = 0) -> Operand:
        """A vector from column ``offset`` + j on."""
        place = self.b.at(self.b.at(pointer, self.kind, j), self.kind, offset)
        return self.b.load(vector(self.kind, self.layout.lanes), place, short)

    def store(self, x: Operand, pointer: Operand, j: Operand | int, short: int | None, offset: int = 0) -> None:
        """The other way."""
        self.b.store(x, self.b.at(self.b.at(pointer, self.kind, j), self.kind, offset), short)

    def copy(self, source: Operand, target: Operand, columns: int) -> None:
        """A row."""
        self.across(columns, lambda j, short: self.store(self.load(source, j, short), target, j, short))

    def sigmoid(self, x: Operand) -> Operand:
        """1 / (1 + e⁻ˣ)."""
        b, one = self.b, constant(x.type, 1.0)
        return b.divide(one, b.add(one, emit_function(b, "exp", b.negate(x))))

    def clear(self, pointer: Operand, columns: int) -> None:
        """Zeros in a block of this thread's memory: rows that are not there must be harmless."""
        bytes_ = self.layout.block * columns * size_of(self.kind)
        zero, fixed = Operand("i8", "0"), Operand("i1", "false")
        self.b.call("llvm.memset.p0.i64", (pointer, zero, integer(bytes_), fixed))

    def length(self, t: Operand) -> Operand:
        """How many rows step t has."""
        kind = self.layout.lengths
        if kind is None:
            return integer(self.layout.batch)
        found = self.b.load(memory_type(kind), self.b.at(self.places["lengths"], memory_type(kind), t))
        wide = self.b.convert("zext" if kind.name in UNSIGNED else "sext", found, "i64")
        return self.b.intrinsic(
            "llvm.smax", self.b.intrinsic("llvm.smin", wide, integer(self.layout.batch)), integer(0)
        )

    def steps(self, body: Callable[[Operand, Operand, Operand, Operand], None], backward: bool) -> None:
        """``body(start, size, start before, size before)`` for each step, in the order of time or against it.

        ``before`` is the step whose states this one began with; there is none where its size is 0.
        """
        b, layout = self.b, self.layout
        falling = layout.reverse != backward  # from the last rows to the first
        start = b.variable(integer(layout.rows if falling else 0))
        step = -1 if layout.reverse else 1  # in t, from one step to the next in time
        with b.loop(0, layout.steps) as k:
            t = b.subtract(integer(layout.steps - 1), k) if falling else k
            size = self.length(t)
            if falling:
                b.set(start, b.subtract(b.get(start), size))
            other = b.subtract(t, integer(step))
            exists = b.compare("ult", other, integer(layout.steps))
            safe = b.select(exists, other, t)
            size_before = b.select(exists, self.length(safe), integer(0))
            here = b.get(start)
            start_before = b.subtract(here, size_before) if step == 1 else b.add(here, size)
            # Lengths that do not add up to the rows there are must not lead outside.
            fits = b.binary(
                "and", b.compare("sge", here, integer(0)),
                b.compare("sle", b.add(here, size), integer(layout.rows)),
            )  # fmt: skip
            with b.when(fits):
                body(here, size, start_before, size_before)
            if not falling:
                b.set(start, b.add(b.get(start), size))

    def active(self, first: Operand, size: Operand) -> Operand:
        """How many of the item's rows a step of ``size`` rows has."""
        b = self.b
        most = b.subtract(integer(self.layout.batch), first)
        there = b.intrinsic("llvm.smin", b.subtract(size, first), most)
        return b.intrinsic("llvm.smin", there, integer(self.layout.block))

    def before(self, r: Operand, first: Operand, started: Operand, size: Operand, states: Operand, initial: Operand,
               columns: tuple[int, int], offset: int) -> Operand:  # fmt: skip
        """The address of the state that a row's step began with: an earlier step's, or the initial one."""
        b = self.b
        number = b.add(first, r)
        earlier = self.row(states, b.add(started, number), columns[0], offset)
        return b.select(b.compare("slt", number, size), earlier, self.row(initial, number, columns[1]))


def scratch_of(layout: Layout, columns: int) -> int:
    """Elements that a block of rows takes, from one cache line's start to another's."""
    return -(-layout.block * columns // 16) * 16


@lowers("recurrence")
def recurrence(line: Any, graph: Any) -> list[Kernel] | None:
    """The weight is packed, then each item goes through time."""
    x, hidden, cell, weight, bias, projection, lengths = line.operands
    layout = _layout(graph, line, graph.type(x), weight, bias, projection, lengths)
    if layout is None:
        return None
    kind = graph.type(x).dtype
    inner, inner_packed, first = _pack(
        graph, layout, layout.state, layout.gates, (1, layout.state), graph.dense(weight), kind
    )
    made = [first]
    reads = {"x": graph.dense(x), "hidden": graph.dense(hidden), "weight": inner_packed}
    if layout.kind == "lstm":
        reads["cell"] = graph.dense(cell)
    if layout.biased:
        reads["bias"] = graph.dense(bias)
    outer = None
    if layout.projected:
        outer, reads["projection"], second = _pack(
            graph, layout, layout.width, layout.state, (1, layout.width), graph.dense(projection), kind
        )
        made.append(second)
    if layout.lengths is not None:
        reads["lengths"] = graph.dense(lengths)
    writes = dict(zip(("outputs", "last", "last cell", "saved"), map(graph.result, line.results)))
    names = [*reads, *writes]
    parts = [layout.state, layout.gates, *([layout.width] if layout.projected else [])]

    def write(b: KernelBuilder) -> None:
        writer = _Writer(b, layout, names)
        _forward(writer, inner, outer)

    work = layout.rows / layout.items * layout.state * (layout.gates + layout.width * layout.projected)
    made.append(
        Kernel(
            "recurrence", f"recurrence {layout.key} {inner} {outer}", write, list(reads.values()), list(writes.values()),
            layout.items, work / 60 + layout.rows / layout.items * layout.gates / 2,
            sum(scratch_of(layout, columns) for columns in parts) * size_of(layout.element.compute),
        )
    )  # fmt: skip
    return made


def _forward(writer: _Writer, inner: Packed, outer: Packed | None) -> None:
    b, layout, places = writer.b, writer.layout, writer.places
    state, width = layout.state, layout.width
    h, product = writer.scratch(state), writer.scratch(layout.gates)
    middle = writer.scratch(width) if outer is not None else None
    with b.loop(b.begin, b.end) as item:
        first = b.multiply(item, integer(layout.block))
        there = writer.active(first, integer(layout.batch))
        writer.clear(h, state)
        if middle is not None:
            writer.clear(middle, width)
        with b.loop(0, there) as r:
            number = b.add(first, r)
            writer.copy(writer.row(places["hidden"], number, state), writer.row(h, r, state), state)
            if layout.kind == "lstm":
                c = writer.row(places["last cell"], number, width)
                writer.copy(writer.row(places["cell"], number, width), c, width)

        def step(start: Operand, size: Operand, started: Operand, size_before: Operand) -> None:
            active = writer.active(first, size)
            with b.when(b.compare("sgt", active, integer(0))):
                inner.product(b, Matrix(h, state, 1), places["weight"], product, layout.block)
                with b.loop(0, active) as r:
                    number = b.add(b.add(start, first), r)
                    cell_row = writer.row(middle, r, width) if middle is not None else writer.row(h, r, state)
                    _cell_step(writer, first, r, number, product, writer.row(h, r, state), cell_row)
                    if middle is None:
                        writer.copy(cell_row, writer.row(places["outputs"], number, state), state)
                if middle is not None and outer is not None:
                    outer.product(b, Matrix(middle, width, 1), places["projection"], product, layout.block)
                    with b.loop(0, active) as r:
                        made = writer.row(product, r, state)
                        writer.copy(made, writer.row(h, r, state), state)
                        number = b.add(b.add(start, first), r)
                        writer.copy(made, writer.row(places["outputs"], number, state), state)

        writer.steps(step, backward=False)
        with b.loop(0, there) as r:
            writer.copy(writer.row(h, r, state), writer.row(places["last"], b.add(first, r), state), state)
    b.done()


def _cell_step(
    writer: _Writer, first: Operand, r: Operand, number: Operand, product: Operand, h: Operand, made: Operand
) -> None:
    """The cell's arithmetic on one row: its new hidden state goes to ``made``."""
    b, layout, places = writer.b, writer.layout, writer.places
    width = layout.width
    x = writer.row(places["x"], number, layout.gates)
    inner = writer.row(product, r, layout.gates)
    saved = writer.row(places["saved"], number, layout.saved)
    c = writer.row(places["last cell"], b.add(first, r), width) if layout.kind == "lstm" else None

    def lstm(j: Operand | int, short: int | None) -> None:
        assert c is not None
        sums = [b.add(writer.load(inner, j, short, g * width), writer.load(x, j, short, g * width)) for g in range(4)]
        i, f, o = (writer.sigmoid(sums[g]) for g in (0, 1, 3))
        g = emit_function(b, "tanh", sums[2])
        new = b.fma(f, writer.load(c, j, short), b.multiply(i, g))
        for k, each in enumerate((i, f, g, o, new)):
            writer.store(each, saved, j, short, k * width)
        writer.store(new, c, j, short)
        writer.store(b.multiply(o, emit_function(b, "tanh", new)), made, j, short)

    def gru(j: Operand | int, short: int | None) -> None:
        sums = [writer.load(inner, j, short, g * width) for g in range(3)]
        if layout.biased:
            sums = [b.add(each, writer.load(places["bias"], j, short, g * width)) for g, each in enumerate(sums)]
        gate, update = (writer.sigmoid(b.add(sums[g], writer.load(x, j, short, g * width))) for g in (0, 1))
        new = emit_function(b, "tanh", b.fma(gate, sums[2], writer.load(x, j, short, 2 * width)))
        for k, each in enumerate((gate, update, new, sums[2])):
            writer.store(each, saved, j, short, k * width)
        writer.store(b.fma(b.subtract(writer.load(h, j, short), new), update, new), made, j, short)

    def simple(j: Operand | int, short: int | None) -> None:
        total = b.add(writer.load(inner, j, short), writer.load(x, j, short))
        if layout.kind == "tanh":
            writer.store(emit_function(b, "tanh", total), made, j, short)
        else:  # not below zero; what is no number stays so
            zero = constant(total.type, 0.0)
            writer.store(b.select(b.compare("olt", total, zero), zero, total), made, j, short)

    writer.across(width, {"lstm": lstm, "gru": gru}.get(layout.kind, simple))


@lowers("recurrence_gradient")
def recurrence_gradient(line: Any, graph: Any) -> list[Kernel] | None:
    """Each item goes back through time; then each weight's gradient is one product."""
    grad_output, grad_hidden, grad_cell, hidden, cell, weight, bias, projection, lengths, outputs, saved = line.operands
    layout = _layout(graph, line, graph.type(outputs), weight, bias, projection, lengths)
    if layout is None:
        return None
    kind = graph.type(outputs).dtype
    back, back_packed, first = _pack(
        graph, layout, layout.gates, layout.state, (layout.state, 1), graph.dense(weight), kind
    )
    made = [first]
    reads = {"grad": graph.dense(grad_output), "grad last": graph.dense(grad_hidden), "hidden": graph.dense(hidden)}
    reads |= {"weight": back_packed, "outputs": graph.dense(outputs)}
    if layout.saved:
        reads["saved"] = graph.dense(saved)
    if layout.kind == "lstm":
        reads |= {"grad last cell": graph.dense(grad_cell), "cell": graph.dense(cell)}
    through = None
    if layout.projected:
        through, reads["projection"], second = _pack(
            graph, layout, layout.state, layout.width, (layout.width, 1), graph.dense(projection), kind
        )
        made.append(second)
    if layout.lengths is not None:
        reads["lengths"] = graph.dense(lengths)
    results = dict(zip(("dx", "dh", "dc", "dweight", "dbias", "dprojection"), map(graph.result, line.results)))
    writes = {"dx": results["dx"], "dh": results["dh"], "before": graph.temporary((layout.rows, layout.state), kind)}
    writes |= {name: results[name] for name in ("dc", *(["dbias"] if bias is None else []))}
    if not layout.projected:
        writes["dprojection"] = results["dprojection"]  # empty
    if layout.kind == "gru":
        writes["inner"] = graph.temporary((layout.rows, layout.gates), kind)
    if layout.projected:
        writes["arrived"] = graph.temporary((layout.rows, layout.state), kind)
        writes["middle"] = graph.temporary((layout.rows, layout.width), kind)
    names = [*reads, *writes]
    parts = [layout.state, layout.gates, layout.state, *([layout.width] if layout.projected else [])]

    def write(b: KernelBuilder) -> None:
        _backward(_Writer(b, layout, names), back, through)

    work = layout.rows / layout.items * layout.state * (layout.gates + layout.width * layout.projected)
    made.append(
        Kernel(
            "recurrence_gradient", f"recurrence_gradient {layout.key} {back} {through}", write, list(reads.values()),
            list(writes.values()), layout.items, work / 60 + layout.rows / layout.items * layout.gates / 2,
            sum(scratch_of(layout, columns) for columns in parts) * size_of(layout.element.compute),
        )
    )  # fmt: skip
    slopes = writes.get("inner", results["dx"])
    turned = _over_rows(layout, layout.gates, layout.state)
    products = [(turned, slopes, writes["before"], results["dweight"])]
    if layout.projected:
        turned = _over_rows(layout, layout.state, layout.width)
        products.append((turned, writes["arrived"], writes["middle"], results["dprojection"]))
    for problem, x, y, result in products:
        kernels = product_kernels("recurrence_weight_gradient", problem, graph, kind, [x, y], result)
        if kernels is None:
            return None
        made += kernels
    if layout.biased:
        made.append(_column_sums(layout, slopes, results["dbias"]))
    return made


def _over_rows(layout: Layout, left: int, right: int) -> Problem:
    """(rows × left)ᵀ @ (rows × right)."""
    return Problem(left, right, layout.rows, (1, left), (right, 1), (), (), (), layout.element)


def _backward(writer: _Writer, back: Packed, through: Packed | None) -> None:
    b, layout, places = writer.b, writer.layout, writer.places
    state, width, gates = layout.state, layout.width, layout.gates
    dh, slopes, product = writer.scratch(state), writer.scratch(gates), writer.scratch(state)
    middle = writer.scratch(width) if through is not None else None
    with b.loop(b.begin, b.end) as item:
        first = b.multiply(item, integer(layout.block))
        there = writer.active(first, integer(layout.batch))
        writer.clear(dh, state)
        writer.clear(slopes, gates)
        with b.loop(0, there) as r:
            number = b.add(first, r)
            writer.copy(writer.row(places["grad last"], number, state), writer.row(dh, r, state), state)
            if layout.kind == "lstm":
                dc = writer.row(places["dc"], number, width)
                writer.copy(writer.row(places["grad last cell"], number, width), dc, width)

        def step(start: Operand, size: Operand, started: Operand, size_before: Operand) -> None:
            active = writer.active(first, size)
            with b.when(b.compare("sgt", active, integer(0))):
                with b.loop(0, active) as r:
                    number = b.add(b.add(start, first), r)
                    here, arriving = writer.row(dh, r, state), writer.row(places["grad"], number, state)
                    kept = writer.row(places["arrived"], number, state) if through is not None else None

                    def arrive(j: Operand | int, short: int | None) -> None:
                        total = b.add(writer.load(here, j, short), writer.load(arriving, j, short))
                        writer.store(total, here, j, short)
                        if kept is not None:
                            writer.store(total, kept, j, short)

                    writer.across(state, arrive)
                if middle is not None and through is not None:
                    through.product(b, Matrix(dh, state, 1), places["projection"], middle, layout.block)
                with b.loop(0, active) as r:
                    number = b.add(b.add(start, first), r)
                    came = writer.row(middle, r, width) if middle is not None else writer.row(dh, r, state)
                    h = writer.before(
                        r, first, started, size_before, places["outputs"], places["hidden"], (state, state), 0
                    )
                    writer.copy(h, writer.row(places["before"], number, state), state)
                    c = None
                    if layout.kind == "lstm":
                        c = writer.before(
                            r, first, started, size_before, places["saved"], places["cell"], (5 * width, width),
                            4 * width,
                        )  # fmt: skip
                    _cell_back(writer, first, r, number, came, h, c, writer.row(slopes, r, gates))
                back.product(b, Matrix(slopes, gates, 1), places["weight"], product, layout.block)
                with b.loop(0, active) as r:
                    source, target = writer.row(product, r, state), writer.row(dh, r, state)
                    if layout.kind != "gru":
                        writer.copy(source, target, state)
                    else:  # what went around the new state

                        def join(j: Operand | int, short: int | None) -> None:
                            writer.store(
                                b.add(writer.load(target, j, short), writer.load(source, j, short)), target, j, short
                            )

                        writer.across(state, join)

        writer.steps(step, backward=True)
        with b.loop(0, there) as r:
            writer.copy(writer.row(dh, r, state), writer.row(places["dh"], b.add(first, r), state), state)
    b.done()


def _cell_back(
    writer: _Writer, first: Operand, r: Operand, number: Operand, came: Operand, h: Operand, c: Operand | None,
    slopes: Operand,
) -> None:  # fmt: skip
    """From the gradient of a row's new state to those of its gates, which go to ``slopes`` and to memory."""
    b, layout, places = writer.b, writer.layout, writer.places
    width = layout.width
    dx = writer.row(places["dx"], number, layout.gates)
    saved = writer.row(places["saved"], number, layout.saved) if layout.saved else None
    dc = writer.row(places["dc"], b.add(first, r), width) if layout.kind == "lstm" else None

    def keep(parts: list[Operand], j: Operand | int, short: int | None, *targets: Operand) -> None:
        for target in targets:
            for k, each in enumerate(parts):
                writer.store(each, target, j, short, k * width)

    def rest(x: Operand) -> Operand:
        return b.subtract(constant(x.type, 1.0), x)

    def times(*factors: Operand) -> Operand:
        total = factors[0]
        for each in factors[1:]:
            total = b.multiply(total, each)
        return total

    def lstm(j: Operand | int, short: int | None) -> None:
        assert saved is not None and dc is not None and c is not None
        i, f, g, o, new = (writer.load(saved, j, short, k * width) for k in range(5))
        bent = emit_function(b, "tanh", new)
        dm = writer.load(came, j, short)
        here = b.fma(times(dm, o), rest(b.multiply(bent, bent)), writer.load(dc, j, short))
        parts = [
            times(g, i, rest(i), here),
            times(writer.load(c, j, short), f, rest(f), here),
            times(i, rest(b.multiply(g, g)), here),
            times(bent, o, rest(o), dm),
        ]
        keep(parts, j, short, slopes, dx)
        writer.store(b.multiply(here, f), dc, j, short)
        if layout.projected:
            writer.store(b.multiply(o, bent), writer.row(places["middle"], number, width), j, short)

    def gru(j: Operand | int, short: int | None) -> None:
        assert saved is not None
        gate, update, new, q = (writer.load(saved, j, short, k * width) for k in range(4))
        here = writer.load(came, j, short)
        fresh = times(rest(update), rest(b.multiply(new, new)), here)
        dq = b.multiply(fresh, gate)
        dr = times(dq, q, rest(gate))
        dz = times(b.subtract(writer.load(h, j, short), new), update, rest(update), here)
        keep([dr, dz, dq], j, short, slopes, writer.row(places["inner"], number, layout.gates))
        keep([dr, dz, fresh], j, short, dx)
        writer.store(b.multiply(here, update), came, j, short)

    def simple(j: Operand | int, short: int | None) -> None:
        y = writer.load(writer.row(places["outputs"], number, layout.state), j, short)
        here = writer.load(came, j, short)
        if layout.kind == "tanh":
            made = b.multiply(rest(b.multiply(y, y)), here)
        else:
            positive = b.compare("ogt", y, constant(y.type, 0.0))
            made = b.multiply(b.select(positive, constant(y.type, 1.0), constant(y.type, 0.0)), here)
        keep([made], j, short, slopes, dx)

    writer.across(width, {"lstm": lstm, "gru": gru}.get(layout.kind, simple))


def _column_sums(layout: Layout, source: Argument, target: Argument) -> Kernel:
    """The sums over all rows; an item has a vector's width of columns."""
    count, columns, kind = layout.lanes, layout.gates, layout.element.compute
    wide = vector(kind, count)

    def write(b: KernelBuilder) -> None:
        x, y = b.argument(0), b.argument(1)

        def column(j: Operand, short: int | None) -> None:
            total: Variable = b.variable(constant(wide, 0.0))
            with b.loop(0, layout.rows) as i:
                place = b.at(b.at(x, kind, b.multiply(i, integer(columns))), kind, j)
                b.set(total, b.add(b.get(total), b.load(wide, place, short)))
            b.store(b.get(total), b.at(y, kind, j), short)

        whole, tail = divmod(columns, count)
        with b.loop(b.begin, b.intrinsic("llvm.smin", b.end, integer(whole))) as g:
            column(b.multiply(g, integer(count)), None)
        if tail:
            with b.when(b.compare("sgt", b.end, integer(whole))):
                column(integer(whole * count), tail)
        b.done()

    key = repr(("column_sums", layout.rows, columns, kind, count))
    return Kernel("column_sums", key, write, [source], [target], -(-columns // count), layout.rows * 1.5)
