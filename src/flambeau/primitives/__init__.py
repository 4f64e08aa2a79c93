"""The closed set of operations a backend must know, each with a shape rule and a reference meaning in NumPy.

Importing this package declares them all. The reference meanings are the specification: what a NumPy function here
returns is what every tier must compute.
"""
