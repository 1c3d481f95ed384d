"""Programs whose output is the same each time, to be shown by bpftrace and by xtrace side by side.

They need no kernel probe but `begin`, or a uprobe: a release of bpftrace runs those that its version knows. Run as a
module it prints the differences on this machine, and what is told of this release but does not hold: `python -m
tests.lab.output_programs [text|json] [NAME…]`.
"""

from __future__ import annotations

import difflib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from tests.lab.programs import SPEAK, build

Version = tuple[int, int]
FORMS = ("text", "json")
UNSORTED: Version = (0, 24)
"""From this version on bpftrace greets on standard error, shows stats() as a struct, and no longer sorts maps."""


@dataclass(frozen=True)
class Otherwise:
    """Releases that print a program otherwise than xtrace, in these forms, and why; not each time where `unsteady`."""

    why: str
    first: Version
    last: Version
    forms: tuple[str, ...] = FORMS
    unsteady: bool = False


def before(version: int, why: str, *forms: str) -> Otherwise:
    """The releases before 0.`version`."""
    return Otherwise(why, (0, 0), (0, version - 1), forms or FORMS)


def since(version: int, why: str, *forms: str) -> Otherwise:
    """0.`version` and later."""
    return Otherwise(why, (0, version), (9, 0), forms or FORMS)


def unsorted(why: str) -> Otherwise:
    """The releases that leave maps as they find them, which differs from run to run."""
    return Otherwise(why, UNSORTED, (9, 0), unsteady=True)


def only(version: int, why: str, *forms: str) -> Otherwise:
    return Otherwise(why, (0, version), (0, version), forms or FORMS)


@dataclass(frozen=True)
class Shown:
    """`first` is the oldest version of bpftrace, of those in the lab, that takes the program and means the same."""

    program: str
    first: Version = (0, 11)
    otherwise: tuple[Otherwise, ...] = ()
    spoken: bool = False
    """Does it run for each call of say() of SPEAK, rather than once?"""

    def differs(self, version: Version, form: str) -> Optional[Otherwise]:
        """Why this release prints it otherwise than xtrace; None where it does not."""
        told = (one for one in self.otherwise if one.first <= version <= one.last and form in one.forms)
        return next(told, None)


def shown(program: str, *otherwise: Otherwise, first: int = 11) -> Shown:
    return Shown(program, (0, first), otherwise)


def spoken(program: str, *otherwise: Otherwise, first: int = 17) -> Shown:
    """A program for each call of say(const char *text, const unsigned char *bytes, const char **words, long number)."""
    return Shown(program, (0, first), otherwise, spoken=True)


_TRUTH = before(27, "truth values are numbers, and -1 in maps of 0.23")
_UNICODE_JSON = since(17, "spells each byte of UTF-8 as \\uffffffXX, which is no JSON of it", "json")

PROGRAMS = {
    "maps": shown('@a = 5; @b[1] = 2; @b[-3] = 7; @s["x"] = "text"; @s["abc"] = "y"; @c["k", 1] = 3;'),
    "order of values": shown("@[3] = 1; @[1] = 20; @[2] = 4; @v[-5] = 1; @v[5] = -1; @v[0] = 0; @neg = -5;"),
    "order of keys": shown(
        '@s["b"] = "1"; @s["a"] = "2"; @s["c"] = "0"; @t[3, "a"] = "1"; @t[1, "b"] = "2"; @t[1, "a"] = "0"; '
        '@n[2] = "x"; @n[1] = "z";'
    ),
    "negative keys": shown(
        '@s[-2] = "x"; @s[-1] = "y"; @s[1] = "z"; @c[-10] = 5; @c[10] = 6; @c[-1] = 7;',
        before(27, "sorts keys as unsigned numbers"),
    ),
    "order of names": shown("@zz = 1; @aa = 2; @mm[1] = 3; @bb = count(); @A = 1; @_x = 2; @a1 = 1; @a10 = 1; @ = 4;"),
    "keys of several parts": shown('@a[1, "b", -3] = 4; @a[2, "z", 5] = 3; @s["a", "b"] = "c"; @c[1, 2] = count();'),
    "tuples": shown('@t = (1, "two", (3, 4)); print(@t); print((5, "z")); $t = (1, (2, 3)); print($t.1.0);', first=17),
    "tuples in maps": shown('@v[1] = (1, "long"); @v[2] = (0, "s"); @k[(1, "x")] = 1; @k[(2, "y")] = 2;', first=23),
    "tuples in keys": shown(
        "@a[1, (2, (3, 4))] = 1;", only(23, "puts tuples of keys in brackets", "json"), first=23
    ),
    "aggregations": shown(
        '@c = count(); @c = count(); @k["a"] = count(); @s["n"] = sum(-5); @s["m"] = sum(7); @min["x"] = min(-3); '
        '@max["x"] = max(12); @avg["y"] = avg(3); @avg["y"] = avg(4); @st["z"] = stats(10); @st["z"] = stats(21);'
    ),
    "negative aggregations": shown(
        "@s = sum(-5); @s = sum(3); @mi = min(-7); @mi = min(4); @a = avg(-3); @a = avg(-4); @st = stats(-3); "
        "@st = stats(-4); @b[1] = avg(0);",
        only(11, "reads negative averages as unsigned", "json"),
    ),
    "negative maxima": shown(
        "@ma = max(-7); @ma = max(-4);", before(18, "starts at 0 and shows no maximum below it")
    ),
    "order of aggregations": shown(
        '@s["a"] = sum(-5); @s["b"] = sum(5); @s["c"] = sum(0); @v["a"] = avg(10); @v["b"] = avg(5); @v["b"] = avg(6); '
        '@v["c"] = avg(-100); @t["a"] = stats(10); @t["b"] = stats(5); @t["c"] = stats(-100); @mi["a"] = min(0);'
    ),
    "order of maxima": shown(
        '@m["a"] = max(5); @m["b"] = max(-5); @m["c"] = max(0); print(@m);',
        before(18, "starts at 0 and shows no maximum below it"),
        only(23, "sorts maxima as unsigned numbers"),
    ),
    "unsigned aggregations": shown(
        "@s = sum((uint64)5); @mi = min((uint64)7); @ma = max((uint64)7); @a = avg((uint64)3); @a = avg((uint64)4);"
    ),
    "large unsigned numbers": shown(
        "@u = (uint64)-1; @k[(uint64)-1] = 1; @s = sum((uint64)-1); @ma = max((uint64)-1); @mi = min((uint64)-1); "
        "print((uint64)-1); print(18446744073709551615);",
        before(27, "shows unsigned keys and minima as signed"),
    ),
    "largest numbers": shown(
        "@a = 9223372036854775807; @b = -9223372036854775807; @c[9223372036854775807] = 1; print(9007199254740993); "
        "print(9007199254740992); print((1, 9007199254740993)); @s = sum(9007199254740993); @e = 1 << 62;",
        before(27, "shows numbers that a double cannot hold as numbers", "json"),
        first=17,
    ),
    "histogram": shown("@h = hist(0); @h = hist(1); @h = hist(5); @h = hist(5); @h = hist(70000); @h = hist(-4);"),
    "edges of buckets": shown(
        "@h = hist(-1); @h = hist(0); @h = hist(1); @h = hist(2); @h = hist(3); @h = hist(4); @h = hist(7); "
        "@h = hist(8); @k = hist(1023); @k = hist(1024); @k = hist(2047); @k = hist(2048); @k = hist(1048575); "
        "@k = hist(1048576); @m = hist(-9223372036854775807);"
    ),
    "bars": shown("unroll (9) { @h = hist(100); } @h = hist(1); @h = hist(1); @h = hist(2); @h = hist(1000);"),
    "parts of powers of two": shown(
        "@h = hist(5, 1); @h = hist(9, 1); @h = hist(100, 1); @h = hist(-3, 1); @h = hist(0, 1); @k = hist(1000, 3); "
        "@k = hist(1100, 3);",
        first=23,
    ),
    "histograms by key": shown('@h["a"] = hist(1000); @h["a"] = hist(1048576); @h["b"] = hist(3);'),
    "large buckets": shown(
        "@h[1] = hist(1024); @h[1] = hist(1073741824); @h[3] = hist(1099511627776);",
        before(18, "counts what is 2G or more as 2G"),
    ),
    "largest buckets": shown(
        "@h = hist(1 << 62); @h = hist((1 << 62) + 5); @h = hist(1 << 61); @p = hist(1 << 50);",
        before(18, "counts what is 2G or more as 2G"),
        only(23, "shows limits that a double cannot hold as numbers", "json"),
    ),
    "linear histogram": shown(
        "@l = lhist(5, 0, 100, 10); @l = lhist(55, 0, 100, 10); @l = lhist(-1, 0, 100, 10); "
        "@l = lhist(1000, 0, 100, 10); @m = lhist(2000, 0, 10000, 1000);"
    ),
    "edges of linear buckets": shown(
        "@l = lhist(0, 0, 100, 10); @l = lhist(9, 0, 100, 10); @l = lhist(10, 0, 100, 10); @l = lhist(99, 0, 100, 10); "
        "@l = lhist(100, 0, 100, 10); @l = lhist(-1, 0, 100, 10); @b = lhist(-5, 0, 100, 10); "
        "@a = lhist(500, 0, 100, 10);"
    ),
    "labels of linear buckets": shown(
        "@k = lhist(1024, 0, 4096, 1024); @k = lhist(2048, 0, 4096, 1024); @m = lhist(1048576, 0, 4194304, 1048576); "
        "@m = lhist(0, 0, 4194304, 1048576); @m = lhist(9999999, 0, 4194304, 1048576);"
    ),
    "uneven linear buckets": shown(
        "@l = lhist(9, 0, 10, 3); @l = lhist(5, 0, 10, 3); @l = lhist(10, 0, 10, 3); @l = lhist(11, 0, 10, 3);",
        before(27, "names the last bucket by the limit, not by the least number in it"),
    ),
    "linear buckets of one number": shown(
        '@l["b"] = lhist(5, 0, 10, 1); @l["a"] = lhist(3, 0, 10, 1); @l["a"] = lhist(4, 0, 10, 1);',
        before(27, "names them by both limits", "text"),
    ),
    "printed maps": shown(
        "@a[1] = 10; @a[2] = 30; @a[3] = 20; print(@a); print(@a, 0, 5); print(@a, 5); @e[1] = 1; "
        "delete(@e[1]); print(@e);"
    ),
    "printed tops": shown(
        "@a[1] = 10; @a[2] = 30; @a[3] = 20; print(@a, 2); print(@a, 2, 10); @c[1] = count(); @c[2] = count(); "
        "@c[2] = count(); print(@c, 1); @s[1] = sum(10); @s[2] = sum(30); @s[3] = sum(20); print(@s, 2, 10);",
        unsorted("the top is what happens to come last"),
    ),
    "printed histograms": shown(
        '@k["a"] = hist(10); @k["b"] = hist(10); @k["b"] = hist(10); print(@k, 1); '
        '@l["a"] = lhist(10, 0, 20, 5); @l["b"] = lhist(10, 0, 20, 5); @l["b"] = lhist(10, 0, 20, 5); print(@l, 1); '
        "print(@l, 0, 2);"
    ),
    "divided histograms": shown(
        '@k["a"] = hist(10); @k["b"] = hist(10); @k["b"] = hist(10); print(@k, 0, 2);', since(27, "dies of it", "text")
    ),
    "printed averages": shown(
        '@k["a"] = avg(10); @k["b"] = avg(30); print(@k, 1); print(@k, 0, 2); @m["a"] = min(10); @m["b"] = min(30); '
        "print(@m, 1); print(@m, 0, 2);",
        only(11, "takes no top and no divisor of averages"),
    ),
    "printed stats": shown(
        '@k["a"] = stats(10); @k["b"] = stats(30); print(@k, 1); print(@k, 0, 2);',
        before(27, "takes no top of stats, and until 0.17 no divisor"),
    ),
    "printed scalars": shown(
        '@x = 3; print(@x); @c = count(); print(@c); @s = "t"; print(@s); @h = hist(3); print(@h); @st = stats(4); '
        "print(@st); @k = 100; print(@k, 0, 10); @y = avg(4); print(@y);"
    ),
    "printed entries": shown(
        '@x["a"] = 3; print(@x["a"]); @t[1, "b"] = 2; print(@t[1, "b"]); @s[1] = "txt"; print(@s[1]); print(@x["no"]); '
        '@c["a"] = count(); print(@c["a"]); @u[1] = sum(-5); print(@u[1]); @m[1] = min(5); print(@m[1]); '
        '@v[1] = avg(5); @v[1] = avg(8); print(@v[1]); @p[1] = (1, "x"); print(@p[1]); @[1] = 5; print(@[1]);',
        first=23,
    ),
    "output in order": shown(
        'print("a"); @m[1] = 2; print(@m); printf("x\\n"); print(@m); printf("no newline"); printf(""); printf("\\n");'
    ),
    "emptied maps": shown("@a = 1; @b[1] = 1; clear(@a); clear(@b); print(@b);"),
    "zeroed maps": shown(
        "@c[1] = count(); @n = sum(5); @m[1] = min(4); @x = 4; zero(@c); zero(@n); zero(@m); zero(@x);"
    ),
    "zeroed histograms": shown(
        '@h["a"] = hist(5); zero(@h); print(@h); @l[1] = lhist(4, 0, 10, 1); zero(@l);',
        only(11, "writes what is no JSON", "json"),
    ),
    "deleted entries": shown(
        '@a[1] = 1; @a[2] = 2; delete(@a[1]); @b = 1; delete(@b); @s["x"] = "y"; delete(@s["x"]);'
    ),
    "entries deleted by key": shown("@a[1] = 1; @a[2] = 2; delete(@a, 1); @b = 1; delete(@b);", first=23),
    "numbers in printf": shown(
        r'printf("[%5d][%-5d][%05d][%x][%X][%lx][%llu][%c][%p][%u][%ld][%o]\n", 42, 42, 42, 255, 255, 4096, 5, 65, '
        r'0xffff, 7, -3, 8); printf("%hhd|%hd|%d|%ld|%lu|%lx\n", 300, 70000, -1, 5000000000, -1, -5);',
        first=17,
    ),
    "widths in printf": shown(r'printf("[%8d][%-8d][%08d][%8x][%3c][%8s][%-8s]\n", 1, 2, 3, 255, 65, "abc", "abc");'),
    "signs in printf": shown(r'printf("[%+d][%#x][%-8x][%i]\n", 4, 255, 255, 5);', first=27),
    "text in printf": shown(
        r'printf("%%[%s][%10s][%-10s]\n", "str", "right", "left"); printf("a\tb\n\"q\" \\ \n"); printf("%s|\n", "");',
        only(11, "keeps both signs of %%"),
    ),
    "precision in printf": shown(
        r'printf("[%.2s][%5.1s]\n", "abcdef", "xyz");', since(27, "ignores the precision of text")
    ),
    "pointers": shown(
        r'@p = (void *)0x1234; print((void *)0xffff); print((void *)0); printf("%p|%-20p|%lx\n", (void *)16, '
        r"(void *)0x1234, (void *)16);",
        first=23,
    ),
    "the null pointer in printf": shown(r'printf("%p %p\n", 0, 4096);', before(27, "shows (nil), as C does")),
    "anything as text": shown(
        r'@c = count(); @x = 5; printf("%s %s %s %s %s\n", 5, (uint8)3, "x", true, (1, "a", (2, true))); '
        r'printf("%s [%5s][%-5s]\n", @x, 5, 6);',
        first=27,
    ),
    "map values in printf": shown(
        r'@a = 5; @s["x"] = "text"; @m[1] = 1; printf("%d %s %d [%d]\n", @a, @s["x"], @a + 1, @m[2]);', first=17
    ),
    "printed values": shown('print(5); print(-1); print("text"); print("%d %s"); @["%d"] = 1;'),
    "literals": shown(
        "print(1e3); print(1_000); print(0x10); print(7 >> 1); print(1 << 40); print(0xfF); "
        "print(4294967296);",
        first=17,
    ),
    "times as literals": shown("print(5ms); print(1s); print(2us); print(100ns);", first=27),
    "casts": shown(
        "print((uint8)255); print((int8)255); print((uint8)300); print((uint16)-1); print((int32)-1); @a = (uint8)255; "
        "@b = (int16)-2; print(-(uint32)1); print(~(uint8)1);",
        first=17,
    ),
    "arithmetic": shown(
        "print(7 / 2); print(7 % 3); print(1 << 10); print(5 & 3); print(5 | 3); print(5 ^ 3); print(2 - 3);"
    ),
    "signs": shown("print(-7 / 2); print(-7 % 3);", before(27, "divides without sign"), first=17),
    "complements": shown("print(~0); @x = ~5;", since(27, "shows them without sign")),
    "assignments": shown(
        "@a++; @a++; @b--; @c[1]++; @d += 5; @d -= 1; @e = 7; @e >>= 1; @f |= 6; @g ^= 5; @h &= 5; @i <<= 2; "
        "@j[1] |= 4; $x = 1; print($x++); print(++$x); @k = 2; @k *= 3;"
    ),
    "truth": shown("print(1 == 1); print(!5); print(2 < 1); @b = 3 > 2; @c[1 == 1] = 5;", _TRUTH),
    "truth values": shown(
        'print(true); print(false); @t = true; @f[1] = false; print((true, 1)); printf("%d %d\\n", true, 1 > 2);',
        only(17, "they are numbers"),
        only(23, "they are numbers", "json"),
        first=17,
    ),
    "questions about maps": shown(
        '@a[1] = 1; @a[2] = 2; print(has_key(@a, 1)); if (!has_key(@a, 3)) { print("no"); }', _TRUTH, first=23
    ),
    "sizes of maps": shown(r'@a[1] = 1; @a[2] = 2; print(len(@a)); printf("%d\n", len(@a));', first=27),
    "conditions": shown(
        '$x = 2; if ($x == 1) { print("one"); } else if ($x == 2) { print("two"); } print(1 ? 5 : 6); '
        'print(0 ? "a" : "b"); if ("a" == "a") { print("eq"); } if ("a" != "b") { print("ne"); }'
    ),
    "loops": shown('unroll (3) { @i++; printf("%d ", @i); } $i = 0; while ($i < 3) { $i++; } print($i);', first=17),
    "loops over ranges": shown("for ($i : 0..3) { print($i); }", first=27),
    "loops over maps": shown(
        r'@a[1] = 10; for ($kv : @a) { print($kv); printf("%d %d\n", $kv.0, $kv.1); } '
        r'@b[1, "x"] = 10; for ($kv : @b) { print($kv); print($kv.0.1); }',
        first=23,
    ),
    "declared variables": shown("let $x = 5; let $y : uint8 = 3; print($x + $y);", first=27),
    "addresses": shown('print(ntop(0x0100007f)); print(ntop(2, 0x0100007f)); @n[ntop(0x08080808)] = 1;', first=17),
    "symbols that are none": shown(r'print(ksym(0)); print(ksym(1)); printf("%s\n", usym(5));'),
    "swapped bytes": shown("print(bswap((uint16)0x0102)); print(bswap((uint32)1));", first=23),
    "errors": shown(
        "print(strerror(2)); print(strerror(13));", only(17, "leaves their quotes out", "json"), first=17
    ),
    "complaints": shown('errorf("bad %d", 5); print(1);', since(27, "calls a program of -e stdin", "json"), first=27),
    "text cut": shown('print(str("abcdef", 3)); print(strlen("abc"));', first=27),
    "text": shown(
        '@s = "with space"; @t["a,b"] = "c,d"; print("tab\\there"); @u["q"] = "new\\nline"; print("q\\"b\\\\s/t\\x01");'
    ),
    "quotes in keys": shown('@m["k\\"\\\\\\n"] = "v\\"\\\\\\n";', only(23, "escapes them twice", "json")),
    "blanks in keys": shown('@t["a b"] = 1; @s["a b", 1] = 2;', since(27, "leaves them out", "json")),
    "text with an end in it": shown(r'print("a\0b"); @s["x\0y"] = 1; printf("[%s]\n", "p\0q");'),
    "text of any script": shown('printf("é %s ü\\n", "日本"); @s["ключ"] = "значение"; print("ß");', _UNICODE_JSON),
    "text that is no text": shown(
        r'print("\xff\xfe"); @s = "\xe9";', only(11, "writes what is no JSON", "json"), _UNICODE_JSON
    ),
    "times": shown(
        r'time("%Y-\n"); time("%%|x\n"); printf("%s\n", strftime("%Y", nsecs)); print(strftime("%m", nsecs));',
        only(17, "they are numbers", "json"),
        first=17,
    ),
    "a file": shown('cat("/proc/sys/kernel/ostype"); cat("/proc/sys/kernel/%s", "osrelease");'),
    "a file that is missing": shown('cat("/does/not/exist"); print(1);', before(27, "shows that nothing came", "json")),
    "the probe's name": shown(
        r'print(probe); printf("%s\n", probe); @[probe] = count();', before(24, "writes BEGIN as it was written")
    ),
    "text of a process": spoken(
        r'print(str(arg0)); printf("[%s]\n", str(arg0)); @[str(arg0)] = count(); '
        r'@ok[str(arg0) == "hello"] = (int64)arg3;',
        _TRUTH,
        since(27, "spells each byte of UTF-8 as \\uffffffXX, which is no JSON of it", "json"),
    ),
    "text cut in a process": spoken(
        r'printf("[%s][%s]\n", str(arg0, 3), str(arg0, 4));',
        _UNICODE_JSON,
        since(23, "counts the end of the text, too"),
    ),
    "widths of text beyond ASCII": shown(r'printf("[%5s][%-5s]\n", "é", "é");', since(11, "counts bytes")),
    "bytes of a process": spoken(
        r'print(buf(arg1, 8)); printf("%r|%rx|%rh\n", buf(arg1, 8), buf(arg1, 4), buf(arg1, 6)); @b = buf(arg1, 5);',
        since(27, "shows them as numbers", "json"),
    ),
    "hardware addresses": spoken(
        r'print(macaddr(arg1)); printf("%s\n", macaddr(arg1)); @m[macaddr(arg1)] = 1;',
        before(24, "leaves their quotes out", "json"),
    ),
    "words of a process": spoken('join(arg2); join(arg2, "+");'),
    "numbers of a process": spoken(
        "$n = (int64)arg3; print($n); @h = hist($n); @l = lhist($n, 0, 10, 5); @s = sum($n); @mi = min($n); "
        '@st = stats($n); @a = avg($n); if ($n < 0) { print("below"); } else { print("not below"); } @c[comm] = $n + 7;'
    ),
    "names in a process": spoken(r'print(func); @[usym(reg("ip"))] = 1; printf("%s\n", usym(reg("ip")));', first=23),
    "stacks": spoken(
        r'print(ustack(1)); @v = ustack(1); @[ustack(1), 5] = 1; printf("a%sb\n", ustack(1)); print((1, ustack(1)));',
        since(23, "shows keys of stacks with other blanks", "json"),
        first=23,
    ),
    "memory of a process": spoken("$p = (uint8 *)arg1; print(*($p + 2)); print(*(uint16 *)arg1);"),
    "nothing at all": shown("@unused = 1; clear(@unused);"),
}  # fmt: skip


SPEAKER = "/tmp/xtrace-lab-speak"


def words_of(name: str) -> tuple[str, ...]:
    """The options that run a program; the first run of one that is spoken builds who speaks."""
    one = PROGRAMS[name]
    if not one.spoken:
        return ("-e", f"BEGIN {{ {one.program} exit(); }}")
    if not Path(SPEAKER).exists():
        build(SPEAK, SPEAKER)
    return ("-e", f"uprobe:{SPEAKER}:say {{ {one.program} }}", "-c", SPEAKER)


def version_of(told: str) -> Version:
    """The version that `bpftrace --version` tells. Raises ValueError."""
    found = re.search(r"v?(\d+)\.(\d+)", told)
    if found is None:
        raise ValueError(f"no version in {told!r}")
    return int(found[1]), int(found[2])


# --- what may be compared ---------------------------------------------------------------------------------------------

_GREETING = re.compile(r'Attaching \d+ probes?\.\.\.|\{"type": "attached_probes".*')
_STATS = r"\{ \.count = (-?\d+), \.average = (-?\d+), \.total = (-?\d+) \}"


def results(output: str, version: Version, form: str) -> Sequence[object]:
    """The lines of an output without what bpftrace's releases do differently from one another: the greeting, the blank
    behind the title of a histogram, blank lines, blanks in JSON, and what UNSORTED says."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip() and not _GREETING.fullmatch(line)]
    if form == "json":
        return [_data(line, version < UNSORTED) for line in lines]
    if version < UNSORTED:
        return lines
    return sorted(re.sub(_STATS, r"count \1, average \2, total \3", line) for line in lines)


def _data(line: str, ordered: bool) -> object:
    """What a line of JSON says, with or without the order of members; the line itself where it is none. Integers stand
    in tuples, for Python takes 1 for true."""
    try:
        return json.loads(line, object_pairs_hook=list if ordered else dict, parse_int=lambda digits: (digits,))
    except ValueError:
        return line


Run = Callable[..., str]
"""Gives the standard output of a command, words in and text out."""


def differences(version: Version, theirs: Run, ours: Run, form: str, names: list[str]) -> list[str]:
    """What this release prints otherwise than xtrace though nothing tells so, and what is told of it without reason."""
    found = []
    for name in names or PROGRAMS:
        one = PROGRAMS[name]
        if version < one.first:
            continue
        options = ("-f", form, *words_of(name))
        # Newer releases warn on standard output, which older ones cannot be asked to leave out.
        quiet = ("--no-warnings",) if version >= UNSORTED else ()
        texts = [theirs("bpftrace", *quiet, *options), ours("xtrace", "trace", "--backend", "ftrace", *options)]
        same = results(texts[0], version, form) == results(texts[1], version, form)
        told = one.differs(version, form)
        if not same and not told:
            lines = difflib.unified_diff(texts[0].split("\n"), texts[1].split("\n"), "bpftrace", "xtrace", lineterm="")
            found.append("\n".join([f"===== {name} ({form}, {version})", *lines]))
        if same and told and not told.unsteady:
            found.append(f"===== {name} ({form}, {version}): printed alike, though told otherwise: {told.why}")
    return found


def output_of(*words: str) -> str:
    """Standard output of a command; with its exit status and complaints where it fails."""
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=240, check=False)
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def main(names: list[str]) -> None:
    version = version_of(output_of("bpftrace", "--version"))
    forms = [one for one in names if one in FORMS] or FORMS

    def ours(command: str, *words: str) -> str:
        return output_of(sys.executable, "-m", command, *words)

    for form in forms:
        wanted = [one for one in names if one not in FORMS]
        print(*differences(version, output_of, ours, form, wanted), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
