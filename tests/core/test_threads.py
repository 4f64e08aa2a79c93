import subprocess
import sys

import pytest

from flambeau.core import threads


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    monkeypatch.setattr(threads._Chosen, "within", None)
    monkeypatch.setattr(threads._Chosen, "between", None)


def test_as_many_as_processors_until_told_otherwise():
    first = threads.get_num_threads()
    assert first == threads.get_num_interop_threads() >= 1
    threads.set_num_threads(first + 1)
    assert threads.get_num_threads() == first + 1
    threads.set_num_interop_threads(3)
    assert threads.get_num_interop_threads() == 3
    with pytest.raises(RuntimeError, match="called before"):
        threads.set_num_interop_threads(3)


@pytest.mark.parametrize(
    "count, message", [(0, "positive"), (-1, "positive"), ("a", "str"), (1.5, "float"), (True, "bool")]
)
def test_only_positive_integers(count, message):
    for choose in (threads.set_num_threads, threads.set_num_interop_threads):
        with pytest.raises(RuntimeError, match=message):
            choose(count)
    assert threads._Chosen.within is threads._Chosen.between is None


def test_they_are_in_the_namespace():
    program = "import flambeau; flambeau.set_num_threads(3); print(flambeau.get_num_threads())"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "3\n"
