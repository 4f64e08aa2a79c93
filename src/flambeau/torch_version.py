"""Versions that compare as versions do, and not as strings."""

from __future__ import annotations

import re
from typing import Any

from .version import torch_version

__all__ = ["TorchVersion"]

_VERSION = re.compile(
    r"\s*v?(?P<release>\d+(?:\.\d+)*)(?:[-_.]?(?P<pre>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<pre_number>\d*))?"
    r"(?:[-_.]?post[-_.]?(?P<post>\d*))?(?:[-_.]?dev(?P<dev>\d*))?(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*",
    re.IGNORECASE,
)
_STAGES = {"a": 1, "alpha": 1, "b": 2, "beta": 2}  # the others are release candidates: 3
_RELEASED = (4, 0)


def _key(version: Any) -> tuple[Any, ...] | None:
    """What versions are ordered by (PEP 440); None for what is none."""
    text = ".".join(map(str, version)) if isinstance(version, tuple | list) else str(version)
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    release = [int(each) for each in found["release"].split(".")]
    while release and not release[-1]:
        del release[-1]
    dev = found["dev"] is not None
    pre = (0, 0) if dev and found["post"] is None else _RELEASED
    if found["pre"]:
        pre = _STAGES.get(found["pre"].lower(), 3), int(found["pre_number"] or 0)
    post = -1 if found["post"] is None else int(found["post"] or 0)
    local = [
        (1, int(each), "") if each.isdigit() else (0, 0, each.lower())
        for each in re.split(r"[-_.]", found["local"] or "")
        if each
    ]
    return tuple(release), pre, post, (0, int(found["dev"] or 0)) if dev else (1, 0), local


class TorchVersion(str):
    """A string that compares with versions, strings and tuples of numbers as a version (PEP 440).

    Strings that are no versions are compared as strings.

    >>> from flambeau.torch_version import TorchVersion
    >>> TorchVersion("2.13.0+flambeau0.1.0") >= "2.4", TorchVersion("1.10.0a") < (1, 10), "2.13.0" >= "2.4"
    (True, True, False)
    """

    def _pair(self, other: Any) -> tuple[Any, Any]:
        ours, theirs = _key(str(self)), _key(other)
        return (str(self), str(other)) if ours is None or theirs is None else (ours, theirs)

    def __eq__(self, other: object) -> bool:
        ours, theirs = self._pair(other)
        return bool(ours == theirs)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        ours, theirs = self._pair(other)
        return bool(ours < theirs)

    def __le__(self, other: Any) -> bool:
        return self == other or self < other

    def __gt__(self, other: Any) -> bool:
        return not self <= other

    def __ge__(self, other: Any) -> bool:
        return not self < other

    __hash__ = str.__hash__


#: The version of PyTorch whose interface this is.
__version__ = TorchVersion(torch_version)
