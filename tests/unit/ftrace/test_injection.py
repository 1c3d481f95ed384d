"""Whatever names, paths and strings a program holds: each step stays one command, or the program is refused."""

from __future__ import annotations

import re
from typing import Optional

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ftrace.hosts import MODERN, RHEL7, emitting, features
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import Action, FtraceModel, Name, OpenFile, Part, Step, Text
from xtrace.backends.ftrace.objections import program_objections
from xtrace.core import ir
from xtrace.core.attach import Attach, Kprobe, Tracepoint, Uprobe, Usdt, UsdtArgument, UsdtSite
from xtrace.core.quoting import QuotingError
from xtrace.core.types import Int, Member, Space, String

NASTY = (
    *(
        "a\nb",
        "a b",
        "#",
        "x\n-:victim/x",
        "../../x",
        "a/b",
        "'",
        '"',
        "`id`",
        "$(id)",
        ";",
        "",
        "\r",
        "\t",
        "-:x",
        "a:b",
    ),
    *("é", "\x7f", "p:g/e vfs_read", "\udcff", "\0", "1>/x", "a" * 64, "%di", "+0(%si)", "@1", "\u2028"),
)
PLAIN = st.sampled_from(("vfs_read", "sched", "tcp_v4_rcv.isra.0", "xhci-hcd", "/bin/a b", "-4@%edi"))
WILD = st.text(max_size=12) | st.sampled_from(NASTY) | PLAIN
OPERANDS = WILD | st.sampled_from(("%edi", "8(%rsi)", "$5", "-8(%rbp)"))
COMM, PID = ir.Builtin("comm", String(16)), ir.Builtin("pid", Int(4, False))


@st.composite
def attaches(draw: st.DrawFn) -> tuple[Attach, Optional[ir.Expr]]:
    """An attach point with wild words, and something to record there."""

    def word() -> str:
        return draw(WILD)

    kind = draw(st.integers(0, 4))
    if kind == 0:
        member = Member(word(), Int(8, True), 8, 8)
        return Tracepoint(word(), word(), word(), (member,)), ir.Field(member, member.type)
    if kind == 1:
        name = f"{draw(st.sampled_from(('kprobe', 'fentry', '')))}:{word()}"
        return Kprobe(name, word(), word(), draw(st.booleans()), draw(st.integers(0, 99)), word()), None
    if kind == 2:
        return Uprobe(word(), word(), word(), draw(st.integers(0, 1 << 40))), ir.ReadString(ir.Arg(0), Space.USER)
    if kind == 3:
        return Uprobe(word(), word(), word(), 16, returns=True), ir.Register(word(), Int(8, False))
    site = UsdtSite(draw(st.integers(0, 1 << 40)), draw(st.integers(0, 99)), (UsdtArgument(4, True, draw(OPERANDS)),))
    return Usdt(word(), word(), word(), word(), (site,)), ir.Arg(0)


@st.composite
def programs(draw: st.DrawFn) -> ir.Program:
    clauses = []
    for _ in range(draw(st.integers(1, 3))):
        attach, value = draw(attaches())
        test = ir.Compare(draw(st.sampled_from(("==", "!="))), COMM, ir.Text(draw(WILD)))
        values = (PID,) if value is None else (PID, value)
        clauses.append(ir.Clause((attach,), test, (ir.Output(0, values),)))
    return emitting(*clauses)


@settings(max_examples=300)
@given(programs(), st.sampled_from((MODERN, RHEL7)))
def test_every_step_is_one_command(program: ir.Program, facts: dict[str, object]) -> None:
    host = features(facts)
    if program_objections(program, host):
        return
    try:
        model = lower(program, host)
    except QuotingError:
        return
    for step in model.steps:
        _is_one_command(step, model)


def _is_one_command(step: Step, model: FtraceModel) -> None:
    path, data, undo = (_text(parts) for parts in (step.path, step.data, step.undo))
    assert re.fullmatch(r"[\w/.-]+", path, re.ASCII) and ".." not in path, path
    assert not any(char in data.rstrip("\n") for char in "\n\0"), data
    if step.action is Action.DEFINE:
        assert re.fullmatch(r"(?:p|r\d*|e|f):SESSION/\w+ [^\s#]+(?: a\d+=[^\s#]+)*\n", data, re.ASCII), data
        assert re.fullmatch(r"-:SESSION/\w+\n", undo, re.ASCII), undo
        assert len(data) < 4000
        assert all(file.path not in data for file in model.files if len(file.path) > 8)


def _text(parts: Text) -> str:
    return "".join(map(_word, parts))


def _word(part: Part) -> str:
    if isinstance(part, OpenFile):
        return "/proc/1/fd/3"
    return "SESSION" if part is Name.SESSION else "1" if isinstance(part, Name) else part
