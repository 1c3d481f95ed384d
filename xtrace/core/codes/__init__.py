"""All diagnostic codes, each with the sentence that the documentation page gives it. Codes are never reused.

Each module owns the range that its docstring names; a code's text says what is wrong and what a reader can do.
"""

from __future__ import annotations

from xtrace.core.codes import (
    attach,
    bcc,
    command_line,
    facts,
    ftrace,
    planning,
    plugins,
    probe_files,
    running,
    syntax,
    systemtap,
    typing,
)

_RANGES = (command_line, syntax, typing, probe_files, facts, attach, planning, bcc, ftrace, systemtap, running, plugins)

CODES: dict[str, str] = {code: text for part in _RANGES for code, text in part.CODES.items()}
