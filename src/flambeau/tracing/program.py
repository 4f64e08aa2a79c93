"""``Program``: a recording lowered to primitives, as a value that prints and that any tier can be handed.

A program is straight-line code in single-assignment form. Its text is Python: executing it with the primitives'
reference meanings as the functions it names gives the reference tier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from ..core.devices import device
from ..core.dtypes import by_name, dtype
from ..core.specs import Spec, spec
from ..primitives import memory  # noqa: F401  (declares the primitives named below)
from ..primitives.registry import Primitive, primitives
from ..primitives.values import Value


class Instruction:
    """One line: names made = primitive(operands, parameters). ``overwrite``: the first operand may be destroyed."""

    __slots__ = ("operands", "overwrite", "parameters", "primitive", "results")

    def __init__(
        self, primitive: Primitive, operands: tuple[Any, ...], parameters: dict[str, Any], results: tuple[int, ...]
    ) -> None:
        self.primitive, self.operands, self.parameters, self.results = primitive, operands, parameters, results
        self.overwrite = False


_reshape = primitives["reshape"]


def _key(application: Any, arguments: tuple[Any, ...]) -> Any:
    """What tells one computation from another; None when a parameter cannot be compared."""
    operands = tuple(each.index if isinstance(each, Name) else (type(each), repr(each)) for each in arguments)
    key = (application.primitive, operands, *application.parameters.items())
    try:
        hash(key)
    except TypeError:
        return None
    return key


class Name:
    """An operand that is a value of the program (as opposed to a literal number)."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index

    def __repr__(self) -> str:
        return f"v{self.index}"



class Program:
    """Inputs, instructions, outputs.

    Attributes:
        inputs: how many arrays and numbers it takes; they are the names ``v0 …``.
        instructions: the code, dead code left out.
        outputs: the names returned.
        updates: (output, input) pairs: this output will be copied into that input's memory, which nothing else in the
            program reads through another input, so it may be computed in place.
        types: shape and dtype of every name, where known.
        origins: for every name made, the operator that it was first made for.
        runs, seconds: how often the reference tier has run it, and for how long.
        number: what logs and profiles call it by.
        landings: (output, input) pairs: the output's storage has memory of its own, which is that input's, or no input's (-1).
        layouts: for each output the Spec that its storage wants.
        native: runs the program on inputs straight into the storages of its outputs, once a faster tier has made it;
            returns False, having done nothing, for inputs it was not made for.
    """

    def __init__(
        self, entries: Sequence[Any], live: tuple[int, ...], inputs: int, donated: tuple[tuple[int, int], ...] = ()
    ) -> None:
        self.inputs = inputs
        self.instructions: list[Instruction] = []
        self.types: dict[int, Value] = {}
        self.origins: dict[int, str] = {}
        self.runs, self.seconds, self.number = 0, 0.0, 0
        self._execute: Callable[[Sequence[Any]], Sequence[Any]] | None = None
        made = self._lower(entries)
        self.outputs = tuple(made[i].index for i in live)
        results = [each for rule, *_ in entries for each in rule.results]
        self.layouts = tuple(results[i] for i in live)
        self.considered = False  # whether a faster tier has been asked for
        self.native: Callable[[list[Any], Sequence[Any]], bool] | None = None
        # An output that is an input, or another output, must get memory of its own.
        self._copies = tuple(
            k for k, name in enumerate(self.outputs) if name < inputs or name in self.outputs[:k]
        )
        place = {i: k for k, i in enumerate(live)}
        self.landings = tuple((place[i], k) for i, k in donated)
        self.updates = tuple(pair for pair in self.landings if pair[1] >= 0)
        self._drop_dead()
        self._mark_overwritable()

    def _lower(self, entries: Sequence[Any]) -> list[Any]:
        """Inline each entry's code; returns the name of each recorded result."""
        made: list[Any] = []
        count = self.inputs
        seen: dict[Any, list[int]] = {}  # what has been computed already is not computed again
        for rule, *operands in entries:
            names: dict[int, Any] = {}
            for value, position in zip(rule.inputs, operands):
                names[value.name] = Name(-position - 1) if position < 0 else made[position]
                if isinstance(names[value.name], Name):
                    self.types.setdefault(names[value.name].index, value)
            for each in rule.code:
                arguments = tuple(names[o.name] if isinstance(o, Value) else o for o in each.operands)
                if each.primitive is _reshape and each.operands[0].shape == each.results[0].shape:
                    names[each.results[0].name] = arguments[0]
                    continue
                key = _key(each, arguments)
                results = seen.get(key) if key is not None else None
                if results is None:
                    results = list(range(count, count + len(each.results)))
                    count += len(results)
                    self.types.update(zip(results, each.results))
                    self.origins.update((name, rule.name) for name in results)
                    self.instructions.append(Instruction(each.primitive, arguments, each.parameters, tuple(results)))
                    if key is not None:
                        seen[key] = results
                names.update(zip((value.name for value in each.results), map(Name, results)))
            made.extend(names[value.name] for value in rule.outputs)
        return made

    def _drop_dead(self) -> None:
        needed = set(self.outputs)
        kept = []
        for each in reversed(self.instructions):
            if any(result in needed for result in each.results):
                kept.append(each)
                needed.update(o.index for o in each.operands if isinstance(o, Name))
        self.instructions = kept[::-1]

    def _mark_overwritable(self) -> None:
        """Let an update of a window write in place where no name that may share the memory is read afterwards."""
        if not any(each.primitive.in_place for each in self.instructions):
            return
        family: dict[int, int] = {}  # a name -> the first name whose memory it may share
        for each in self.instructions:
            for o in each.operands:
                if isinstance(o, Name):
                    family.setdefault(o.index, o.index)
            first = each.operands[0] if each.operands else None
            shares = isinstance(first, Name) and (each.primitive.aliases or each.primitive.in_place)
            for result in each.results:
                family[result] = family[first.index] if shares and isinstance(first, Name) else result
        # Memory that outlives the program is not touched by one that may fail halfway.
        fails = any(each.primitive.can_fail for each in self.instructions)
        donated = set() if fails else {place for _, place in self.updates}
        updated = {place: self.outputs[k] for k, place in self.updates}
        last: dict[int, int] = {}  # the line that reads a name last; what is returned is read after them all
        for line, each in enumerate(self.instructions):
            last.update((o.index, line) for o in each.operands if isinstance(o, Name))
        last.update((name, len(self.instructions)) for name in self.outputs)
        # How long some name that may share the memory is still read. A name made later either descends from the line at
        # hand or is made by reading an older name, so the names made so far tell.
        wanted = {name: last.get(name, -1) for name in range(self.inputs)}
        for line, each in enumerate(self.instructions):
            first = each.operands[0] if each.operands else None
            if each.primitive.in_place is not None and isinstance(first, Name):
                root = family[first.index]
                beside = any(isinstance(o, Name) and family[o.index] == root for o in each.operands[1:])
                ours = root >= self.inputs or (root in donated and family.get(updated[root]) == root)
                each.overwrite = ours and not beside and wanted[root] <= line
            for result in each.results:
                root = family[result]
                wanted[root] = max(wanted.get(root, -1), last.get(result, -1))

    def run(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """The outputs for these inputs. The first run interprets; a program that recurs is handed to the tiers."""
        self.runs += 1
        started = perf_counter()
        if self._execute is None:
            if self.runs > 1:
                from .reference import compile_source

                self._execute = compile_source(self)
                values = self._execute(inputs)
            else:
                from .reference import run_instructions

                values = run_instructions(self, inputs)
        else:
            values = self._execute(inputs)
        self.seconds += perf_counter() - started
        if self._copies:
            values = [value.copy() if k in self._copies else value for k, value in enumerate(values)]
        return values

    def source(self, spell: Callable[[Any], str] | None = None) -> str:
        """The program as Python text: a function ``program(inputs)`` that returns the list of outputs.

        ``spell`` writes a parameter; by default as a literal.
        """
        spell = spell or literal
        lines = ["def program(inputs):"]
        used = {o.index for each in self.instructions for o in each.operands if isinstance(o, Name)} | set(self.outputs)
        for k in range(self.inputs):
            if k in used:
                lines.append(f"    v{k} = inputs[{k}]{self._comment(k)}")
        last = {}
        for line, each in enumerate(self.instructions):
            for o in each.operands:
                if isinstance(o, Name):
                    last[o.index] = line
            for name in each.results:
                last.setdefault(name, line)
        ends: dict[int, list[int]] = {}
        for name, line in last.items():
            if name not in self.outputs:
                ends.setdefault(line, []).append(name)
        for line, each in enumerate(self.instructions):
            results = ", ".join(f"v{name}" for name in each.results)
            arguments = [repr(o) if isinstance(o, Name) else literal(o) for o in each.operands]
            arguments += [f"{key}={spell(value)}" for key, value in each.parameters.items()]
            function = each.primitive.name + ("_in_place" if each.overwrite else "")
            lines.append(f"    {results} = {function}({', '.join(arguments)}){self._comment(each.results[0])}")
            if line in ends and line + 1 < len(self.instructions):
                lines.append("    " + " = ".join(f"v{name}" for name in sorted(ends[line])) + " = None")
        lines.append(f"    return [{', '.join(f'v{name}' for name in self.outputs)}]")
        return "\n".join(lines)

    def _comment(self, name: int) -> str:
        kind = self.types.get(name)
        if kind is None:
            return ""
        return "  # number" if kind.is_number else f"  # {kind.dtype.name}{list(kind.shape)}"

    def __str__(self) -> str:
        return self.source()


def literal(value: Any) -> str:
    """A parameter as Python text that evaluates to it in the namespace of :func:`namespace`."""
    if isinstance(value, dtype):
        return f"dtype({value.name!r})"
    if isinstance(value, Spec):
        return f"spec({tuple(value.shape)}, dtype({value.dtype.name!r}), {value.strides})"
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f"float('{value}')"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    if value is None or isinstance(value, (int, float, complex, bool, str, device)):
        return repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    raise TypeError(f"a program cannot print the parameter {value!r}")


def namespace() -> dict[str, Any]:
    """The names a program's text may use: every primitive's reference meaning, ``dtype`` and ``spec``."""
    names: dict[str, Any] = {name: each.reference for name, each in primitives.items()}
    names.update({f"{name}_in_place": each.in_place for name, each in primitives.items() if each.in_place})
    names.update(dtype=by_name, spec=spec, device=device)
    return names


class _Tiers:
    """What is asked, before a program without native code runs, whether to make some.

    Attributes:
        consider: ``consider(program, inputs, at_sight)``; ``at_sight``: the user has asked for it to be compiled at once.
        depth: how many functions run that are to be compiled at sight (``torch.compile``).
        asked: the epoch of the trace in which such a function ran last, some of whose calls may be pending still.
    """

    consider: Callable[[Program, list[Any], bool], None] | None = None
    depth = 0
    asked: Any = None


tiers = _Tiers()
