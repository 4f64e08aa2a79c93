"""Exception types that PyTorch adds to Python's."""


class OutOfMemoryError(RuntimeError):
    """A device ran out of memory."""


class AcceleratorError(RuntimeError):
    """An accelerator reported an error."""


class LinAlgError(RuntimeError):
    """A matrix is not what a routine of linear algebra needs: singular, not positive definite."""


LinAlgError.__name__ = LinAlgError.__qualname__ = "_LinAlgError"
LinAlgError.__module__ = "torch._C"
