"""How far a download is: tqdm's bar where tqdm is installed, else a plain line on stderr."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["progress_bar"]


class _Line:
    """Bytes so far, and of how many, on one line that is written anew for each per cent or megabyte."""

    def __init__(self, total: int | None, initial: int, name: str) -> None:
        self.total, self.done, self.name = total, initial, name
        self.shown = -1

    def __enter__(self) -> _Line:
        return self

    def update(self, count: int) -> None:
        self.done += count
        step = 100 * self.done // self.total if self.total else self.done // 1_000_000
        if step != self.shown:
            self.shown = step
            of = f"{step:3d} % of {self.total / 1e6:.1f} MB" if self.total else f"{self.done / 1e6:.0f} MB"
            sys.stderr.write(f"\r{self.name}: {of}")
            sys.stderr.flush()

    def __exit__(self, *exception: Any) -> None:
        sys.stderr.write("\n")


def progress_bar(total: int | None, initial: int, name: str) -> Any:
    """A context manager with ``update(bytes)``."""
    try:
        from tqdm import tqdm
    except ImportError:
        return _Line(total, initial, name)
    return tqdm(total=total, initial=initial, unit="B", unit_scale=True, unit_divisor=1024, desc=name)
