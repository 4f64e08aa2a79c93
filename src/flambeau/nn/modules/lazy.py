"""PyTorch's path to what is in ``nn/lazy.py``; imports and pickles name it."""

from ..lazy import LazyModuleMixin as LazyModuleMixin
