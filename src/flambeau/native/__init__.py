"""The native tier: programs that recur, compiled as a whole to machine code.

The way of a program: ``graph.py`` finds where every value lies, ``fusion.py`` groups its lines into kernels, ``memory_plan.py``
places what is left in one arena, each kernel writes itself as LLVM IR with the ``Builder`` of ``builder.py``, ``machine.py``
makes code of it (kept on disk by ``disk_cache.py``), and ``runtime.py`` runs the steps on a pool of threads.
"""
