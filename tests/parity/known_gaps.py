"""What is known to differ from PyTorch, with the reason; each such test must fail, or its line be removed.

Keys are an entry's full name in PyTorch's database; the inner keys are the parts of the tests: for operators
`floating`, `complex`, `integral`, `gradients`, `names` (of the nodes, as printed), `errors`. A module or an optimizer is one test, with one reason.
"""

OPERATORS: dict[str, dict[str, str]] = {
    "conj": {"complex": "flambeau computes the conjugate; PyTorch returns a view that is conjugated when read"},
    "nn.functional.gelu": {"floating": "PyTorch leaves an out= that is not contiguous as it was"},
}

MODULES: dict[str, str] = {}

OPTIMIZERS: dict[str, str] = {
    "Adamax": "flambeau goes through two differentiable steps; PyTorch overwrites a tensor it keeps without need",
    "LBFGS": "it amplifies rounding: changing PyTorch's own start by 1e-15 moves its losses as far",
}
