"""The program's `config = { … }` block."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Union

from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span

_STACK_MODES = ("bpftrace", "perf", "raw")
_WORDS = {"missing_probes": ("error", "warn", "ignore"), "aggregate": ("auto", "kernel", "user")}
_LEAST = {"max_map_keys": 1, "max_strlen": 2, "buffer_kb": 4}
_MOST_STRING = 4096
"""A page: what one record of any engine surely holds."""

_OF_BPFTRACE = frozenset(
    (
        "cache_user_symbols",
        "cpp_demangle",
        "lazy_symbolication",
        "license",
        "log_size",
        "max_ast_nodes",
        "max_bpf_progs",
        "max_cat_bytes",
        "max_probes",
        "max_type_res_iterations",
        "no_cpp_demangle",
        "on_stack_limit",
        "perf_rb_pages",
        "print_maps",
        "show_debug_info",
        "str_trunc_trailer",
        "symbol_source",
        "unstable_addr",
        "unstable_import",
        "unstable_macro",
        "unstable_map_decl",
        "unstable_tseries",
        "use_blazesym",
        "user_symbol_cache_type",
    )
)
"""Settings of bpftrace's own machinery (its documentation, "Config Variables"); accepted, without effect here."""

_PREFIX = "bpftrace_"
"""The variables of bpftrace's environment may also stand in the block."""

_Value = Union[int, str]


def configured(program: ast.Program, base: ir.Config) -> tuple[ir.Config, str, tuple[Diagnostic, ...]]:
    """The configuration, the stack mode and complaints. What `base` sets other than the default wins over the block."""
    complaints: list[Diagnostic] = []
    stack_mode = _STACK_MODES[0]
    config = base
    for name, value in program.config:
        name = name[len(_PREFIX) :] if name.startswith(_PREFIX) else name
        if name == "stack_mode":
            if value in _STACK_MODES:
                stack_mode = str(value)
            else:
                complaints.append(_complaint(program, name, f"stack_mode is one of {', '.join(_STACK_MODES)}"))
            continue
        config = _set(program, config, base, name, value, complaints)
    return config, stack_mode, tuple(complaints)


def _set(
    program: ast.Program, config: ir.Config, base: ir.Config, name: str, value: _Value, complaints: list[Diagnostic]
) -> ir.Config:
    if name not in ir.Config.__dataclass_fields__:
        complaints.append(_unknown(program, name))
        return config
    problem = _problem(name, value)
    if problem:
        complaints.append(_complaint(program, name, problem))
        return config
    if getattr(base, name) != getattr(ir.Config(), name):
        return config
    given = _truth(value) if name == "print_maps_on_exit" else value
    return replace(config, **{name: given})  # type: ignore[arg-type]


def _truth(value: _Value) -> Optional[bool]:
    return {"1": True, "true": True, "0": False, "false": False}.get(str(value).lower())


def _problem(name: str, value: _Value) -> str:
    if name == "print_maps_on_exit":
        return "" if _truth(value) is not None else f"{name} is true or false"
    if name in _WORDS:
        return "" if value in _WORDS[name] else f"{name} is one of {', '.join(_WORDS[name])}"
    if not isinstance(value, int) or value < _LEAST[name]:
        return f"{name} is a number of at least {_LEAST[name]}"
    return f"max_strlen is at most {_MOST_STRING}" if name == "max_strlen" and value > _MOST_STRING else ""


def _unknown(program: ast.Program, name: str) -> Diagnostic:
    if name in _OF_BPFTRACE:
        complaint = _complaint(program, name, f"{name} tunes bpftrace's own machinery and has no effect here")
        return replace(complaint, severity="warning")
    from difflib import get_close_matches

    near = get_close_matches(name, (*ir.Config.__dataclass_fields__, "stack_mode"))
    hints = (f"did you mean {', '.join(near)}?",) if near else ()
    return replace(_complaint(program, name, f"there is no setting {name}"), hints=hints)


def _complaint(program: ast.Program, name: str, message: str) -> Diagnostic:
    start = max(program.source.text.lower().find(name), 0)
    return Diagnostic("XT0227", message, Span(program.source, start, start + len(name)))
