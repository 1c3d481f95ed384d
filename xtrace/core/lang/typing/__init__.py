"""From the surface tree to the IR: names, types, constants, maps and output sites.

With a host, the resolver types clause after clause and asks for the whole at the end:

    typer = Typer(program, facts.types, Settings(config, parameters=("1234",)))
    typer.type_clause(clause, attach)                      # a clause of the user's own; raises ProgramError
    for source, attach in candidates:                      # a named event: EventSource(fields, lets, where)
        with typer.trial() as trial:
            try:
                typed = typer.type_clause(clause, attach, source)
            except ProgramError as error:
                passed_over(source, error.diagnostics)     # XT0219: an optional field where a value is needed
                continue
            if not objections(typed):
                trial.keep()
                break
    program = typer.program(scope)                         # every type settled; raises ProgramError

`typer.constant(expr, attach, source)` answers a source's `when`. Without a host, `check(program)` gives every complaint
that holds everywhere. Options are folded before either (`xtrace.core.lang.fold`).
"""

from __future__ import annotations

from xtrace.core.lang.typing import (
    byte_functions,
    call_names,
    functions,
    maps,
    memory,
    named_numbers,
    named_parameters,
    names,
    operators,
    outputs,
    sizes,
    statements,
    text_functions,
    user_addresses,
)
from xtrace.core.lang.typing.checking import check
from xtrace.core.lang.typing.host import EventSource, Settings, Types
from xtrace.core.lang.typing.typer import AttachedClause, Trial, Typer

__all__ = ["AttachedClause", "EventSource", "Settings", "Trial", "Typer", "Types", "check"]

_REGISTERED = (
    byte_functions, call_names, functions, maps, memory, named_numbers, named_parameters, names, operators, outputs,
    sizes, statements, text_functions, user_addresses,
)  # fmt: skip
"""Modules that put their typers into the registry when they are imported."""
