"""Runs one entry of PyTorch's module database on the library and on PyTorch.

For every constructor and forward input of the database, in training and evaluation mode: the printed form, the
default initialisation under the same seed, then, with PyTorch's state loaded, the output, the buffers after the
call and the gradients of inputs and parameters.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from tests.parity.checks import (
    SECONDS_A_SAMPLE,
    Failure,
    Raised,
    Tally,
    compare_outcomes,
    direction,
    is_differentiable,
    outcome,
    time_limit,
    unique,
)
from tests.parity.comparison import Tolerance, difference
from tests.parity.conversion import Converter, NotConvertible, attribute_at, seed, tensors_in
from tests.parity.databases import seed_everything
from torch.testing._internal.common_modules import ErrorModuleInput, ModuleErrorEnum, ModuleInfo, module_db

# Sums in another order, over many terms: PyTorch's own module tests allow as much.
TOLERANCES = {
    torch.float32: Tolerance(relative=1e-4, absolute=1e-5),
    torch.float64: Tolerance(relative=1e-7, absolute=1e-7),
}


@functools.cache
def entries() -> dict[str, ModuleInfo]:
    return {entry.name: entry for entry in module_db}


@contextlib.contextmanager
def constructors_recorded(*classes: type) -> Iterator[None]:
    """Modules that the database gives as arguments to others are rebuilt from the arguments noted here."""
    originals = [kind.__init__ for kind in classes]  # type: ignore[misc]

    def noting(original: Any) -> Any:
        def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            object.__setattr__(self, "constructed_with", (args, kwargs))

        return initialise

    for kind, original in zip(classes, originals):
        kind.__init__ = noting(original)  # type: ignore[misc]
    try:
        yield
    finally:
        for kind, original in zip(classes, originals):
            kind.__init__ = original  # type: ignore[misc]


def inputs(entry: ModuleInfo, dtype: torch.dtype, training: bool) -> list[Any]:
    seed_everything(entry.name, dtype, training)
    with constructors_recorded(torch.nn.TransformerEncoderLayer, torch.nn.TransformerDecoderLayer):
        return list(entry.module_inputs_func(entry, device="cpu", dtype=dtype, requires_grad=True, training=training))


class ModuleRun:
    def __init__(self, entry: ModuleInfo, library: Any):
        self.entry = entry
        self.library = library
        self.tally = Tally(entry.name)
        self.kind = entry.module_cls if library is torch else attribute_at(library, entry.name)
        self.tally.present = self.kind is not None
        self.dtype = torch.float32
        self.where = ""
        self.position = 0

    def run(self, dtype: torch.dtype, limit: int | None = None) -> None:
        if dtype not in self.entry.dtypes:
            return
        self.dtype = dtype
        for training in (True, False) if self.entry.train_and_eval_differ else (True,):
            chosen = inputs(self.entry, dtype, training)
            step = 1 if limit is None else -(-len(chosen) // limit) or 1
            for position in range(0, len(chosen), step):
                self.position = position
                self.guarded(lambda given=chosen[position], mode=training: self.one(given, mode))  # type: ignore[misc]

    def run_errors(self) -> None:
        function = self.entry.module_error_inputs_func
        if function is None:
            return
        self.dtype = torch.float32
        for training in (True, False):
            seed_everything(self.entry.name, "errors", training)
            found = outcome(
                lambda mode=training: list(  # type: ignore[misc]
                    function(self.entry, device="cpu", dtype=torch.float32, requires_grad=False, training=mode)
                )
            )
            if isinstance(found, Raised):
                continue
            for position, erroneous in enumerate(found):
                self.position = position
                self.guarded(lambda given=erroneous: self.error(given))  # type: ignore[misc]

    def guarded(self, check: Any) -> None:
        before = len(self.tally.failures)
        self.seed = seed_everything(self.entry.name, self.dtype, self.position)
        try:
            with warnings.catch_warnings(), time_limit(SECONDS_A_SAMPLE):
                warnings.simplefilter("ignore")
                check()
        except NotConvertible as error:
            self.tally.skipped_samples += 1
            self.tally.notes.append(f"not convertible: {error}")
            return
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.record("crash", str(Raised(error)))
        self.tally.samples += 1
        self.tally.failed_samples += len(self.tally.failures) > before

    def record(self, check: str, message: str | None) -> None:
        self.tally.checks += 1
        if message is not None:
            name = str(self.dtype).removeprefix("torch.")
            self.tally.failures.append(Failure(check, name, self.position, self.where, message))

    def differs(self, actual: Any, expected: Any, where: str, strides: bool = False) -> str | None:
        return difference(actual, expected, self.library, TOLERANCES[self.dtype], strides=strides, where=where)

    def build(self, library: Any, constructor: Any) -> Any:
        convert = Converter(library)
        kind = self.entry.module_cls if library is torch else self.kind
        seed(library, self.seed)  # modules given as arguments draw numbers too
        args = [rebuilt(value, convert) for value in constructor.args]
        kwargs = {name: rebuilt(value, convert) for name, value in constructor.kwargs.items()}
        seed(library, self.seed)
        return kind(*args, **kwargs)

    def one(self, given: Any, training: bool) -> None:
        constructor = given.constructor_input
        self.where = f"{constructor.args} {constructor.kwargs} {given.desc}"[:500]
        theirs = outcome(lambda: self.build(torch, constructor))
        if isinstance(theirs, Raised):
            return
        ours = outcome(lambda: self.build(self.library, constructor))
        if isinstance(ours, Raised):
            self.record("constructor", str(ours))
            return
        same = repr(ours) == repr(theirs)
        self.record("repr", None if same else f"{repr(ours)!r} instead of {repr(theirs)!r}")
        if not self.entry.is_lazy:
            self.record("initialisation", self.states_differ(ours, theirs))
        if given.forward_input is None:
            return
        theirs.to(self.dtype).train(training)
        ours.to(Converter(self.library)(self.dtype)).train(training)
        if self.entry.is_lazy:
            self.forward(theirs, ours, given.forward_input, compare=False)
            self.record("initialisation", self.states_differ(ours, theirs))
        ours.load_state_dict(Converter(self.library)(dict(theirs.state_dict())))
        self.forward(theirs, ours, given.forward_input, compare=True)

    def states_differ(self, ours: Any, theirs: Any) -> str | None:
        expected = dict(theirs.state_dict())
        found = self.differs(dict(ours.state_dict()), expected, "state")
        if found:
            return found
        expected_names = [(name, value.requires_grad) for name, value in theirs.named_parameters()]
        actual_names = [(name, value.requires_grad) for name, value in ours.named_parameters()]
        return None if actual_names == expected_names else f"parameters {actual_names} instead of {expected_names}"

    def forward(self, theirs: Any, ours: Any, given: Any, *, compare: bool) -> None:
        def call(library: Any, module: Any) -> Any:
            convert = Converter(library)
            args, kwargs = convert(tuple(given.args)), convert(dict(given.kwargs))
            seed(library, self.seed)
            return module(*args, **kwargs), (args, kwargs)

        expected = outcome(lambda: call(torch, theirs))
        actual = outcome(lambda: call(self.library, ours))
        if isinstance(expected, Raised) or isinstance(actual, Raised):
            self.record("forward", compare_outcomes(actual, expected, lambda one, other: None))
            return
        if not compare:
            return
        self.record("forward", self.differs(actual[0], expected[0], "output", strides=True))
        self.record("buffers", self.states_differ(ours, theirs))
        if self.dtype != torch.float64:
            return  # where rounding differs, gradients in single precision say nothing more
        first = outcome(lambda: gradients(torch, theirs, *expected))
        if isinstance(first, Raised) or first is None:
            return
        second = outcome(lambda: gradients(self.library, ours, *actual))
        if isinstance(second, Raised) or second is None:
            self.record("gradient", str(second))
        else:
            self.record("gradient", self.differs(second, first, "gradient"))

    def error(self, erroneous: ErrorModuleInput) -> None:
        given = erroneous.module_error_input
        self.where = f"{given.constructor_input.args} {given.constructor_input.kwargs}"[:500]

        def attempt(library: Any) -> Any:
            module = self.build(library, given.constructor_input)
            if erroneous.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
                return module
            convert = Converter(library)
            return module(*convert(tuple(given.forward_input.args)), **convert(dict(given.forward_input.kwargs)))

        expected = outcome(lambda: attempt(torch))
        if isinstance(expected, Raised):
            actual = outcome(lambda: attempt(self.library))
            self.record("error", compare_outcomes(actual, expected, lambda one, other: None))


def rebuilt(value: Any, convert: Converter) -> Any:
    noted = getattr(value, "constructed_with", None)
    if noted is None:
        return convert(value)
    args, kwargs = noted
    return convert.named("nn." + type(value).__name__)(*convert(args), **convert(kwargs))


def gradients(library: Any, module: Any, output: Any, given: Any) -> list[Any] | None:
    convert = Converter(library)
    outputs = [t for t in tensors_in(output, library.Tensor) if is_differentiable(t) and t.requires_grad]
    variables = [t for t in unique(tensors_in(given, library.Tensor)) if t.requires_grad]
    variables += [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not outputs or not variables:
        return None
    directions = [convert(direction(tensor, index)) for index, tensor in enumerate(outputs)]
    found = library.autograd.grad(outputs, variables, directions, allow_unused=True)
    return [None if gradient is None else gradient.detach() for gradient in found]


def run_module(entry: ModuleInfo, library: Any, limit: int | None = None) -> Tally:
    run = ModuleRun(entry, library)
    if run.tally.present:
        for dtype in (torch.float32, torch.float64):
            run.run(dtype, limit)
        run.run_errors()
    return run.tally
