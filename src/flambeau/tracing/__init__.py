"""Recording calls, turning recordings into programs, running and caching them.

``recorder`` appends to the trace and ends it at a sync point; ``rules`` says what one recorded call does;
``program`` is a whole recording lowered to primitives; ``reference`` runs one with NumPy; ``cache`` keeps them.
"""

from .recorder import synchronize

__all__ = ["synchronize"]
