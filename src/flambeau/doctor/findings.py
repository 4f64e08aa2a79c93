"""What the doctor reports: a mistake in plain words, where it is, and what to do about it."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

#: Every kind of mistake the doctor knows, and its title. The kinds are what ``ignore`` names.
KINDS = {
    "gradients-not-zeroed": "gradients are never zeroed",
    "zeroed-before-step": "gradients are zeroed between backward() and step()",
    "step-without-backward": "the optimizer steps, but there are no gradients",
    "no-gradient": "parameters get no gradient",
    "not-in-optimizer": "parameters were not given to the optimizer",
    "other-parameters": "the optimizer holds other parameters than the model",
    "double-softmax": "softmax before a loss that applies it itself",
    "broadcast": "shapes differ and are broadcast",
    "eval-while-training": "training in evaluation mode",
    "train-while-evaluating": "evaluating in training mode",
    "nan": "a number became NaN",
    "exploding-gradients": "the gradients explode",
    "vanishing-gradients": "the gradients vanish",
    "dead-relu": "dead ReLUs",
    "device": "data on another device",
    "dtype": "data of another dtype",
}


class Finding(NamedTuple):
    """One mistake.

    Attributes:
        kind: a key of ``KINDS``.
        message: what is wrong and what it does.
        remedy: what to do about it.
        filename, line: the line of the user's code where it was noticed, or None and 0.
        source: that line's text.
    """

    kind: str
    message: str
    remedy: str
    filename: str | None
    line: int
    source: str

    def __str__(self) -> str:
        lines = [f"flambeau.doctor: {KINDS[self.kind]}"]
        if self.filename is not None:
            lines.append(f"  {self.filename}:{self.line}" + (f":  {self.source}" if self.source else ""))
        return "\n".join([*lines, f"  {self.message}", f"  Remedy: {self.remedy}"])


def print_finding(finding: Finding) -> None:
    """The report where none other is asked for: on stderr, as soon as it is found."""
    print(finding, file=sys.stderr, flush=True)


class Reports:
    """Findings as they come in: each place is reported once for each kind of mistake."""

    def __init__(self, report: Any, ignore: Any) -> None:
        unknown = sorted(set(ignore) - set(KINDS))
        if unknown:
            raise ValueError(f"doctor.watch: no kind of mistake is called {', '.join(unknown)}; there are {', '.join(KINDS)}")
        self.report, self.ignore = report, frozenset(ignore)
        self.findings: list[Finding] = []
        self._seen: set[Any] = set()

    def add(self, kind: str, where: Any, message: str, remedy: str, about: Any = None) -> None:
        """Report a mistake noticed at a place (or None), unless the same was reported there before."""
        if kind in self.ignore:
            return
        filename, line = (None, 0) if where is None else (where.filename, where.line)
        key = (kind, filename, line, about)
        if key in self._seen:
            return
        self._seen.add(key)
        finding = Finding(kind, message, remedy, filename, line, "" if where is None else where.source)
        self.findings.append(finding)
        self.report(finding)


def listed(names: list[str], most: int = 4) -> str:
    """Names in words: "a, b and 3 more"."""
    shown = [repr(each) for each in names[:most]]
    if len(names) > most:
        return ", ".join(shown) + f" and {len(names) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
