"""Functions of functions, under ``torch.func``'s names."""

from .batching import vmap
from .functional_call import functional_call
from .gradients import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from .modules import debug_unwrap, functionalize, replace_all_batch_norm_modules_, stack_module_state
from .rearranging import rearrange

__all__ = [
    "debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp",
    "linearize", "rearrange", "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap",
]  # fmt: skip
