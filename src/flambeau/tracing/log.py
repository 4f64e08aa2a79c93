"""``FLAMBEAU_LOG``: what is said, on the standard error stream, about what happens inside.

A list, with commas between, of

- ``programs``: each new program as Python;
- ``kernels``: each compiled program as the kernels it consists of, and each kernel's code as LLVM IR under what it was made from;
- ``cache``: which recordings were known, what was compiled or came from disk, and what that took.

It is read once, when flambeau is imported.
"""

from __future__ import annotations

import os
import sys

TOPICS = ("programs", "kernels", "cache")


class Log:
    """What is wanted.

    Attributes:
        programs, kernels, cache: whether these are.
    """

    def __init__(self, chosen: str) -> None:
        names = [each.strip() for each in chosen.split(",") if each.strip()]
        unknown = [each for each in names if each not in TOPICS]
        if unknown:
            raise ValueError(f"FLAMBEAU_LOG is {chosen!r}; it should be some of {', '.join(TOPICS)}, with commas between")
        self.programs, self.kernels, self.cache = (topic in names for topic in TOPICS)

    def say(self, text: str) -> None:
        """Say it."""
        print(text, file=sys.stderr)


log = Log(os.environ.get("FLAMBEAU_LOG", ""))
