"""What is known to differ from PyTorch, with the reason; each such test must fail, or its line be removed.

Keys are an entry's full name in PyTorch's database; the inner keys are the parts of the tests: for operators
`floating`, `complex`, `integral`, `gradients`, `names` (of the nodes, as printed), `errors`. A module or an optimizer is
one test, with one reason. `python -m tests.parity.report --gaps` prints the table anew.
"""

OPERATORS: dict[str, dict[str, str]] = {
    "as_strided_copy": {"names": "it is the view and its clone; PyTorch has one node"},
    "as_strided_scatter": {
        "gradients": "PyTorch passes the gradient of elements that were overwritten on to the input"
    },
    "cumulative_trapezoid": {"names": "PyTorch's C++ divides by a number with another overload"},
    "gather": {"errors": "flambeau computes before it writes: out= may overlap the input"},
    "kthvalue": {
        "errors": "flambeau computes before it writes: the two out= tensors' overlap is no problem while reading"
    },
    "nanquantile": {"names": "PyTorch squeezes in place"},
    "narrow_copy": {
        "floating": "PyTorch writes an out= that is not contiguous as if it were",
        "complex": "PyTorch writes an out= that is not contiguous as if it were",
        "integral": "PyTorch writes an out= that is not contiguous as if it were",
        "errors": "PyTorch raises an internal assertion; flambeau the IndexError of narrow()",
    },
    "quantile": {"names": "PyTorch squeezes in place"},
    "trapezoid": {"names": "PyTorch's C++ divides by a number with another overload"},
    "trapz": {"names": "PyTorch's C++ divides by a number with another overload"},
    "conj": {"complex": "flambeau computes the conjugate; PyTorch returns a view that is conjugated when read"},
    "nn.functional.linear_cross_entropy.chunked": {
        "gradients": "flambeau differentiates it twice; PyTorch's chunked operator only once",
        "names": "chunks are a hint here: the nodes are those of the cross entropy itself",
    },
    "nn.functional.linear_cross_entropy.chunked_none": {
        "names": "chunks are a hint here: the nodes are those of the cross entropy itself",
    },
    "nn.functional.gelu": {"floating": "PyTorch leaves an out= that is not contiguous as it was"},
}

MODULES: dict[str, str] = {}

OPTIMIZERS: dict[str, str] = {
    "Adamax": "flambeau goes through two differentiable steps; PyTorch overwrites a tensor it keeps without need",
    "LBFGS": "it amplifies rounding: changing PyTorch's own start by 1e-15 moves its losses as far",
}
