"""Both tiers agree on random programs; with one, two and four threads to the last bit; and nothing outside a buffer is touched.

``python -m tests.native.test_programs FIRST COUNT`` runs the programs of so many seeds.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from tests.native.guarded import Guarded
from tests.native.random_programs import Maker, State, replay

import flambeau as torch
from flambeau.native import execution
from flambeau.native.policy import policy
from flambeau.tracing.cache import cache
from flambeau.tracing.recorder import synchronize

guarded = Guarded()


@contextmanager
def tier(mode: str) -> Iterator[None]:
    """Run what is recorded within in one tier, from programs made anew."""
    synchronize()
    before, policy.mode = policy.mode, mode
    cache.clear()
    try:
        yield
    finally:
        synchronize()
        cache.clear()
        policy.mode = before


@pytest.fixture(autouse=True)
def _everything_in_parallel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    threads = torch.get_num_threads()
    monkeypatch.setattr(execution, "SHARE", 0.0)  # even the least step is shared by threads
    yield
    torch.set_num_threads(threads)


def read(tensors: list[Any]) -> list[Any]:
    with tier("reference"):
        return [None if t is None else (t.float() if t.dtype is torch.bfloat16 else t).detach().numpy().copy() for t in tensors]


def difference(name: Any, found: Any, wanted: Any, state: State, largest: float) -> str | None:
    """How two arrays differ, or None."""
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return f"{name}: {found.dtype}{found.shape} instead of {wanted.dtype}{wanted.shape}"
    if state.exact or found.dtype.kind == "b":
        same = (found == wanted) | ((found != found) & (wanted != wanted))
        if found.dtype.kind == "f":
            same &= (np.signbit(found) == np.signbit(wanted)) | (found != 0)
            if not same.all() and (found == wanted)[~same].all():
                return None if state.wild or state.signless else f"{name}: zeros of another sign"
    else:
        relative = {"float16": 2e-2, "float64": 1e-7, "complex64": 1e-3}.get(str(found.dtype), 2e-3)
        with np.errstate(all="ignore"):
            near = np.abs(found - wanted) <= relative * (np.abs(wanted) + largest)
        same = near | (found == wanted) | ((found != found) & (wanted != wanted))
    if same.all():
        return None
    at = np.argwhere(~same)[0]
    return f"{name}: {found[tuple(at)]!r} instead of {wanted[tuple(at)]!r} at {at.tolist()}, {(~same).sum()} of {same.size}"


def check(choose: Callable[[int], int], length: int) -> str | None:
    """Make a program and run it in both tiers; what is wrong, or None."""
    with tier("reference"):
        maker = Maker(choose)
        maker.make(length)
    maker.tensors.clear()
    with tier("reference"):
        tensors = replay(maker.leaves, maker.steps)
    wanted = read(tensors)
    del tensors
    coarse = any(str(leaf[1]) in ("torch.bfloat16", "torch.float16") for leaf in maker.leaves)
    finite = [np.abs(w[np.isfinite(w)]).max(initial=0) for w in wanted if w is not None and w.dtype.kind in "fc"]
    largest = min(float(max(finite, default=1.0)), 1e3) * (10 if coarse else 1)
    before: list[Any] | None = None
    with tier("native"):
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            guarded.reset()

            def empty(shape: Any, dtype: Any, at_end: bool = threads != 2) -> Any:
                return guarded.empty(shape, dtype, at_end)

            found_tensors = replay(maker.leaves, maker.steps, empty)
            policy.mode = "reference"
            programs = dict(cache._programs)
            found = read(found_tensors)
            cache._programs.update(programs)
            policy.mode = "native"
            del found_tensors
            if before is not None:
                for k, (a, b) in enumerate(zip(before, found)):
                    if a is not None and a.tobytes() != b.tobytes():
                        return f"tensor {k} depends on the number of threads ({threads})\n{maker.text()}"
                continue
            before = found
            for k, (a, b) in enumerate(zip(found, wanted)):
                if a is not None:
                    what = difference(f"tensor {k}", a, b, maker.states[k], largest)
                    if what:
                        return f"{what}\n{maker.text()}"
    return None


@hypothesis.settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(st.data())
def test_both_tiers_agree(data: st.DataObject) -> None:
    what = check(lambda n: data.draw(st.integers(0, n - 1)) if n > 1 else 0, 8)
    assert what is None, what


@pytest.mark.parametrize("seed", range(12))
def test_longer_programs(seed: int) -> None:
    chance = random.Random(seed)
    what = check(lambda n: chance.randrange(n), 20)
    assert what is None, what


if __name__ == "__main__":
    import faulthandler
    import time
    import traceback

    faulthandler.enable()
    execution.SHARE = 0.0
    first, count = int(sys.argv[1]), int(sys.argv[2])
    started, bad = time.time(), 0
    for seed in range(first, first + count):
        if seed % 50 == 0:
            print(f"seed {seed}: {bad} bad, {time.time() - started:.0f} s", flush=True)
        chance = random.Random(seed)
        with open(f"/tmp/nt/running.{first}", "w") as file:
            file.write(str(seed))
        try:
            what = check(lambda n: chance.randrange(n), 4 + seed % 25)
        except Exception:
            what = traceback.format_exc()
            synchronize()
        if what:
            bad += 1
            print(f"=== seed {seed}\n{what}", flush=True)
    print(f"done: {count} programs, {bad} bad, {time.time() - started:.0f} s", flush=True)
    from flambeau.native.code_cache import statistics

    print(f"{policy.compiled} programs compiled, {statistics.compiled} kernels, {statistics.loaded} from disk")
