"""Attach points and predicates."""

from __future__ import annotations

import pytest

from tests.unit.lang import printing
from tests.unit.lang.parsing import complaint, places, point, program
from xtrace.core.errors import ProgramError
from xtrace.core.lang.parser import parse_attach_point
from xtrace.core.lang.source import Source


@pytest.mark.parametrize(
    ("short", "kind"),
    [
        ("t:a:b", "tracepoint"),
        ("rt:a", "rawtracepoint"),
        ("k:a", "kprobe"),
        ("kr:a", "kretprobe"),
        ("u:/a:b", "uprobe"),
        ("ur:/a:b", "uretprobe"),
        ("U:/a:b", "usdt"),
        ("i:s:1", "interval"),
        ("p:hz:99", "profile"),
        ("s:faults:1", "software"),
        ("h:cycles:1", "hardware"),
        ("f:a", "fentry"),
        ("fr:a", "fexit"),
        ("kfunc:a", "fentry"),
        ("kretfunc:a", "fexit"),
        ("w:0x10:8:rw", "watchpoint"),
        ("aw:f+arg1:8:w", "asyncwatchpoint"),
        ("it:task", "iter"),
        ("BEGIN", "begin"),
        ("end", "end"),
        ("self:signal:SIGUSR1", "self"),
        ("test:a", "test"),
        ("bench:a", "bench"),
        ("inline:a", "inline"),
    ],
)
def test_every_type_has_one_name(short: str, kind: str) -> None:
    assert point(short).kind == kind


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("kprobe:vfs_read", ("vfs_read",)),
        ("kprobe:tcp_*", ("tcp_*",)),
        ("kprobe:vfs_read+0x4", ("vfs_read+0x4",)),
        ("kprobe:kvm:x86_*", ("kvm", "x86_*")),
        ('kprobe:"f.isra.0"', ("f.isra.0",)),
        ("kprobe:f.isra.0", ("f.isra.0",)),
        ("kprobe:[a-c]?_read", ("[a-c]?_read",)),
        ("tracepoint:*", ("*", "*")),
        ("tracepoint:xhci-hcd:*", ("xhci-hcd", "*")),
        ("tracepoint:sched: sched_switch", ("sched", "sched_switch")),
        ("uprobe:/bin/sh:main", ("/bin/sh", "main")),
        ("uprobe:./a.out:main+8", ("./a.out", "main+8")),
        ("uprobe:/bin/sh:0x1234", ("/bin/sh", "0x1234")),
        ('uprobe:/bin/sh:"a b(int)"', ("/bin/sh", "a b(int)")),
        ('uprobe:"/a b:c,d":main', ("/a b:c,d", "main")),
        (r"uprobe:/a\:b:main", ("/a:b", "main")),
        ("uprobe:/lib/*/libc.so*:malloc", ("/lib/*/libc.so*", "malloc")),
        ("uprobe:libc:malloc", ("libc", "malloc")),
        ("uprobe:libssl.so.3:SSL_write", ("libssl.so.3", "SSL_write")),
        ('uprobe:/a:cpp:"ns::f"', ("/a", "cpp", "ns::f")),
        ("uprobe:$1:main", ("$1", "main")),
        ("usdt:/bin/x:prov:name", ("/bin/x", "prov", "name")),
        ("usdt:/bin/x:name", ("/bin/x", "name")),
        ("usdt:/bin/x::name", ("/bin/x", "name")),
        ("usdt:*:loop", ("*", "loop")),
        ("interval:s:1", ("s", "1")),
        ("interval:ms:1e3", ("ms", "1000")),
        ("interval:us:$1", ("us", "$1")),
        ("interval:s:$every", ("s", "$every")),
        ("interval:1s", ("s", "1")),
        ("interval:1500ms", ("ms", "1500")),
        ("interval:1m", ("s", "60")),
        ("interval:1000000000", ("s", "1")),
        ("interval:1001", ("ns", "1001")),
        ("profile:hz:99", ("hz", "99")),
        ("profile:99hz", ("hz", "99")),
        ("software:faults:", ("faults",)),
        ("software:faults:100", ("faults", "100")),
        ("hardware:cache-misses:1e6", ("cache-misses", "1000000")),
        ("iter:task_file:/sys/fs/bpf/files", ("task_file", "/sys/fs/bpf/files")),
        ("name=kprobe:f", ("f",)),
    ],
)
def test_parts(text: str, parts: tuple[str, ...]) -> None:
    assert point(text).parts == parts


@pytest.mark.parametrize("name", ["file.open", "tcp.drop", "block.io.done", "proc.*"])
def test_named_events(name: str) -> None:
    found = point(name)
    assert (found.kind, found.parts) == ("event", (name,))


def test_a_prototype_stands_after_a_function() -> None:
    found = point("kprobe:tcp_drop(struct sock *sk,\n  void (*f)(int))")
    assert (found.parts, found.prototype) == (("tcp_drop",), "struct sock *sk, void (*f)(int)")


def test_spans_hold_the_whole_attach_point() -> None:
    text = "kprobe:f(int a), uprobe:/bin/sh:x /1/ { }"
    first, second = program(text).clauses[0].points
    assert (first.span.text, second.span.text) == ("kprobe:f(int a)", "uprobe:/bin/sh:x")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("k:f,k:g,{ }", "kprobe:f, kprobe:g { }"),
        ("k:f, // one\nk:g /* two */ { }", "kprobe:f, kprobe:g { }"),
        ("kprobe:f/pid==1/{ }", "kprobe:f /(pid == 1)/ { }"),
        ("BEGIN/1/{ }", "begin /1/ { }"),
        ("u:/bin/sh:x/ pid / 2 == 1 /\n{ }", "uprobe:/bin/sh:x /((pid / 2) == 1)/ { }"),
        ("k:f /a / b / // note\n { }", "kprobe:f /(a / b)/ { }"),
        ("k:f /@x[1] && (a / b)/ { }", "kprobe:f /(@x[1] && (a / b))/ { }"),
        ("file.open, tcp.drop { }", "file.open, tcp.drop { }"),
    ],
)
def test_clauses(text: str, shown: str) -> None:
    assert printing.program(program(text)) == shown


@pytest.mark.parametrize(
    ("text", "code", "underlined"),
    [
        ("kprob:vfs_read { }", "XT0109", "kprob"),
        ("kprobe:f, g { }", "XT0109", "g"),
        ("File.Open { }", "XT0109", "File.Open"),
        ("1 { }", "XT0109", "1"),
        ("kprobe:f g { }", "XT0110", "g "),
        ("kprobe { }", "XT0110", "kprobe"),
        ("kprobe:a:b:c { }", "XT0110", "kprobe:a:b:c"),
        ("kprobe::f { }", "XT0110", "kprobe::f"),
        ("tracepoint:sched_switch { }", "XT0110", "tracepoint:sched_switch"),
        ("tracepoint:a:b(int c) { }", "XT0110", "(int c)"),
        ("uprobe:/bin/sh { }", "XT0110", "uprobe:/bin/sh"),
        ("interval:m:5 { }", "XT0110", "interval:m:5"),
        ("interval:s:0 { }", "XT0110", "interval:s:0"),
        ("interval:s:x { }", "XT0110", "interval:s:x"),
        ("profile:hz:9z { }", "XT0106", "profile:hz:9z"),
        ("kr:f+4 { }", "XT0110", "kr:f+4"),
        ("ur:/bin/sh:f+0x10 { }", "XT0110", "ur:/bin/sh:f+0x10"),
        ("t*point:a:b { }", "XT0116", "t*point"),
        ("*:/bin/sh:f { }", "XT0116", "*"),
        ("BEGIN:x { }", "XT0110", "BEGIN:x"),
        ("file.open:x { }", "XT0110", "file.open"),
        ('kprobe:"f { }', "XT0102", '"f { }'),
        ("kprobe:f(int { }", "XT0107", "("),
        ("kprobe:f // { }", "XT0101", ""),
        ("kprobe:f / / { }", "XT0111", "/ "),
        ("kprobe:f /pid = 1/ { }", "XT0101", "="),
        ("kprobe:f /pid == 1 { }", "XT0101", "{"),
        ("kprobe:f /pid == 1/ exit();", "XT0101", ";"),
        ("kprobe:f", "XT0101", ""),
        ("kprobe:f;", "XT0110", ";"),
    ],
)
def test_what_is_wrong_is_underlined(text: str, code: str, underlined: str) -> None:
    found = places(text)
    assert [(code_, span.rstrip()) for code_, span in found][:1] == [(code, underlined.rstrip())]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("kprob:vfs_read { }", "did you mean kprobe or uprobe?"),
        ("kprobe:f, g { }", "such as kprobe:g"),
        ("interval:m:5 { }", "did you mean interval:5m?"),
        ("interval:5:s { }", "did you mean interval:s:5?"),
        ("open { }", "file.open"),
    ],
)
def test_hints(text: str, hint: str) -> None:
    assert any(hint in one for one in complaint(text).hints)


def test_the_body_of_a_wrong_attach_point_is_read_all_the_same() -> None:
    assert places("foo:bar /x/ { $x = ; }") == [("XT0109", "foo"), ("XT0101", ";")]


def test_an_attach_point_alone() -> None:
    found = parse_attach_point(Source("tcp.yaml", " kprobe:tcp_drop(struct sock *sk) "))
    assert (found.kind, found.parts, found.prototype) == ("kprobe", ("tcp_drop",), "struct sock *sk")
    with pytest.raises(ProgramError, match="expected one attach point only, found , kprobe:g"):
        parse_attach_point(Source("tcp.yaml", "kprobe:f, kprobe:g"))
