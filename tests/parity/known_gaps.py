"""What is known to differ from PyTorch, with the reason; each such test must fail, or its line be removed.

Keys are an entry's full name in PyTorch's database; the inner keys are the parts of the tests: for operators
`floating`, `complex`, `integral`, `gradients`, `names` (of the nodes, as printed), `errors`. A module or an optimizer is
one test, with one reason. `python -m tests.parity.report --gaps` prints the table anew.
"""

OPERATORS: dict[str, dict[str, str]] = {
    "H": {
        "complex": "flambeau computes the conjugate; PyTorch returns a view that is conjugated when read",
    },
    "__radd__": {
        "errors": "called unbound, the method takes a number for self",
    },
    "__rand__": {
        "errors": "called unbound, the method takes a number for self",
    },
    "__rmul__": {
        "errors": "called unbound, the method takes a number for self",
    },
    "__ror__": {
        "errors": "called unbound, the method takes a number for self",
    },
    "__rxor__": {
        "errors": "called unbound, the method takes a number for self",
    },
    "as_strided_copy": {
        "names": "it is the view and its clone; PyTorch has one node",
    },
    "as_strided_scatter": {
        "gradients": "PyTorch passes the gradient of elements that were overwritten on to the input",
    },
    "chalf": {
        "complex": "there is no complex32; chalf() gives complex64",
        "floating": "there is no complex32; chalf() gives complex64",
        "gradients": "there is no complex32; chalf() gives complex64",
    },
    "conj": {
        "complex": "flambeau computes the conjugate; PyTorch returns a view that is conjugated when read",
    },
    "cumulative_trapezoid": {
        "names": "PyTorch's C++ divides by a number with another overload",
    },
    "dist": {
        "names": "prints LinalgVectorNormBackward0, PyTorch DistBackward0",
    },
    "einsum": {
        "names": "prints ViewBackward0, PyTorch MulBackward0",
    },
    "gather": {
        "errors": "flambeau computes before it writes: out= may overlap the input",
    },
    "hash_tensor": {
        "floating": "a reduction over no dimensions of a tensor without dimensions",
        "integral": "a reduction over no dimensions of a tensor without dimensions",
    },
    "histogramdd": {
        "floating": "flambeau's edges are contiguous; PyTorch keeps the strides of the edges it was given",
    },
    "kthvalue": {
        "errors": "flambeau computes before it writes: the two out= tensors' overlap is no problem while reading",
    },
    "linalg.cond": {
        "names": "prints DivBackward0, PyTorch SqueezeBackward1",
    },
    "linalg.householder_product": {
        "gradients": "an empty product does not require grad",
    },
    "linalg.lu": {
        "floating": "PyTorch lets the out= of the permutation require grad",
    },
    "linalg.lu_solve": {
        "names": "prints TransposeBackward0, PyTorch LinalgLuSolveBackward0",
    },
    "linalg.matrix_norm": {
        "names": "prints UnsqueezeBackward0, PyTorch PermuteBackward0",
    },
    "linalg.matrix_power": {
        "names": "prints CloneBackward0, PyTorch LinalgInvExBackward0",
    },
    "linalg.norm": {
        "complex": "the norm of order infinity of matrices without elements",
        "floating": "the norm of order infinity of matrices without elements",
        "names": "prints SqueezeBackward2, PyTorch AmaxBackward0",
    },
    "linalg.norm.subgradients_at_zero": {
        "complex": "the norm of order infinity of matrices without elements",
        "floating": "the norm of order infinity of matrices without elements",
        "gradients": "the second derivative of the 2-norm at zero is NaN; PyTorch says zero",
        "names": "prints SqueezeBackward2, PyTorch AmaxBackward0",
    },
    "linalg.tensorinv": {
        "names": "prints ViewBackward0, PyTorch ReshapeAliasBackward0",
    },
    "lu": {
        "floating": "PyTorch refuses to resize an out= that requires grad",
    },
    "lu_unpack": {
        "floating": "PyTorch lets the out= of the permutation require grad",
    },
    "mH": {
        "complex": "flambeau computes the conjugate; PyTorch returns a view that is conjugated when read",
    },
    "nanquantile": {
        "names": "PyTorch squeezes in place",
    },
    "narrow_copy": {
        "errors": "PyTorch raises an internal assertion; flambeau the IndexError of narrow()",
    },
    "nn.functional.linear": {
        "names": "prints UnsafeViewBackward0, PyTorch SqueezeBackward4",
    },
    "nn.functional.linear_cross_entropy.chunked": {
        "gradients": "flambeau differentiates it twice; PyTorch's chunked operator only once",
        "names": "chunks are a hint here: the nodes are those of the cross entropy itself",
    },
    "nn.functional.linear_cross_entropy.chunked_none": {
        "names": "chunks are a hint here: the nodes are those of the cross entropy itself",
    },
    "quantile": {
        "names": "PyTorch squeezes in place",
    },
    "stft": {
        "names": "PyTorch's C++ transposes by another overload",
    },
    "trapezoid": {
        "names": "PyTorch's C++ divides by a number with another overload",
    },
    "trapz": {
        "names": "PyTorch's C++ divides by a number with another overload",
    },
    "unravel_index": {
        "integral": "PyTorch's result is a view of a wider buffer",
    },
    "unsafe_chunk": {
        "names": "prints SplitBackward0, PyTorch UnsafeSplitBackward0",
    },
    "unsafe_split": {
        "names": "prints SplitBackward0, PyTorch UnsafeSplitBackward0",
    },
}

MODULES: dict[str, str] = {}

OPTIMIZERS: dict[str, str] = {
    "Adamax": "flambeau goes through two differentiable steps; PyTorch overwrites a tensor it keeps without need",
    "LBFGS": "it amplifies rounding: changing PyTorch's own start by 1e-15 moves its losses as far",
}
