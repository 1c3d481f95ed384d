"""The typed program: what every backend lowers and the evaluator runs.

It is made for one host (`xtrace.core.resolve`): attach points are concrete, types and offsets are numbers, options,
positional parameters, enumerators, `sizeof` and `has()` are folded away, named events have become clauses. All
arithmetic is on 64 bits in two's complement; a node says itself whether it is signed. Spans take no part in equality,
so equal expressions are captured once.
"""

from __future__ import annotations

from xtrace.core.ir.expressions import (
    Address,
    Arg,
    Binary,
    Builtin,
    Captured,
    Compare,
    Const,
    Contains,
    Convert,
    Cut,
    Expr,
    Field,
    Load,
    Logical,
    MapHasKey,
    MapLength,
    MapValue,
    ReadBytes,
    ReadString,
    Register,
    Retval,
    Ternary,
    Text,
    TextByte,
    TextLength,
    TupleItem,
    TupleValue,
    Unary,
    Var,
)
from xtrace.core.ir.program import (
    Clause,
    Config,
    MapDecl,
    Program,
    Scope,
)
from xtrace.core.ir.sites import (
    Cat,
    Clear,
    Emit,
    Exit,
    Join,
    Printf,
    PrintMap,
    PrintValue,
    Site,
    System,
    Time,
    Zero,
)
from xtrace.core.ir.statements import (
    AddMap,
    Aggregate,
    DeleteKey,
    ForEach,
    If,
    Jump,
    Output,
    SetMap,
    SetVar,
    Stmt,
    While,
)

__all__ = [
    "AddMap", "Address", "Aggregate", "Arg", "Binary", "Builtin", "Captured", "Cat", "Clause", "Clear", "Compare",
    "Config", "Const", "Contains", "Convert", "Cut", "DeleteKey", "Emit", "Exit", "Expr", "Field", "ForEach", "If",
    "Join", "Jump", "Load", "Logical", "MapDecl", "MapHasKey", "MapLength", "MapValue", "Output", "PrintMap",
    "PrintValue", "Printf", "Program", "ReadBytes", "ReadString", "Register", "Retval", "Scope", "SetMap", "SetVar",
    "Site", "Stmt", "System", "Ternary", "Text", "TextByte", "TextLength", "Time", "TupleItem", "TupleValue",
    "Unary", "Var", "While", "Zero",
]  # fmt: skip
