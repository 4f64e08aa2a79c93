"""Functions of functions, under ``torch.func``'s names."""

from .functional_call import functional_call as functional_call

__all__ = ["functional_call"]
