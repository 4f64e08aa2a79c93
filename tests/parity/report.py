"""Compares the library with PyTorch through PyTorch's own databases and prints a table.

python -m tests.parity.report                       every operator that is there
python -m tests.parity.report add mul --failures    some, with the first reason of each check that fails
python -m tests.parity.report 'linalg.*' --dtype float64 --check forward,gradient
python -m tests.parity.report --modules Linear LSTM --failures
python -m tests.parity.report --optimizers
python -m tests.parity.report --json report.json --jobs 2
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import dataclasses
import importlib
import json
import multiprocessing
import sys
import time
import warnings
from typing import Any

CHECKS = (
    "forward",
    "method",
    "operator",
    "alias",
    "in-place",
    "out",
    "layout",
    "gradient",
    "second gradient",
    "grad_fn",
    "finite differences",
    "error",
)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.parity.report", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="operators, e.g. add, nn.functional.gelu, gelu, 'linalg.*'")
    database = parser.add_mutually_exclusive_group()
    database.add_argument("--modules", action="store_const", const="modules", dest="database")
    database.add_argument("--optimizers", action="store_const", const="optimizers", dest="database")
    parser.set_defaults(database="operators")
    parser.add_argument("--dtype", default="", help="comma-separated; default float32,float64,complex64,int64,bool")
    parser.add_argument("--check", default="", help=f"comma-separated, among: {', '.join(CHECKS)}")
    parser.add_argument("--limit", type=int, default=None, help="at most this many samples for each dtype")
    parser.add_argument("--failures", action="store_true", help="print the first message of each failing check")
    parser.add_argument("--every-failure", action="store_true", help="print every failure with its arguments")
    parser.add_argument("--absent", action="store_true", help="list the operators that are not there yet")
    parser.add_argument("--all", action="store_true", help="a line for passing operators too")
    parser.add_argument("--json", default="", help="write the whole result to this file")
    parser.add_argument("--gaps", action="store_true", help="print the failures as lines for known_gaps.py")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--library", default="flambeau", help="the module to compare with torch")
    parser.add_argument("--list", action="store_true", help="only list what is there and what is not; run nothing")
    return parser.parse_args(arguments)


def run_one(name: str, database: str, library_name: str, dtypes: str, checks: str, limit: int | None) -> dict[str, Any]:
    import torch
    from tests.parity import checks as parity_checks, databases

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    library = importlib.import_module(library_name)
    started = time.perf_counter()
    if database == "modules":
        from tests.parity import module_checks

        tally = module_checks.run_module(module_checks.entries()[name], library, limit)
    elif database == "optimizers":
        from tests.parity import optimizer_checks

        tally = optimizer_checks.run_optimizer(optimizer_checks.entries()[name], library)
    else:
        tally = parity_checks.run_entry(
            databases.entries()[name],
            library,
            dtypes=tuple(getattr(torch, dtype) for dtype in dtypes.split(",")) if dtypes else databases.DTYPES,
            only=set(checks.split(",")) if checks else None,
            limit=limit,
        )
    return dataclasses.asdict(tally) | {"seconds": time.perf_counter() - started}


def run_all(names: list[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    fixed = (options.database, options.library, options.dtype, options.check, options.limit)
    if options.jobs <= 1:
        results = []
        for position, name in enumerate(names):
            progress(position, len(names), name)
            results.append(run_one(name, *fixed))
        progress(len(names), len(names), "")
        return results
    results = []
    remaining = list(names)
    context = multiprocessing.get_context("fork")
    while remaining:
        with concurrent.futures.ProcessPoolExecutor(options.jobs, context) as pool:
            futures = {name: pool.submit(run_one, name, *fixed) for name in remaining}
            died = []
            for name, future in futures.items():
                try:
                    results.append(future.result())
                    remaining.remove(name)
                except concurrent.futures.process.BrokenProcessPool:
                    died.append(name)
                progress(len(results), len(names), name)
        if died:  # the first one not delivered took the pool with it, or was next to the one that did
            failure = {"check": "crash", "dtype": "", "sample": 0, "arguments": "", "message": "the process died"}
            results.append(blank(died[0]) | {"present": True, "failures": [failure]})
            remaining.remove(died[0])
    return results


def names_in(database: str, wanted: list[str]) -> list[str]:
    if database == "operators":
        from tests.parity import databases

        return [databases.full_name(entry) for entry in databases.matching(wanted)]
    module = importlib.import_module(f"tests.parity.{database[:-1]}_checks")
    return [name for name in module.entries() if not wanted or {name, name.removeprefix("nn.")} & set(wanted)]


def blank(name: str) -> dict[str, Any]:
    from tests.parity.checks import Tally

    return dataclasses.asdict(Tally(name)) | {"seconds": 0.0}


def progress(done: int, total: int, name: str) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done}/{total} {name:60.60}", end=end, file=sys.stderr, flush=True)


def reasons(result: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for failure in result["failures"]:
        found.setdefault(failure["check"], f"[{failure['dtype']} #{failure['sample']}] {failure['message']}")
    return found


def print_report(results: list[dict[str, Any]], options: argparse.Namespace) -> None:
    present = [result for result in results if result["present"]]
    failing = sorted((r for r in present if r["failures"]), key=lambda r: (-len(r["failures"]), r["name"]))
    shown = present if options.all or options.names else failing
    if shown:
        columns = " ".join(f"{column:>8}" for column in ("samples", "passed", "failed", "skipped", "checks", "seconds"))
        print(f"{options.database[:-1]:44} {columns}")
    for result in sorted(shown, key=lambda r: r["name"]):
        passed = result["samples"] - result["failed_samples"]
        print(
            f"{result['name']:44.44} {result['samples']:8} {passed:8} {result['failed_samples']:8} "
            f"{result['skipped_samples']:8} {result['checks']:8} {result['seconds']:8.2f}"
        )
        if options.every_failure:
            for failure in result["failures"]:
                print(f"    {failure['check']} [{failure['dtype']} #{failure['sample']}] {failure['message']}")
                print(f"        {failure['arguments']}")
        elif options.failures:
            counts = collections.Counter(failure["check"] for failure in result["failures"])
            for check, reason in reasons(result).items():
                print(f"    {check} ({counts[check]}): {reason}")
            for note in result["notes"]:
                print(f"    note: {note}")
    if options.absent:
        print("\nnot there yet:")
        for result in results:
            if not result["present"]:
                print(f"    {result['name']}")
    samples = sum(result["samples"] for result in present)
    failed = sum(result["failed_samples"] for result in present)
    print(
        f"\n{len(present)} of {len(results)} {options.database} present ({len(results) - len(present)} not there yet), "
        f"{len(present) - len(failing)} pass completely; "
        f"{samples} samples run, {samples - failed} passed, {failed} failed "
        f"({100 * (samples - failed) / max(1, samples):.2f} %)"
    )
    by_check = collections.Counter(failure["check"] for result in present for failure in result["failures"])
    if by_check:
        print("failures by check: " + ", ".join(f"{check} {count}" for check, count in by_check.most_common()))


PARTS = {"grad_fn": "names", "error": "errors", "gradient": "gradients", "second gradient": "gradients"}
PARTS |= {"finite differences": "gradients"}
GROUPS = {"complex64": "complex", "int64": "integral", "bool": "integral"}


def print_gaps(results: list[dict[str, Any]], database: str) -> None:
    """One entry for each test that fails, with the reason already known or the first message."""
    from tests.parity import known_gaps

    known: dict[str, Any] = getattr(known_gaps, database.upper())
    for result in sorted(results, key=lambda result: result["name"]):
        found: dict[str, str] = {}
        for failure in result["failures"]:
            part = PARTS.get(failure["check"]) or GROUPS.get(failure["dtype"], "floating")
            found.setdefault(part, first_words(failure["message"]))
        if database == "operators":
            reasons = {part: known.get(result["name"], {}).get(part, reason) for part, reason in found.items()}
            lines = [f"        {json.dumps(part)}: {json.dumps(reason)}," for part, reason in sorted(reasons.items())]
            if lines:
                print(f"    {json.dumps(result['name'])}: {{", *lines, "    },", sep="\n")
        elif found:
            reason = known.get(result["name"], next(iter(found.values())))
            print(f"    {json.dumps(result['name'])}: {json.dumps(reason)},")


def first_words(message: str) -> str:
    """A message cut to what fits on a line of the table."""
    short = " ".join(message.partition(" (at ")[0].split())
    return short if len(short) <= 80 else short[:77].rsplit(" ", 1)[0] + " …"


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        import torch  # noqa: F401
    except ImportError:
        print("PyTorch is not installed; it is what this report compares with. Install torch==2.13.0 (CPU) first.")
        return 2
    from tests.parity import databases

    library = importlib.import_module(options.library)
    names = names_in(options.database, options.names)
    if not names:
        print(f"nothing in PyTorch's database of {options.database} is called {' or '.join(options.names)}")
        return 2
    if options.list:
        for name in names:
            there = databases.function_of(databases.entries()[name], library) is not None
            print(f"{'present' if there else 'absent ':8} {name}")
        return 0
    results = run_all(names, options)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    if options.gaps:
        print_gaps(results, options.database)
        return 0
    print_report(results, options)
    return 1 if any(result["failures"] for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
