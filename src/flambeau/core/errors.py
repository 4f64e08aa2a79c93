"""Exception types that PyTorch adds to Python's."""


class OutOfMemoryError(RuntimeError):
    """A device ran out of memory."""


class AcceleratorError(RuntimeError):
    """An accelerator reported an error."""
