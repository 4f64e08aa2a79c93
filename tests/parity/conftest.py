"""Parity tests run PyTorch on one thread."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """The samples are tiny, and the tests run in as many processes as there are cores."""
    import torch

    torch.set_num_threads(1)
