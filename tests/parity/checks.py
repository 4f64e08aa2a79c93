"""Runs one entry of PyTorch's operator database on the library and on PyTorch and collects the differences.

Checks by name:
- `forward`: values, dtype, shape, strides, aliasing of the input, and the arguments after the call
- `method`, `operator`, `alias`: the other spellings of the same call
- `in-place`, `out`: results and exceptions of these variants
- `layout`: forward with non-contiguous arguments
- `gradient`, `second gradient`, `grad_fn`: compared with PyTorch's own autograd
- `finite differences`: the library's own gradcheck
- `error`: the class of the exception for the entry's erroneous inputs
"""

from __future__ import annotations

import contextlib
import signal
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from tests.parity import databases
from tests.parity.comparison import Tolerance, difference
from tests.parity.conversion import Converter, NotConvertible, seed, tensors_in, to_torch
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

SECONDS_A_SAMPLE = 20.0
SECOND_GRADIENTS = 4  # samples an entry, spread over all of them
FINITE_DIFFERENCES = 1
OUT_VARIATIONS = 2
ROUNDING = 2.0
DOUBLE = {torch.float32: torch.float64, torch.complex64: torch.complex128}
LAYOUTS = 3


@dataclass
class Failure:
    check: str
    dtype: str
    sample: int
    arguments: str
    message: str


@dataclass
class Tally:
    """What happened to one entry."""

    name: str
    present: bool = False
    samples: int = 0
    failed_samples: int = 0
    skipped_samples: int = 0
    checks: int = 0
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.failures

    def first_reasons(self) -> dict[str, str]:
        """The first message of each check that failed."""
        reasons: dict[str, str] = {}
        for failure in self.failures:
            reasons.setdefault(failure.check, f"[{failure.dtype} #{failure.sample}] {failure.message}")
        return reasons


class SampleTimeout(Exception):
    """A sample ran longer than its limit."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: types.FrameType | None) -> None:
        raise SampleTimeout(f"no result after {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@dataclass
class Raised:
    """An exception in the place of a result."""

    error: BaseException

    @property
    def kind(self) -> str:
        return type(self.error).__name__.lstrip("_")

    def __str__(self) -> str:
        first = next(iter(str(self.error).strip().splitlines()), "")
        frames = traceback.extract_tb(self.error.__traceback__)
        place = next((frame for frame in reversed(frames) if "/flambeau/" in frame.filename), None)
        where = f" (at {place.filename.partition('/flambeau/')[2]}:{place.lineno})" if place else ""
        return f"{type(self.error).__name__}: {first}"[:400] + where


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except SampleTimeout:
        raise
    except Exception as error:
        return Raised(error)


def compare_outcomes(actual: Any, expected: Any, compare: Callable[[Any, Any], str | None]) -> str | None:
    """Either both raise the same class of exception, or the results agree."""
    if isinstance(expected, Raised):
        if not isinstance(actual, Raised):
            return f"no exception, PyTorch raises {expected}"
        return None if actual.kind == expected.kind else f"{actual} instead of {expected}"
    if isinstance(actual, Raised):
        return str(actual)
    return compare(actual, expected)


@dataclass
class Arguments:
    """One side's own copy of a sample."""

    input: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def everything(self) -> tuple[Any, ...]:
        return (self.input, self.args, self.kwargs)


def arguments(sample: SampleInput, library: Any) -> Arguments:
    convert = Converter(library)
    return Arguments(convert(sample.input), convert(tuple(sample.args)), convert(dict(sample.kwargs)))


class EntryRun:
    """All checks of one entry."""

    def __init__(self, entry: OpInfo, library: Any, only: set[str] | None = None):
        self.entry = entry
        self.library = library
        self.only = only
        self.tally = Tally(databases.full_name(entry))
        self.function = databases.function_of(entry, library)
        self.tally.present = self.function is not None
        self.dtype = torch.float32
        self.tolerance = Tolerance()
        self.sample: SampleInput = SampleInput(None)
        self.relaxed_for: Any = None
        self.part = "forward"  # the check that a crash is counted as
        self.position = 0
        self.seed = 0
        self.values = entry.name not in databases.UNINITIALISED

    def wants(self, check: str) -> bool:
        return self.only is None or check in self.only

    # The loop over samples -------------------------------------------------------------------------------------

    def run_values(self, dtype: torch.dtype, limit: int | None = None) -> None:
        """Forward and the variants for every sample of the dtype."""
        if dtype not in self.entry.supported_dtypes("cpu"):
            return
        self.begin(dtype, "forward")
        self.over(databases.samples(self.entry, dtype, requires_grad=False), self.value_checks, limit)

    def run_gradients(self, dtype: torch.dtype, limit: int | None = None) -> None:
        if not self.entry.supports_autograd or dtype not in self.entry.supported_backward_dtypes("cpu"):
            return
        self.begin(dtype, "gradient")
        chosen = databases.samples(self.entry, dtype, requires_grad=True)
        step = max(1, len(chosen) // SECOND_GRADIENTS)
        self.second = set(range(0, len(chosen), step)) if self.entry.supports_gradgrad else set()
        self.over(chosen, self.gradient_checks, limit)

    def begin(self, dtype: torch.dtype, part: str) -> None:
        self.dtype, self.part = dtype, part

    def over(self, chosen: list[SampleInput], checks: Callable[[], bool], limit: int | None) -> None:
        step = 1 if limit is None else -(-len(chosen) // limit) or 1
        for position in range(0, len(chosen), step):
            self.position, self.sample = position, chosen[position]
            self.tolerance = databases.tolerance(self.entry, self.dtype)
            self.seed = databases.seed_everything(self.tally.name, self.dtype, position)
            before = len(self.tally.failures)
            try:
                with warnings.catch_warnings(), time_limit(SECONDS_A_SAMPLE):
                    warnings.simplefilter("ignore")
                    applicable = checks()
            except NotConvertible as error:
                self.tally.skipped_samples += 1
                note = f"not convertible: {error}"
                if note not in self.tally.notes:
                    self.tally.notes.append(note)
                continue
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                if self.wants(self.part):
                    self.fail(self.part, f"crash: {Raised(error)}")
                applicable = True
            if applicable:
                self.tally.samples += 1
                self.tally.failed_samples += len(self.tally.failures) > before
            else:
                self.tally.skipped_samples += 1

    def fail(self, check: str, message: str) -> None:
        summary = self.sample.summary() if isinstance(self.sample, SampleInput) else ""
        name = str(self.dtype).removeprefix("torch.")
        self.tally.failures.append(Failure(check, name, self.position, summary[:600], message))

    def record(self, check: str, message: str | None) -> None:
        self.tally.checks += 1
        if message is not None:
            self.fail(check, message)

    def differs(self, actual: Any, expected: Any, *, strides: bool = True, where: str = "result") -> str | None:
        strides = strides and self.entry.name not in databases.STRIDES_OPEN

        def compare() -> str | None:
            return difference(
                actual, expected, self.library, self.tolerance, strides=strides, values=self.values, where=where
            )

        found = compare()
        if found is not None and "values differ" in found:
            if self.entry.name in databases.TIES and self.same_up_to_ties(actual, expected):
                return None
            if self.same_up_to_gauge(actual, expected, strides):
                return None
            if self.allow_rounding():
                found = compare()
        return found

    def same_up_to_gauge(self, actual: Any, expected: Any, strides: bool) -> bool:
        """Whether only what the sample calls arbitrary differs: the signs of singular vectors, say."""
        finish = self.sample.output_process_fn_grad
        if finish.__qualname__.startswith("SampleInput.") or not isinstance(expected, (tuple, list)):
            return False
        if difference(actual, expected, self.library, self.tolerance, strides=strides, values=False):
            return False
        ours = tuple(to_torch(tensor, self.library) for tensor in tensors_in(actual, self.library.Tensor))
        theirs = tuple(tensors_in(expected, torch.Tensor))
        return difference(finish(ours), finish(theirs), torch, self.tolerance, strides=False) is None

    def same_up_to_ties(self, actual: Any, expected: Any) -> bool:
        """Whether the indices of equal values were chosen differently, which PyTorch leaves open."""
        ours, theirs = tensors_in(actual, self.library.Tensor), tensors_in(expected, torch.Tensor)
        if len(ours) != len(theirs) or not isinstance(self.sample.input, torch.Tensor):
            return False
        place = databases.TIES[self.entry.name]
        dim = self.sample.kwargs.get("dim", self.sample.args[place] if len(self.sample.args) > place else -1)
        dim = -1 if isinstance(dim, bool) or dim is None else dim
        values = self.sample.input

        def pointed_at(indices: torch.Tensor) -> torch.Tensor:
            return values.gather(dim, indices if indices.dim() == values.dim() else indices.unsqueeze(dim))

        for position, (one, other) in enumerate(zip(ours, theirs)):
            one = to_torch(one, self.library)
            if one.shape != other.shape or one.dtype != other.dtype:
                return False
            if position == len(ours) - 1:
                one, other = pointed_at(one), pointed_at(other)
            if not torch.allclose(one, other, equal_nan=one.is_floating_point()):
                return False
        return True

    def allow_rounding(self) -> bool:
        """Allow this sample the rounding of PyTorch's own result, where single precision is not exact enough.

        A long sum of large terms differs from PyTorch's by more than its tolerances as soon as it is taken in another
        order. What counts then is the distance from the result in double precision: ours may be twice PyTorch's.
        """
        if self.dtype not in DOUBLE or self.relaxed_for == (self.dtype, self.position) or not self.values:
            return False
        self.relaxed_for = (self.dtype, self.position)

        def exactly(value: Any) -> Any:
            if isinstance(value, torch.Tensor) and value.dtype in DOUBLE:
                return value.detach().to(DOUBLE[value.dtype])
            return DOUBLE.get(value, value) if isinstance(value, torch.dtype) else value

        def rounding(sample: SampleInput) -> Any:
            given = arguments(sample, torch)
            result = self.called(torch, self.entry.op, given)
            return tensors_in((result, given.everything()), torch.Tensor)

        theirs, exact = rounding(self.sample), rounding(self.sample.transform(exactly))
        if len(theirs) != len(exact):
            return False
        distances = [
            (one.to(other.dtype) - other).abs().nan_to_num(0.0, 0.0, 0.0).max().item()
            for one, other in zip(theirs, exact)
            if one.shape == other.shape and one.dtype in DOUBLE and one.numel()
        ]
        self.tolerance = Tolerance(
            self.tolerance.relative, max(self.tolerance.absolute, ROUNDING * max(distances, default=0.0))
        )
        return bool(distances)

    def called(self, library: Any, function: Any, given: Arguments, **more: Any) -> Any:
        """The function's result, or what it raised, under the sample's seed."""
        seed(library, self.seed)
        return outcome(lambda: function(given.input, *given.args, **given.kwargs, **more))

    # Values ----------------------------------------------------------------------------------------------------

    def value_checks(self) -> bool:
        entry, sample = self.entry, self.sample
        theirs = arguments(sample, torch)
        expected = self.called(torch, entry.op, theirs)
        if isinstance(expected, Raised):
            return False
        ours = arguments(sample, self.library)
        if self.wants("forward"):
            actual = self.called(self.library, self.function, ours)
            message = str(actual) if isinstance(actual, Raised) else self.differs(actual, expected)
            message = message or self.differs(ours.everything(), theirs.everything(), where="arguments after the call")
            message = message or self.aliasing_differs(actual, ours, expected, theirs)
            self.record("forward", message)
        self.spellings(expected)
        if self.wants("in-place"):
            self.in_place(entry.get_inplace(), "in-place")
        if self.wants("operator") and not sample.kwargs:
            self.in_place(entry.get_inplace_operator(), "in-place operator")
        if self.wants("out") and entry.supports_out:
            self.out(expected)
        if self.wants("layout") and self.position < LAYOUTS:
            self.layout()
        return True

    def aliasing_differs(self, actual: Any, ours: Arguments, expected: Any, theirs: Arguments) -> str | None:
        """Whether each result shares memory with the input exactly where PyTorch's does."""
        inputs = tensors_in(theirs.input, torch.Tensor)
        if not inputs or inputs[0].layout != torch.strided:
            return None
        input_address = inputs[0].untyped_storage().data_ptr()
        our_input = None
        results = zip(tensors_in(actual, self.library.Tensor), tensors_in(expected, torch.Tensor), strict=False)
        for one, other in results:
            if other.layout != torch.strided or other.numel() == 0:
                continue
            shares = other.untyped_storage().data_ptr() == input_address
            if our_input is None:
                our_input = tensors_in(ours.input, self.library.Tensor)[0].untyped_storage().data_ptr()
            if (one.untyped_storage().data_ptr() == our_input) != shares:
                return "result shares no memory with the input" if shares else "result shares memory with the input"
        return None

    def spellings(self, expected: Any) -> None:
        entry = self.entry
        if isinstance(expected, tuple):  # the names of the fields are the function's: `forward` has compared them
            expected = tuple(expected)
        named = [("method", entry.get_method())]
        if not self.sample.kwargs:
            named.append(("operator", entry.get_operator()))
        if self.position < LAYOUTS:
            for alias in entry.aliases:
                named += [("alias", alias.op), ("alias", alias.method_variant)]
        for check, theirs in named:
            if theirs is None or theirs is entry.op or not self.wants(check):
                continue
            if check == "method" and not isinstance(self.sample.input, torch.Tensor):
                continue
            label = f"{check} {getattr(theirs, '__name__', '')}"
            mine = databases.variant_of(theirs, self.library)
            if mine is None:
                self.record(check, f"{label} is not there")
                continue
            ours = arguments(self.sample, self.library)
            actual = self.called(self.library, mine, ours)
            if isinstance(actual, Raised):
                copy = arguments(self.sample, torch)
                if isinstance(self.called(torch, theirs, copy), Raised):
                    continue
                self.record(check, f"{label}: {actual}")
            else:
                self.record(check, self.differs(actual, expected, where=label))

    def in_place(self, theirs: Any, check: str) -> None:
        if theirs is None or not isinstance(self.sample.input, torch.Tensor):
            return
        their = arguments(self.sample, torch)
        expected = self.called(torch, theirs, their)
        resized = their.input.shape != self.sample.input.shape
        if self.sample.broadcasts_input and resized and not isinstance(expected, Raised):
            return  # addbmm_ alone resizes an input that does not have the result's shape; the rule is to refuse
        mine = databases.variant_of(theirs, self.library)
        if mine is None:
            self.record(check, f"{getattr(theirs, '__name__', 'the variant')} is not there")
            return
        our = arguments(self.sample, self.library)
        actual = self.called(self.library, mine, our)

        def same(actual: Any, expected: Any) -> str | None:
            if (actual is our.input) != (expected is their.input):
                return "the result is not the input itself"
            return self.differs(actual, expected) or self.differs(
                our.everything(), their.everything(), where="arguments after the call"
            )

        self.record(check, compare_outcomes(actual, expected, same))

    def out(self, expected: Any) -> None:
        """`out=` with a strided destination; for the first samples also to be resized, of another dtype, with grad."""
        if not isinstance(expected, (torch.Tensor, tuple, list)) or "out" in self.sample.kwargs:
            return
        results = [expected] if isinstance(expected, torch.Tensor) else list(expected)
        if not all(isinstance(result, torch.Tensor) and result.layout == torch.strided for result in results):
            return
        self.out_variation("strided", expected, [strided_like(result) for result in results])
        if self.position >= OUT_VARIATIONS:
            return
        self.out_variation("empty", expected, [torch.empty(0, dtype=result.dtype) for result in results])
        wrong = [torch.zeros([size + 1 for size in result.shape] or [2], dtype=result.dtype) for result in results]
        self.out_variation("wrong shape", expected, wrong)
        for dtype in (torch.int64, torch.float64):
            other = [torch.zeros(result.shape, dtype=dtype) for result in results]
            self.out_variation(f"of dtype {dtype}".replace("torch.", ""), expected, other)
        if results[0].is_floating_point():
            leaf = [torch.zeros_like(result) for result in results]
            leaf[0].requires_grad_()
            self.out_variation("that requires grad", expected, leaf)

    def out_variation(self, label: str, expected: Any, destinations: list[torch.Tensor]) -> None:
        def run(library: Any, function: Any) -> Any:
            mine = arguments(self.sample, library)
            convert = Converter(library)
            out: Any = [convert(destination) for destination in destinations]
            out = out[0] if isinstance(expected, torch.Tensor) else tuple(out)
            result = self.called(library, function, mine, out=out)
            return result if isinstance(result, Raised) else (result, out)

        def same(actual: Any, expected: Any) -> str | None:
            ours, theirs = tensors_in(actual[0], self.library.Tensor), tensors_in(expected[0], torch.Tensor)
            our_out, their_out = tensors_in(actual[1], self.library.Tensor), tensors_in(expected[1], torch.Tensor)
            for one, other, one_out, other_out in zip(ours, theirs, our_out, their_out):
                if (one is one_out) != (other is other_out):
                    return "the result is not the tensor given as out"
            theirs = [out.to(result.dtype) for out, result in zip(their_out, results)] if cast else their_out
            ours = [out.to(convert(result.dtype)) for out, result in zip(our_out, results)] if cast else our_out
            kept = all(out.stride() == given.stride() for out, given in zip(their_out, destinations))
            return self.differs(list(ours), list(theirs), where="out", strides=not cast and (kept or label == "empty"))

        convert = Converter(self.library)
        results = tensors_in(expected, torch.Tensor)
        cast = any(out.dtype != result.dtype for out, result in zip(destinations, results))
        theirs = run(torch, self.entry.op)
        if cast and isinstance(theirs, Raised):
            # Some operators want the exact dtype, each with words of its own; a refused cast is everyone's rule.
            if all(torch.can_cast(result.dtype, out.dtype) for out, result in zip(destinations, results)):
                return
            ours = run(self.library, self.function)
            refused = isinstance(ours, Raised) and isinstance(ours.error, RuntimeError)
            self.record("out", None if refused else f"out {label}: {ours}, PyTorch raises {theirs}")
            return
        if (
            not cast
            and not isinstance(theirs, Raised)
            and difference(theirs[0], expected, torch, self.tolerance, strides=False)
        ):
            return  # PyTorch's own out= does not give its own result
        if cast and not all(torch.can_cast(result.dtype, out.dtype) for out, result in zip(destinations, results)):
            return  # a few operators compute in the destination and so cut off what their rule would refuse
        message = compare_outcomes(run(self.library, self.function), theirs, same)
        self.record("out", None if message is None else f"out {label}: {message}")

    def layout(self) -> None:
        if not tensors_in((self.sample.input, self.sample.args, self.sample.kwargs), torch.Tensor):
            return
        for strided in (self.sample.noncontiguous(), self.sample.transform(permuted)):
            theirs = arguments(strided, torch)
            expected = self.called(torch, self.entry.op, theirs)
            ours = arguments(strided, self.library)
            actual = self.called(self.library, self.function, ours)
            self.record("layout", compare_outcomes(actual, expected, self.differs))

    # Gradients -------------------------------------------------------------------------------------------------

    def gradient_checks(self) -> bool:
        second = self.position in self.second and self.wants("second gradient")
        expected = outcome(lambda: self.gradients(torch, self.entry.op, second))
        if isinstance(expected, Raised):
            if not second:
                return False
            second = False
            expected = outcome(lambda: self.gradients(torch, self.entry.op, second))
            if isinstance(expected, Raised):
                return False
        if expected is None:
            return False
        actual = outcome(lambda: self.gradients(self.library, self.function, second))
        if isinstance(actual, Raised) or actual is None:
            if self.wants("gradient"):
                self.record("gradient", str(actual) if actual is not None else "no result requires grad")
            return True
        if self.wants("gradient"):
            self.record("gradient", self.differs(actual["outputs"], expected["outputs"], strides=False, where="result"))
            if actual["requires grad"] != expected["requires grad"]:
                self.record("gradient", f"requires_grad {actual['requires grad']}, not {expected['requires grad']}")
            first = actual["first"]
            if len(first) == len(expected["first"]):  # zeros where PyTorch says None mean the same
                first = [
                    None if theirs is None and is_zero(ours) else ours for ours, theirs in zip(first, expected["first"])
                ]
            self.record("gradient", self.differs(first, expected["first"], strides=False, where="gradient"))
        if self.wants("grad_fn"):
            same = actual["grad_fn"] == expected["grad_fn"]
            self.record("grad_fn", None if same else f"{actual['grad_fn']} instead of {expected['grad_fn']}")
        if self.wants("second gradient") and "second" in expected:
            if isinstance(actual["second"], Raised):
                self.record("second gradient", str(actual["second"]))
            elif not (expected["second"] and actual["second"]):  # a gradient that is constant, or nothing at all
                zeros = all(map(is_zero, [*actual["second"], *expected["second"]]))
                self.record("second gradient", None if zeros else "one second gradient is zero, the other is not")
            else:
                message = self.differs(actual["second"], expected["second"], strides=False, where="second gradient")
                self.record("second gradient", message)
        if self.wants("gradient") and self.position < LAYOUTS:
            self.in_place_gradient()
        if self.wants("finite differences") and self.position < FINITE_DIFFERENCES and self.dtype == torch.float64:
            self.finite_differences()
        return True

    def call_for_gradient(self, library: Any, function: Any) -> tuple[list[Any], list[Any]]:
        """The call's differentiable results and its leaves."""
        mine = arguments(self.sample, library)
        convert = Converter(library)
        wrapper = convert.function(self.entry.gradcheck_wrapper)
        finish = convert.function(self.sample.output_process_fn_grad)
        seed(library, self.seed)
        result = finish(wrapper(function, mine.input, *mine.args, **mine.kwargs))
        outputs = [tensor for tensor in tensors_in(result, library.Tensor) if is_differentiable(tensor)]
        leaves = [tensor for tensor in unique(tensors_in(mine.everything(), library.Tensor)) if tensor.requires_grad]
        return outputs, leaves

    def gradients(self, library: Any, function: Any, second: bool) -> dict[str, Any] | None:
        outputs, leaves = self.call_for_gradient(library, function)
        required = [tensor.requires_grad for tensor in outputs]
        differentiable = [tensor for tensor in outputs if tensor.requires_grad]
        if not differentiable or not leaves:
            return None
        convert = Converter(library)
        cotangents = [convert(direction(tensor, index)) for index, tensor in enumerate(differentiable)]
        if second:
            for cotangent in cotangents:
                cotangent.requires_grad_()
        found: dict[str, Any] = {
            "outputs": [tensor.detach() for tensor in outputs],
            "requires grad": required,
            "grad_fn": [type(tensor.grad_fn).__name__ for tensor in differentiable],
        }
        first = library.autograd.grad(
            differentiable, leaves, cotangents, allow_unused=True, create_graph=second, materialize_grads=False
        )
        found["first"] = [None if gradient is None else gradient.detach() for gradient in first]
        if second:
            found["second"] = outcome(lambda: self.second_gradients(library, first, leaves + cotangents))
            if isinstance(found["second"], Raised) and library is torch:
                raise found["second"].error
        return found

    def second_gradients(self, library: Any, first: Any, variables: list[Any]) -> list[Any]:
        used = [gradient for gradient in first if gradient is not None and gradient.requires_grad]
        if not used:
            return []
        convert = Converter(library)
        cotangents = [convert(direction(gradient, 100 + index)) for index, gradient in enumerate(used)]
        # PyTorch returns None or zeros for a variable without influence, by the operator; both say the same.
        return list(library.autograd.grad(used, variables, cotangents, allow_unused=True, materialize_grads=True))

    def in_place_gradient(self) -> None:
        """The in-place variant on a copy of the leaf has the same gradients."""
        theirs = self.entry.get_inplace()
        if theirs is None or not self.entry.supports_inplace_autograd or self.sample.broadcasts_input:
            return
        if not isinstance(self.sample.input, torch.Tensor) or self.sample.input.dtype != self.dtype:
            return
        mine = databases.variant_of(theirs, self.library)
        if mine is None:
            return

        def on_copy(in_place: Any) -> Any:
            return lambda input, *args, **kwargs: in_place(input.clone(), *args, **kwargs)

        expected = outcome(lambda: self.gradients(torch, on_copy(theirs), False))
        if isinstance(expected, Raised) or expected is None:
            return
        actual = outcome(lambda: self.gradients(self.library, on_copy(mine), False))
        if isinstance(actual, Raised) or actual is None:
            self.record("gradient", f"in place: {actual}")
        else:
            message = self.differs(actual["first"], expected["first"], strides=False, where="in-place gradient")
            self.record("gradient", message)

    def finite_differences(self) -> None:
        mine = arguments(self.sample, self.library)
        leaves = [t for t in unique(tensors_in(mine.everything(), self.library.Tensor)) if t.requires_grad]
        if not leaves or sum(leaf.numel() for leaf in leaves) > 60 or any(leaf.numel() == 0 for leaf in leaves):
            return
        convert = Converter(self.library)
        wrapper = convert.function(self.entry.gradcheck_wrapper)
        finish = convert.function(self.sample.output_process_fn_grad)

        def call(*variables: Any) -> Any:
            replaced = dict(zip(map(id, leaves), variables))
            given = substitute(mine.everything(), replaced)
            seed(self.library, self.seed)
            result = finish(wrapper(self.function, given[0], *given[1], **given[2]))
            return tuple(t for t in tensors_in(result, self.library.Tensor) if is_differentiable(t) and t.requires_grad)

        try:
            self.library.autograd.gradcheck(call, leaves)
        except Exception as error:
            # The numerical side is no better than PyTorch's: what PyTorch's own gradcheck refuses says nothing.
            if self.theirs_passes_gradcheck():
                self.record("finite differences", str(Raised(error)))
        else:
            self.record("finite differences", None)

    def theirs_passes_gradcheck(self) -> bool:
        theirs = arguments(self.sample, torch)
        leaves = [t for t in unique(tensors_in(theirs.everything(), torch.Tensor)) if t.requires_grad]

        def call(*variables: Any) -> Any:
            given = substitute(theirs.everything(), dict(zip(map(id, leaves), variables)))
            torch.manual_seed(self.seed)
            wrapped = self.entry.gradcheck_wrapper(self.entry.op, given[0], *given[1], **given[2])
            result = self.sample.output_process_fn_grad(wrapped)
            return tuple(t for t in tensors_in(result, torch.Tensor) if is_differentiable(t) and t.requires_grad)

        return bool(torch.autograd.gradcheck(call, leaves, raise_exception=False))

    # Errors ----------------------------------------------------------------------------------------------------

    def run_errors(self, limit: int | None = None) -> None:
        if self.entry.error_inputs_func is None:
            return
        self.begin(torch.float32, "error")
        found = outcome(lambda: databases.error_samples(self.entry))
        if isinstance(found, Raised):
            return
        chosen = [erroneous.sample_input for erroneous in found]
        self.over([c if isinstance(c, SampleInput) else SampleInput(c) for c in chosen], self.error_check, limit)

    def error_check(self) -> bool:
        theirs = arguments(self.sample, torch)
        expected = self.called(torch, self.entry.op, theirs)
        if not isinstance(expected, Raised):
            return False
        ours = arguments(self.sample, self.library)
        actual = self.called(self.library, self.function, ours)
        self.record("error", compare_outcomes(actual, expected, self.differs))
        return True


def run_entry(
    entry: OpInfo,
    library: Any,
    *,
    dtypes: tuple[torch.dtype, ...] = databases.DTYPES,
    only: set[str] | None = None,
    limit: int | None = None,
) -> Tally:
    """Every check of an entry; what goes wrong inside the harness is a failure of the entry, never an exception."""
    run = EntryRun(entry, library, only)
    if not run.tally.present:
        return run.tally
    value_checks = {"forward", "method", "operator", "alias", "in-place", "out", "layout"}
    gradient_checks = {"gradient", "second gradient", "grad_fn", "finite differences"}
    parts: list[Callable[[], None]] = []
    if only is None or only & value_checks:
        parts += [lambda dtype=dtype: run.run_values(dtype, limit) for dtype in dtypes]  # type: ignore[misc]
    if (only is None or only & gradient_checks) and torch.float64 in dtypes:
        parts.append(lambda: run.run_gradients(torch.float64, limit))
    if only is None or "error" in only:
        parts.append(lambda: run.run_errors(limit))
    for part in parts:
        try:
            part()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            run.fail(run.part, f"crash: {Raised(error)}")
    return run.tally


def is_differentiable(tensor: Any) -> bool:
    return bool(tensor.is_floating_point() or tensor.is_complex())


def is_zero(tensor: Any) -> bool:
    return tensor is not None and not bool((tensor != 0).any())


def unique(tensors: list[Any]) -> list[Any]:
    return list({id(tensor): tensor for tensor in tensors}.values())


def substitute(value: Any, replaced: dict[int, Any]) -> Any:
    """The nested value with some of its tensors replaced, by their identity."""
    if id(value) in replaced:
        return replaced[id(value)]
    if isinstance(value, dict):
        return {key: substitute(item, replaced) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "numel"):
        items = [substitute(item, replaced) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def direction(tensor: Any, index: int) -> torch.Tensor:
    """A fixed cotangent for a result of this shape and dtype."""
    generator = torch.Generator().manual_seed(index + 1)
    dtype = getattr(torch, str(tensor.dtype).rpartition(".")[2])
    return torch.randn(tuple(tensor.shape), generator=generator, dtype=dtype)


def strided_like(tensor: torch.Tensor) -> torch.Tensor:
    """A destination of the same shape whose elements lie two apart."""
    return torch.ones(*tensor.shape, 2, dtype=tensor.dtype)[..., 0]


def permuted(value: Any) -> Any:
    """The same tensor with its dimensions laid out in the opposite order in memory."""
    if not isinstance(value, torch.Tensor) or value.dim() < 2 or value.layout != torch.strided:
        return value
    order = tuple(reversed(range(value.dim())))
    return value.detach().permute(order).contiguous().permute(order).requires_grad_(value.requires_grad)
