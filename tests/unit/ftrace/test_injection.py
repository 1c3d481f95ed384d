"""Whatever names, paths and strings a program holds: each step stays one command, or the program is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Optional

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.unit.ftrace.hosts import MODERN, RHEL7, RHEL8, emitting, features, tracepoint
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import Action, FtraceModel, Name, OpenFile, Part, Step, Text
from xtrace.backends.ftrace.objections import program_objections
from xtrace.backends.ftrace.script import script
from xtrace.core import ir
from xtrace.core.attach import Attach, Kprobe, Tracepoint, Uprobe, Usdt, UsdtArgument, UsdtSite
from xtrace.core.errors import BackendError
from xtrace.core.plan.model import Plan
from xtrace.core.quoting import QuotingError
from xtrace.core.types import Count, Hist, Int, Member, Space, String

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
COMM, PID, TID = (ir.Builtin(name, kind) for name, kind in
                  (("comm", String(16)), ("pid", Int(4, False)), ("tid", Int(4, False))))  # fmt: skip
KERNEL = ir.Config(aggregate="kernel")
TIMES = {"tracefs.hist_variables": True, "tracefs.synthetic": True, "tracefs.eprobes": False}
DEFINITION = re.compile(
    r"(?:p|r\d*|e|f):SESSION/\w+ [^\s#]+(?: a\d+=[^\s#]+)*\n|SESSION__\d+ u64 \w+(?:; [\w ]+ f\d+)*\n", re.ASCII
)
HIST = re.compile(
    r"(?:stacktrace|hist:keys=[\w.,]+(?::[\w$=,.-]+|:onmatch\([\w.]+\)\.\w+\([\w$,]+\))*)(?: if [^\x00-\x1f]+)?"
)
COUNTED = ir.MapDecl("m", (String(16), Int(4, False)), Count())
START = ir.MapDecl("start", (Int(4, False),), Int(8, False))
NOW, STARTED = ir.Builtin("nsecs", Int(8, False)), ir.MapValue("start", (TID,), Int(8, False))


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
    """Clauses that show values, and clauses that only count, which hist triggers may do."""
    clauses = []
    for _ in range(draw(st.integers(1, 3))):
        attach, value = draw(attaches())
        test = ir.Compare(draw(st.sampled_from(("==", "!="))), COMM, ir.Text(draw(WILD)))
        values = (PID,) if value is None else (PID, value)
        count = ir.Aggregate("m", (ir.Text(draw(WILD)), TID), None)
        clauses.append(ir.Clause((attach,), test, (count,) if draw(st.booleans()) else (ir.Output(0, values),)))
    program = emitting(*clauses, maps=(COUNTED,))
    return ir.Program(clauses=program.clauses, maps=program.maps, sites=program.sites, config=KERNEL)


@st.composite
def timed(draw: st.DrawFn) -> ir.Program:
    """Times between two events, which become variables and a synthetic event."""
    start, end = tracepoint("syscalls:sys_enter_openat"), tracepoint("raw_syscalls:sys_enter")
    test = ir.Compare(draw(st.sampled_from(("==", "!="))), COMM, ir.Text(draw(WILD)))
    time = ir.Binary("-", NOW, STARTED, False, Int(8, False))
    body = (ir.Aggregate("t", (), time), ir.DeleteKey("start", (TID,)))
    clauses = (
        ir.Clause((start,), test, (ir.SetMap("start", (TID,), NOW),)),
        ir.Clause((end,), ir.Logical("&&", STARTED, test), body),
    )
    return ir.Program(clauses, (START, ir.MapDecl("t", (), Hist())), (), config=KERNEL)


def lowered(program: ir.Program, facts: dict[str, object]) -> Optional[FtraceModel]:
    """None for a program that is refused."""
    host = features(facts)
    if program_objections(program, host):
        return None
    try:
        return lower(program, host)
    except QuotingError:
        return None


@settings(max_examples=400)
@given(st.one_of(programs(), timed()), st.sampled_from((MODERN, {**MODERN, **TIMES}, RHEL8, RHEL7)))
def test_every_step_is_one_command(program: ir.Program, facts: dict[str, object]) -> None:
    model = lowered(program, facts)
    if model is not None:
        for step in model.steps:
            _is_one_command(step, model)


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(programs(), st.sampled_from((MODERN, RHEL8, RHEL7)))
def test_a_shell_reads_the_words_that_were_meant(program: ir.Program, facts: dict[str, object]) -> None:
    model = lowered(program, facts)
    assume(model is not None)
    assert model is not None
    try:
        text = script(Plan("ftrace", program, detail=model))
    except (BackendError, QuotingError):
        return
    steps = text[text.index("\nmake ") : text.rindex("\n# Reading must not")]
    verbs = "".join(f'{verb}() {{ printf \'%s\\0\' "$2" "$3"; }}\n' for verb in ("make", "put", "add", "try", "limit"))
    lines = f"name=SESSION threads=1 buffer=1\n{verbs}{steps}".encode("utf-8", "surrogateescape")
    done = subprocess.run(["sh"], input=lines, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    said = re.sub(rb"/proc/\d+/fd/\d", b"/proc/1/fd/3", done.stdout).decode("utf-8", "surrogateescape").split("\0")[:-1]
    meant = [(_text(one.path), _text(one.data).rstrip("\n")) for one in model.steps if not one.tells_who]
    assert {pair for pair in zip(said[::2], said[1::2]) if not pair[0].endswith("/set_event_pid")} == set(meant)


def _is_one_command(step: Step, model: FtraceModel) -> None:
    path, data, undo = (_text(parts) for parts in (step.path, step.data, step.undo))
    assert re.fullmatch(r"[\w/.-]+", path, re.ASCII) and ".." not in path, path
    assert not any(char in data.rstrip("\n") for char in "\n\0"), data
    if step.action is Action.DEFINE:
        assert DEFINITION.fullmatch(data), data
        assert re.fullmatch(r"-:SESSION/\w+\n|!SESSION__\d+\n", undo, re.ASCII), undo
        assert len(data) < 4000
        assert path != "uprobe_events" or all(f.path not in data for f in model.files if len(f.path) > 8)
    if step.action is Action.ADD:
        assert HIST.fullmatch(data), data


def _text(parts: Text) -> str:
    return "".join(map(_word, parts))


def _word(part: Part) -> str:
    if isinstance(part, OpenFile):
        return "/proc/1/fd/3"
    return "SESSION" if part is Name.SESSION else "1" if isinstance(part, Name) else part
