"""The version of flambeau, and the version of PyTorch whose interface it offers."""

__version__ = "0.1.0"
torch_version = "2.13.0"
