"""PyTorch's operators: each declared once, its meaning in primitives beside its derivative. One file a family.

Importing this package declares them all; ``declaration.functions`` and ``declaration.methods`` then hold them by name.
"""
