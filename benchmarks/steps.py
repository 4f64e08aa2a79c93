"""Training steps and operators, flambeau beside PyTorch 2.13 (and JAX where it is installed), alternating in one run.

::

    python benchmarks/steps.py                      # every row
    python benchmarks/steps.py mlp gpt              # some
    python benchmarks/steps.py --capture --threads 1
    python benchmarks/steps.py --start-up --compile-time --memory   # in fresh processes
    python benchmarks/steps.py --write-readme       # everything, into README.md

The code is PyTorch code (``models.py``), the same for both. flambeau runs with its default policy, after as many calls as it
takes until nothing more is compiled. Printed are medians of one call and how many times faster flambeau is.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import fresh
from ceilings import Ceilings, measure as measure_ceilings
from rows import NAMED, ROWS, Row
from side_by_side import measure, suitable, turn
from work import Work, observe

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- steps.py: begin -->", "<!-- steps.py: end -->"
#: A row is measured for about so many seconds after warm-up, in at least three rounds.
SECONDS = 3.0
START_UP, MEMORY = ("mlp", "gpt"), ("mlp", "gpt", "resnet")


class Found(NamedTuple):
    """A measured row: seconds by library, and what the step asked for."""

    row: Row
    title: str
    least: float
    aim: float | None
    seconds: dict[str, float]
    work: Work | None

    @property
    def ratio(self) -> float:
        """How many times faster than PyTorch."""
        return self.seconds["torch"] / self.seconds["flambeau"]


def settle(call: Callable[[], Any], limit: float = 30.0) -> int:
    """Call it, in turns like those that are measured, until nothing more is compiled; how many calls make a turn."""
    from flambeau.native.policy import policy
    from flambeau.tracing import synchronize

    def quiet(count: int) -> None:
        """``count`` calls a turn; at least four turns, since a program must recur to be compiled."""
        began, unchanged = time.perf_counter(), 0
        while unchanged < 2 and time.perf_counter() - began < limit:
            before, start = policy.compiled + policy.failures, time.perf_counter()
            for k in range(20):
                call()
                synchronize()
                turn(call, count, synchronize)
                if k >= 3 and time.perf_counter() - start > 0.3:
                    break
            policy.wait()
            unchanged = unchanged + 1 if policy.compiled + policy.failures == before else 0

    quiet(1)
    count = suitable(call, synchronize)
    if count > 1:
        quiet(count)
        count = suitable(call, synchronize)
        quiet(count)
    return count


def warm(call: Callable[[], Any]) -> int:
    """The same for a library that compiles nothing on the way."""
    began = time.perf_counter()
    for _ in range(100):
        call()
        if time.perf_counter() - began > 0.5:
            break
    return suitable(call)


def prepare(row: Row, library: str) -> Callable[[], Any]:
    """The row's step; an operator's result is computed within the call."""
    torch = importlib.import_module(library)
    torch.manual_seed(0)
    step = row.make(torch)
    if not row.operator:
        return step
    if library != "flambeau":
        return lambda: step()

    def complete() -> None:
        result = step()  # held: what nobody holds is not computed
        torch.synchronize()
        del result

    return complete


def measure_row(row: Row, capture: bool, rounds: int, seconds: float) -> list[Found]:
    """The row, and captured where that is asked for."""
    import jax_rows

    from flambeau.tracing import synchronize

    calls: dict[str, Callable[[], Any]] = {"flambeau": prepare(row, "flambeau")}
    counts = {"flambeau": settle(calls["flambeau"])}
    work = observe(calls["flambeau"], counts["flambeau"])
    calls["torch"] = prepare(row, "torch")
    beside = jax_rows.make(row.name)
    if beside is not None:
        calls["jax"] = beside
    if capture and row.captured is not None:
        import flambeau

        calls["captured"] = flambeau.capture(row.make(flambeau))
    for name in [each for each in calls if each != "flambeau"]:
        try:
            counts[name] = settle(calls[name]) if name == "captured" else warm(calls[name])
        except RuntimeError as refusal:
            if name != "captured":
                raise
            print(f"{row.title}: {refusal}", file=sys.stderr)
            del calls[name]
    times = {name: value / 1e6 for name, value in measure(calls, counts, rounds, seconds, synchronize).items()}
    captured = times.pop("captured", None)
    found = [Found(row, row.title, row.least, row.aim, times, work)]
    if captured is not None and row.captured is not None:
        found.append(Found(row, f"{row.title}, captured", row.captured, None, {**times, "flambeau": captured}, None))
    return found


# Tables


def spell(seconds: float) -> str:
    """A time in a unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def amount(number: float) -> str:
    """A number with three digits and a prefix."""
    for prefix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {prefix}"
    return f"{number:.3g}"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, in columns that line up as plain text too."""
    rows = [list(head), *map(list, lines)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    texts = ["| " + " | ".join(_pad(cell, widths[k], k) for k, cell in enumerate(row)) + " |" for row in rows]
    rule = "| " + " | ".join("-" * width if k == 0 else "-" * (width - 1) + ":" for k, width in enumerate(widths)) + " |"
    return "\n".join([texts[0], rule, *texts[1:]])


def _pad(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)


def ratios(found: Sequence[Found]) -> str:
    """Times and ratios."""
    with_jax = any("jax" in each.seconds for each in found)
    lines = []
    for each in found:
        line = [each.title, spell(each.seconds["torch"]), spell(each.seconds["flambeau"]), f"{each.ratio:.2f} ×"]
        line += [f"{each.least:g} ×", f"{each.aim:g} ×" if each.aim else "", "yes" if each.ratio >= each.least else "no"]
        if with_jax:
            line.append(spell(each.seconds["jax"]) if "jax" in each.seconds else "")
        lines.append(line)
    return table(["row", "PyTorch", "flambeau", "faster", "at least", "aim", "reached", *["JAX"] * with_jax], lines)


def works(found: Sequence[Found], ceilings: Ceilings) -> str:
    """What each row asks of the machine, and what part of the ceiling it reaches."""
    lines = []
    for each in found:
        work = each.work
        if work is None:
            continue
        bound, taken = work.bound(ceilings), each.seconds["flambeau"]
        lines.append([
            each.title, amount(work.products + work.others), f"{100 * work.products / max(work.products + work.others, 1):.0f}%",
            amount(work.traffic), f"{work.kernels:.3g}", spell(bound), spell(work.seconds), spell(taken),
            f"{100 * bound / taken:.0f}%", f"{100 * bound / work.seconds:.0f}%" if work.seconds else "",
        ])  # fmt: skip
    head = [
        "row", "FLOP", "in products", "bytes moved", "kernels", "bound", "programs", "step", "reached by the step", "by its programs",
    ]  # fmt: skip
    return table(head, lines)


def start_up(runs: int) -> str:
    """From the start of the process to the end of the 10th step; alternating, medians."""
    lines = []
    for name in START_UP:
        times: dict[str, list[float]] = {"torch": [], "flambeau": []}
        for _ in range(runs):
            for library, values in times.items():
                values.append(fresh.run(library, name)["seconds"])
        torch, ours = (statistics.median(times[each]) for each in ("torch", "flambeau"))
        lines.append([NAMED[name].title, spell(torch), spell(ours), f"{torch / ours:.2f} ×"])
    return table(["start of the process to the end of the 10th step", "PyTorch", "flambeau", "faster"], lines)


def memory(steps: int = 10) -> str:
    """The most memory resident in a training run."""
    lines = []
    for name in MEMORY:
        torch, ours = (fresh.run(library, name, steps)["memory"] / 1e6 for library in ("torch", "flambeau"))
        lines.append([NAMED[name].title, f"{torch:.0f} MB", f"{ours:.0f} MB", f"{ours / torch:.2f}"])
    return table([f"peak resident memory, {steps} steps", "PyTorch", "flambeau", "ratio"], lines)


def compile_time() -> str:
    """Seconds to compile a step's programs."""
    lines = []
    for name in ("resnet", "gpt"):
        cold, warm = fresh.compile_seconds(name)
        lines.append([NAMED[name].title, spell(cold), spell(warm)])
    return table(["compile time", "nothing on disk", "from the disk cache"], lines)


def versions() -> str:
    """What was compared, on what."""
    import numpy
    import torch

    import flambeau
    from flambeau.native.machine import machine

    compared = f"flambeau {flambeau.__version__}, PyTorch {torch.__version__}, NumPy {numpy.__version__}"
    return f"{compared}; {flambeau.get_num_threads()} threads; LLVM calls the processor {machine().cpu}."


def write_readme(parts: Sequence[str]) -> None:
    """Put the tables between the markers."""
    text = README.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    README.write_text(before + BEGIN + "\n\n" + "\n\n".join(parts) + "\n\n" + END + after)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"some of: {', '.join(NAMED)}")
    parser.add_argument("--capture", action="store_true", help="measure captured steps too")
    parser.add_argument("--threads", type=int, help="threads for every library")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="about so long for a row")
    parser.add_argument("--start-up", action="store_true")
    parser.add_argument("--compile-time", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--write-readme", action="store_true", help="measure everything and write it into README.md")
    chosen = parser.parse_args(arguments)
    unknown = [each for each in chosen.rows if each not in NAMED]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(NAMED)}")
    if importlib.util.find_spec("torch") is None:
        sys.exit("PyTorch is not installed: pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu")
    if chosen.threads:
        for library in ("torch", "flambeau"):
            importlib.import_module(library).set_num_threads(chosen.threads)
    everything, fresh_only = chosen.write_readme, chosen.start_up or chosen.compile_time or chosen.memory
    parts = []

    def report(part: str) -> None:
        parts.append(part)
        print(f"\n{part}", flush=True)

    # Fresh processes first: this one is then still small and idle.
    if chosen.start_up or everything:
        report(start_up(3))
    if chosen.compile_time or everything:
        report(compile_time())
    if chosen.memory or everything:
        report(memory())
    if chosen.rows or everything or not fresh_only:
        found: list[Found] = []
        for row in [NAMED[each] for each in chosen.rows] or ROWS:
            here = measure_row(row, chosen.capture or everything, chosen.rounds, chosen.seconds)
            found += here
            for each in here:
                times = "".join(f"{name} {spell(value)}  " for name, value in each.seconds.items())
                print(f"{each.title:56} {each.ratio:6.2f} ×   {times}", file=sys.stderr, flush=True)
        ceilings = measure_ceilings()
        report(ratios(found))
        report(ceilings.text())
        report(works(found, ceilings))
    if everything:
        write_readme([versions(), *parts[3:], *parts[:3]])


if __name__ == "__main__":
    main()
