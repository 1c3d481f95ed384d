"""All diagnostic codes, each with the sentence that the documentation page gives it. Codes are never reused.

Each module owns the range that its docstring names; a code's text says what is wrong and what a reader can do.
"""

from __future__ import annotations

from xtrace.core.codes import attach
from xtrace.core.codes import bcc
from xtrace.core.codes import command_line
from xtrace.core.codes import facts
from xtrace.core.codes import ftrace
from xtrace.core.codes import planning
from xtrace.core.codes import plugins
from xtrace.core.codes import probe_files
from xtrace.core.codes import running
from xtrace.core.codes import syntax
from xtrace.core.codes import systemtap
from xtrace.core.codes import typing

_RANGES = (command_line, syntax, typing, probe_files, facts, attach, planning, bcc, ftrace, systemtap, running, plugins)

CODES: dict[str, str] = {code: text for part in _RANGES for code, text in part.CODES.items()}
