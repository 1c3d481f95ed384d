"""BCC on this kernel and the evaluator agree on programs that need no event: same messages, same maps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import random_programs, random_shapes
from tests.live.bcc_session import needs_bcc
from xtrace.backends.bcc.backend import BccBackend
from xtrace.core.evaluate.evaluator import Evaluator
from xtrace.core.facts.live import LiveHost
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.messages import Attached, Hit, MapDump, Message
from xtrace.core.plan.model import Plan, Request

pytestmark = [pytest.mark.live, needs_bcc]

PROGRAMS = {
    "arithmetic": '$x = 5; $y = $x * -3; printf("%d %d %d %d\\n", $y, $y / 2, $y % 4, $y >> 1);',
    "by zero": '$z = 0; printf("%d %d\\n", 7 / $z, 7 % $z);',
    "unsigned": '$a = 0xffffffffffffffff; $b = $a / 3; printf("%u %d %d %d\\n", $b, $a > 1, -1 > 1, 1 << 65);',
    "casts": '$x = (int8)300; $y = (uint8)300; $z = (int16)-70000; printf("%d %d %d\\n", $x, $y, $z);',
    "choices": 'printf("%d %d %d\\n", pid ? 2 : 3, !pid || 5, 7 && !pid); $s = pid ? "yes" : "no"; print($s);',
    "strings": '$x = "a"; $x = "bcdef"; @a = "abc"; print($x); print((@a == "abc", strncmp(@a, "abd", 2)));',
    "search": '@a = "needle in hay"; print((strcontains(@a, "in ha"), strcontains(@a, "needles")));',
    "keys": '@m["k", 1] = 2; @m["l", 2] = 3; delete(@m["k", 1]); print(@m["k", 1]); print(@m["l", 2]);',
    "presence": '@["a", 1, 2] = 7; print((has_key(@, ("a", 1, 2)), has_key(@, ("a", 1, 3))));',
    "counters": "@ = 1; @++; ++@; @ += 5; @ -= 2; print(@); print(@++); print(--@);",
    "aggregations": "@c = count(); @s = sum(5); @s = sum(-7); @i = min(3); @i = min(-2); @x = max(9); @x = max(1);",
    "averages": "@a = avg(-3); @a = avg(-8); @s = stats(3); @s = stats(8); print(@a);",
    "reading averages": '@a["x"] = avg(-3); @a["x"] = avg(-8); $m = @a["x"]; print(($m, @a["y"]));',
    "deleting histograms": '@h["a"] = hist(7); @h["a"] = hist(900); @h["b"] = hist(9); delete(@h["a"]); '
    'delete(@h["c"]); '
    "@l[1] = lhist(5, 0, 10, 2); @l[2] = lhist(6, 0, 10, 2); print((has_key(@l, 1), has_key(@l, 3))); delete(@l[1]);",
    "lengths": '@a = "abcdefg"; $s = @a; print((strlen(@a), strlen($s), $s[1], $s[30], strlen("ab")));',
    "deletions tell": "@m[1] = 2; if (delete(@m, 1)) { print(1); } if (delete(@m, 1)) { print(2); }",
    "named numbers": '$e = pid * 0 + 2; printf("%s %s %d\\n", strerror($e), signal_name(9), strerror($e));',
    "reading sums": '@s["x"] = sum(3); @s["x"] = sum(4); if (@s["x"] > 5) { print(@s["x"]); }',
    "histograms": '@h = hist(0); @h = hist(-5); @h = hist(100); @h = hist(100); @k["a"] = hist(7); @k["b"] = hist(9);',
    "finer histograms": "@h = hist(1000, 2); @h = hist(1300, 2); @h = hist(3, 2);",
    "linear histograms": "@l = lhist(5, 0, 10, 2); @l = lhist(-1, 0, 10, 2); @l = lhist(10, 0, 10, 2);",
    "tuples": '$t = (1, "two", (3, 4)); print($t.2.1); @t[$t] = 1; @v = $t; print($t); print(@v.1);',
    "loops": "$i = 0; while ($i < 10) { $i++; if ($i == 3) { continue; } if ($i > 7) { break; } @x[$i] = $i * $i; }",
    "reads in loops": '@m[1] = 5; @t[1] = "in hay"; $i = 0; while ($i < 3) { $i++; print(@m[$i]); $t = @t[$i]; '
    'print(strcontains($t, "hay")); }',
    "ranges": "for ($i : 0..5) { print($i); } unroll (3) { @n++; }",
    "addresses": "print(ntop(0x0100007f)); print(ntop(2, 0x0100007f));",
    "formats": 'printf("%c %x %p %5d|%-5s|\\n", 65, 255, 4096, 42, "ab"); emit(a = 1, b = "two");',
    "long strings": '@m["' + "x" * 62 + '"] = 1; print("' + "y" * 63 + '");',
    "exit": "print(1); exit(3); print(2);",
}


FED = (
    '@n["b"] = count(); @n["a"] = count(); @n["a"] = count(); @k[2, "x"] = sum(-7); @k[-1, "y"] = sum(5); '
    "@lo = min(-4); @lo = min(9); @hi[1] = max((uint64)-3); @hi[2] = max((uint64)5); @v[1] = avg(-7); @v[1] = avg(2); "
    '@h["p"] = hist(5); @h["p"] = hist(700); @h["q"] = hist(1); @t[1] = (3, "text"); @s["k"] = "value"; @e[5] = 6;'
)
"""What begin, which BPF runs, puts into maps of every kind."""
WALKS = {
    "pairs": r'for ($kv : @n) { printf("%s %d\n", $kv.0, $kv.1); print($kv); }',
    "pairs of several keys": "for ($kv : @k) { print($kv); print(($kv.0.1, $kv.1 / 2, $kv.1 % 3)); }",
    "walks in walks": "for ($a : @n) { for ($b : @k) { if ($b.1 < 0) { continue; } print(($a.0, $b.0.0)); } }",
    "lengths": 'print((len(@n), len(@h), len(@e))); clear(@e); print(len(@e)); delete(@n, "a"); print(len(@n));',
    "extremes": "print((@lo, @hi[1], @hi[2], @hi[3])); print(@lo > 0); print(@hi[1] > 5); print(@lo); print(@hi[1]);",
    "all that is read": 'print((len(@n), @v[1], @t[1].1, @s["k"], @s["none"], @n["a"])); print(@n);',
    "what is written": "for ($kv : @n) { @seen[$kv.0, len(@n)] = $kv.1; @e[$kv.1] += 7; @s[$kv.0] = $kv.0; } "
    '@t[len(@n)] = (7, "z");',
    "what is deleted": 'for ($kv : @n) { delete(@h["p"]); delete(@n, $kv.0); delete(@e, 77); } '
    'print(has_key(@h, "p"));',
    "numbers": "$x = len(@n) - 5; print(($x, -$x, ~$x, $x / 2, $x % 2, $x >> 1, $x << 62)); "
    "print(((uint8)$x, (int8)($x * 50), !$x, $x < 0));",
    "unsigned": "$u = (uint64)len(@n) - 5; print(($u / 3, $u % 7, $u >> 3, $u > 5)); "
    "$z = len(@e) - 1; print((7 / $z, 7 % $z));",
    "text": '$s = @s["k"]; print((strlen($s), $s == "value", strncmp($s, "vax", 2), strcontains($s, "al"), len(@n)));',
    "choices": 'print(len(@n) > 1 ? "many" : "few"); print(len(@n) > 1 && len(@e) == 0 || @lo == -4); '
    "if (len(@e)) { print(1); }",
    "loops": "$i = 0; while ($i < len(@n) + 2) { $i++; if ($i == 2) { continue; } if ($i > 3) { break; } print($i); }",
    "exit": "for ($kv : @n) { print($kv); exit(3); }",
    "addresses": r'printf("%s %s %d\n", ntop(0x0100007f), ksym(0), len(@n)); zero(@n); print(@n);',
}  # fmt: skip
"""What `end` makes of it, which the worker runs."""


def told(messages: list[Message]) -> list[Any]:
    """What must agree: not the time, the CPU, nor the order of a map's entries."""
    kept = [message for message in messages if not isinstance(message, Attached)]
    return [
        (message.site, message.values)
        if isinstance(message, Hit)
        else (message.map, message.site, sorted(message.entries, key=repr))
        if isinstance(message, MapDump)
        else message
        for message in kept
    ]


@pytest.fixture(scope="module")
def host() -> LiveHost:
    return LiveHost()


@pytest.mark.parametrize("name", PROGRAMS)
def test_agreement(name: str, host: LiveHost) -> None:
    agree(f'BEGIN {{ {PROGRAMS[name]} }} END {{ print("end"); }}', name, host)


@pytest.mark.parametrize("name", WALKS)
def test_agreement_where_the_worker_runs_a_clause(name: str, host: LiveHost) -> None:
    agree(f"BEGIN {{ {FED} }} END {{ {WALKS[name]} if (len(@n) > 99) {{ print(0); }} }}", name, host)


@pytest.mark.parametrize("seed", range(1, 7))
def test_random_programs(seed: int, host: LiveHost) -> None:
    agree(random_programs.program(seed, shared=True), f"seed {seed}", host)


@pytest.mark.parametrize("seed", range(1, 4))
def test_random_shapes(seed: int, host: LiveHost) -> None:
    agree(random_shapes.program(seed, shared=True), f"seed {seed}", host)


def agree(text: str, name: str, host: LiveHost) -> None:
    backend = BccBackend()
    plan = backend.plan(Request(parse(Source(name, text)), name), host)
    assert isinstance(plan, Plan), plan
    evaluator = Evaluator(plan.program)
    evaluator.begin()
    expected = told([*evaluator.take(), *evaluator.finish()])
    session = backend.launch(backend.render(plan), host)
    try:
        messages = [*session.poll(0.2), *session.finish()]
    finally:
        session.close()
    assert told(messages) == expected
