"""What programs mean: the typed program run over event records, in plain Python.

It is the user-space half of the ftrace backend, the meaning of the language for tests, and the oracle that the other
backends are compared with.
"""

from xtrace.core.evaluate.evaluator import Evaluator
from xtrace.core.evaluate.timers import Timers

__all__ = ["Evaluator", "Timers"]
