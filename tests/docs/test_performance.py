"""What the page on performance says is so."""

from __future__ import annotations

import re
from pathlib import Path

from flambeau.compiler import compiled
from flambeau.native import disk_cache, policy
from flambeau.tracing.log import TOPICS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "performance.md").read_text()
WORDS = {4: "four", 8: "Eight"}


def test_numbers() -> None:
    assert f"once it has run {policy.OFTEN} times, or twice and for {policy.LONG * 1e3:g} ms in all" in PAGE
    assert f"after {WORDS[policy.VARIANTS]} of these" in PAGE and f"{WORDS[policy.AT_SIGHT]} programs of the same operators" in PAGE
    assert f"about {disk_cache.CAPACITY >> 20} MB" in PAGE


def test_names() -> None:
    assert all(f"| `{topic}` |" in PAGE for topic in TOPICS) and all(f"`{mode}`" in PAGE for mode in policy.MODES)
    stances = re.findall(r'set_stance\("(\w+)"\)', PAGE)
    assert stances and set(stances) <= set(compiled._WAITING)


def test_the_captured_step_runs() -> None:
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "@torch.capture" in block]
    names: dict[str, object] = {}
    exec(code, names)
    import flambeau

    x, y = flambeau.randn(8, 30), flambeau.randn(8, 1)
    losses = [names["step"](x, y).item() for _ in range(4)]  # type: ignore[operator]
    assert losses == sorted(losses, reverse=True) and losses[0] > losses[-1]
