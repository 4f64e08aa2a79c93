"""``FileCheck``: what must stand in a text, in which order; after LLVM's tool of that name."""

from __future__ import annotations

from typing import Any


class FileCheck:
    """A chain of conditions on a text, checked by :meth:`run`.

    >>> import flambeau as torch
    >>> torch.testing.FileCheck().check("one").check_not("three").check("two").run("one two")
    """

    def __init__(self) -> None:
        self._steps: list[tuple[str, str, Any]] = []

    def _add(self, kind: str, text: str, extra: Any = None) -> FileCheck:
        self._steps.append((kind, text, extra))
        return self

    def check(self, text: str) -> FileCheck:
        """``text`` stands somewhere after the previous match."""
        return self._add("check", text)

    def check_not(self, text: str) -> FileCheck:
        """``text`` does not stand between the previous match and the next."""
        return self._add("not", text)

    def check_same(self, text: str) -> FileCheck:
        """``text`` stands after the previous match, on its line."""
        return self._add("same", text)

    def check_next(self, text: str) -> FileCheck:
        """``text`` stands on the line after the previous match."""
        return self._add("next", text)

    def check_count(self, text: str, count: int, exactly: bool = False) -> FileCheck:
        """``text`` stands ``count`` times (or more, unless ``exactly``) after the previous match."""
        return self._add("count", text, (count, exactly))

    def check_dag(self, text: str) -> FileCheck:
        """``text`` stands after the previous match, in any order with its neighbours of this kind."""
        return self._add("dag", text)

    def check_source_highlighted(self, text: str) -> FileCheck:
        """``text`` stands after the previous match, underlined with ``~`` on the next line."""
        return self._add("highlighted", text)

    def run(self, text: str) -> None:
        """Check all conditions.

        Raises:
            RuntimeError: one of them does not hold.
        """
        end, forbidden, unordered_from, furthest = 0, [], None, 0
        for kind, wanted, extra in self._steps:
            if kind == "not":
                forbidden.append(wanted)
                continue
            if kind == "dag":
                unordered_from = end if unordered_from is None else unordered_from
                place = self._find(text, wanted, unordered_from)
                furthest = max(furthest, place + len(wanted))
                self._exclude(text, forbidden, unordered_from, place)
                end = furthest
                continue
            unordered_from = None
            start = end
            if kind == "count":
                count, exactly = extra
                for _ in range(count):
                    place = self._find(text, wanted, end)
                    end = place + len(wanted)
                if exactly and text.find(wanted, end) >= 0:
                    self._fail(f"Expected to find {wanted!r} exactly {count} times", text, end)
                self._exclude(text, forbidden, start, place if count else end)
                continue
            place = self._find(text, wanted, end)
            between = text.count("\n", end, place)
            if (kind == "same" and between != 0) or (kind == "next" and between != 1):
                self._fail(f"Expected to find {wanted!r} on the {'same' if kind == 'same' else 'next'} line", text, end)
            self._exclude(text, forbidden, start, place)
            end = place + len(wanted)
            if kind == "highlighted":
                column = place - (text.rfind("\n", 0, place) + 1)
                line_end = text.find("\n", place)
                if line_end < 0 or text[line_end + 1 + column :][: len(wanted)] != "~" * len(wanted):
                    self._fail(f"Expected {wanted!r} to be highlighted", text, place)
        self._exclude(text, forbidden, end, len(text))

    def _find(self, text: str, wanted: str, start: int) -> int:
        place = text.find(wanted, start)
        if place < 0:
            self._fail(f"Expected to find {wanted!r} but did not find it", text, start)
        return place

    def _exclude(self, text: str, forbidden: list[str], start: int, stop: int) -> None:
        for each in forbidden:
            if text.find(each, start, stop) >= 0:
                self._fail(f"Expected to not find {each!r} but found it", text, start)
        forbidden.clear()

    def _fail(self, message: str, text: str, start: int) -> None:
        raise RuntimeError(f"{message}\nSearched string:\n{text[start:]}")
