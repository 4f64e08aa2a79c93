"""Runs one entry of PyTorch's optimizer database on the library and on PyTorch.

Both train the same small problem from the same start: parameters after every step, the state dict at the end, its
way into a new optimizer, every scheduler the entry names, and the erroneous constructions.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import torch
from tests.parity.checks import SECONDS_A_SAMPLE, Failure, Raised, Tally, compare_outcomes, outcome, time_limit
from tests.parity.comparison import Tolerance, difference
from tests.parity.conversion import Converter, NotConvertible, attribute_at
from tests.parity.databases import seed_everything
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

STEPS = 8
TOLERANCES = {
    torch.float32: Tolerance(relative=2e-5, absolute=2e-6),
    torch.float64: Tolerance(relative=1e-9, absolute=1e-9),
}
#: Muon rounds to bfloat16 on its way: the last place of a gradient can move a whole place of that.
LOOSER = {"Muon": Tolerance(relative=1e-2, absolute=1e-3)}


@functools.cache
def entries() -> dict[str, Any]:
    listed: list[Any] = optim_db
    return {entry.optim_cls.__name__: entry for entry in listed}


class Problem:
    """Least squares in two matrices and a bias, one of which has no gradient in the third step."""

    def __init__(self, library: Any, dtype: torch.dtype):
        generator = torch.Generator().manual_seed(7)
        shapes = ((4, 3), (3, 2), (1, 2))
        convert = Converter(library)
        start = [torch.randn(shape, generator=generator, dtype=dtype) * 0.5 for shape in shapes]
        self.first, self.second, self.third = (library.nn.Parameter(convert(value)) for value in start)
        self.parameters = [self.first, self.second, self.third]
        self.inputs = convert(torch.randn(5, 4, generator=generator, dtype=dtype))
        self.targets = convert(torch.randn(5, 2, generator=generator, dtype=dtype))
        self.steps = 0

    def loss(self) -> Any:
        prediction = (self.inputs @ self.first).tanh() @ self.second
        if self.steps != 2:
            prediction = prediction + self.third
        return ((prediction - self.targets) ** 2).mean()


class OptimizerRun:
    def __init__(self, entry: Any, library: Any):
        self.entry = entry
        self.library = library
        name = entry.optim_cls.__name__
        self.tally = Tally(name)
        self.kind = entry.optim_cls if library is torch else attribute_at(library, f"optim.{name}")
        self.tally.present = self.kind is not None
        self.dtype = torch.float64
        self.where = ""
        self.position = 0

    def run(self) -> None:
        if self.entry.only_supports_sparse_grads:
            self.tally.notes.append("needs sparse gradients")
            return
        cases: list[tuple[dict[str, Any], tuple[Any, ...]]] = []
        given = self.entry.optim_inputs_func("cpu")
        implementations: list[dict[str, Any]] = [{}] + [{flag: True} for flag in self.entry.supported_impls]
        for one in given:
            cases += [(dict(one.kwargs) | flags, ()) for flags in implementations if not set(flags) & set(one.kwargs)]
        cases += [({"lr": 0.01}, tuple(schedulers)) for schedulers in self.entry.scheduler_inputs]
        for self.dtype in (torch.float64, torch.float32):
            for self.position, (kwargs, schedulers) in enumerate(cases):
                self.where = f"{kwargs}, {len(schedulers)} schedulers"
                self.guarded(lambda given=kwargs, after=schedulers: self.training(given, after))  # type: ignore[misc]
        self.errors()

    def guarded(self, check: Any) -> None:
        before = len(self.tally.failures)
        seed_everything(self.tally.name, self.position)
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

    def training(self, kwargs: dict[str, Any], schedulers: tuple[Any, ...]) -> None:
        expected = outcome(lambda: self.trajectory(torch, kwargs, schedulers))
        actual = outcome(lambda: self.trajectory(self.library, kwargs, schedulers))
        tolerance = LOOSER.get(self.tally.name, TOLERANCES[self.dtype])
        self.record(
            "training",
            compare_outcomes(
                actual, expected, lambda one, other: difference(one, other, self.library, tolerance, strides=False)
            ),
        )

    def trajectory(self, library: Any, kwargs: dict[str, Any], schedulers: tuple[Any, ...]) -> dict[str, Any]:
        convert = Converter(library)
        problem = Problem(library, self.dtype)
        kind = self.entry.optim_cls if library is torch else self.kind
        options = convert(kwargs)
        if kwargs.get("differentiable"):
            return self.through_the_steps(library, problem, kind, options)
        optimizer = kind(problem.parameters, **options)
        after = [convert.function(scheduler)(optimizer) for scheduler in schedulers]
        found: dict[str, Any] = {"losses": [], "parameters": [], "rates": []}

        def closure() -> Any:
            optimizer.zero_grad()
            loss = problem.loss()
            loss.backward()
            return loss

        for step in range(STEPS):
            problem.steps = step
            if step == STEPS // 2:  # the second half with an optimizer restored from the state of the first
                state = optimizer.state_dict()
                optimizer = kind(problem.parameters, **options)
                optimizer.load_state_dict(state)
                after = [] if schedulers else after
            if self.entry.step_requires_closure:
                loss = optimizer.step(closure)
            else:
                loss = closure()
                with library.no_grad():
                    optimizer.step()
            for scheduler in after:
                if type(scheduler).__name__ == "ReduceLROnPlateau":
                    scheduler.step(float(loss))
                else:
                    scheduler.step()
            found["losses"].append(loss.detach())
            found["parameters"].append([parameter.detach().clone() for parameter in problem.parameters])
            found["rates"].append([float(group["lr"]) for group in optimizer.param_groups])
        found["state"] = plain(optimizer.state_dict())
        return found

    def through_the_steps(self, library: Any, problem: Problem, kind: Any, options: dict[str, Any]) -> dict[str, Any]:
        """With `differentiable`, the parameters are results of others, which get a gradient through the steps."""
        leaves = problem.parameters
        moving = [leaf.clone() for leaf in leaves]
        problem.first, problem.second, problem.third = moving
        optimizer = kind(moving, **options)
        for _ in range(2):
            for parameter, gradient in zip(moving, library.autograd.grad(problem.loss(), moving)):
                parameter.grad = gradient
            optimizer.step()
        found = library.autograd.grad(sum((parameter**2).sum() for parameter in moving), leaves)
        return {"parameters": [parameter.detach() for parameter in moving], "gradients": list(found)}

    def errors(self) -> None:
        self.dtype = torch.float32
        function = self.entry.optim_error_inputs_func
        if function is None:
            return
        seed_everything(self.tally.name, "errors")
        for self.position, erroneous in enumerate(function("cpu", torch.float32)):
            self.where = str(erroneous.optimizer_error_input.desc)
            self.guarded(lambda given=erroneous: self.error(given))  # type: ignore[misc]

    def error(self, erroneous: Any) -> None:
        given = erroneous.optimizer_error_input

        def attempt(library: Any) -> Any:
            convert = Converter(library)
            parameters = given.params
            if parameters is None:
                parameters = Problem(torch, torch.float32).parameters
            kind = self.entry.optim_cls if library is torch else self.kind
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                optimizer = kind(convert(parameters), **convert(given.kwargs))
                if erroneous.error_on == OptimizerErrorEnum.STEP_ERROR:
                    optimizer.step()

        expected = outcome(lambda: attempt(torch))
        if isinstance(expected, Raised):
            actual = outcome(lambda: attempt(self.library))
            self.record("error", compare_outcomes(actual, expected, lambda one, other: None))


def plain(state: dict[str, Any]) -> dict[str, Any]:
    """A state dict without what names functions of one library."""
    groups = [{key: value for key, value in group.items() if not callable(value)} for group in state["param_groups"]]
    return {"state": {key: dict(value) for key, value in state["state"].items()}, "param_groups": groups}


def run_optimizer(entry: Any, library: Any) -> Tally:
    run = OptimizerRun(entry, library)
    if run.tally.present:
        run.run()
    return run.tally
