"""``python -m torch.utils.collect_env``: what a report of a problem should say; ``flambeau doctor`` says more."""

from __future__ import annotations

__all__ = ["get_pretty_env_info", "main"]


def get_pretty_env_info() -> str:
    """Versions, libraries, threads and devices.

    >>> from flambeau.utils.collect_env import get_pretty_env_info
    >>> "Is CUDA available: False" in get_pretty_env_info()
    True
    """
    from .. import __config__, cuda

    return f"{__config__.show()}\n{__config__.parallel_info()}\nIs CUDA available: {cuda.is_available()}"


def main() -> None:
    """Print them."""
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()
