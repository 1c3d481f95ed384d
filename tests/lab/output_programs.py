"""Programs whose output is the same each time, to be shown by bpftrace and by xtrace side by side.

They need no kernel probe but `begin`: a release of bpftrace runs those that its version knows. Run as a module it
prints the differences on this machine.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from dataclasses import dataclass

Version = tuple[int, int]


@dataclass(frozen=True)
class Shown:
    """`since` and `until` are the first and the last version of bpftrace, of those in the lab, that take the program
    and mean the same."""

    program: str
    since: Version = (0, 11)
    until: Version = (9, 0)


PROGRAMS = {
    "maps": Shown('@a = 5; @b[1] = 2; @b[-3] = 7; @s["x"] = "text"; @s["abc"] = "y"; @c["k", 1] = 3;'),
    "order of values": Shown("@[3] = 1; @[1] = 20; @[2] = 4; @v[-5] = 1; @v[5] = -1; @v[0] = 0; @neg = -5;"),
    "tuples": Shown('@t = (1, "two", (3, 4)); print(@t); print((5, "z"));', (0, 17)),
    "aggregations": Shown(
        '@c = count(); @c = count(); @k["a"] = count(); @s["n"] = sum(-5); @s["m"] = sum(7); @min["x"] = min(-3); '
        '@max["x"] = max(12); @avg["y"] = avg(3); @avg["y"] = avg(4); @st["z"] = stats(10); @st["z"] = stats(21);'
    ),
    "histogram": Shown("@h = hist(0); @h = hist(1); @h = hist(5); @h = hist(5); @h = hist(70000); @h = hist(-4);"),
    "histograms by key": Shown('@h["a"] = hist(1000); @h["a"] = hist(1048576); @h["b"] = hist(3);'),
    "large buckets": Shown("@h[1] = hist(1024); @h[1] = hist(1073741824); @h[3] = hist(1099511627776);", (0, 23)),
    "linear histogram": Shown(
        "@l = lhist(5, 0, 100, 10); @l = lhist(55, 0, 100, 10); @l = lhist(-1, 0, 100, 10); "
        "@l = lhist(1000, 0, 100, 10); @m = lhist(2000, 0, 10000, 1000);"
    ),
    "printed maps": Shown(
        '@a[1] = 10; @a[2] = 30; @a[3] = 20; print(@a, 2); print(@a, 2, 10); print(@a, 0, 5); @k["a"] = hist(10); '
        '@k["b"] = hist(10); @k["b"] = hist(10); print(@k, 1); print(@a);',
        until=(0, 23),
    ),
    "emptied maps": Shown("@a = 1; @b[1] = 1; clear(@a); clear(@b);"),
    "zeroed maps": Shown("@c[1] = count(); @n = sum(5); zero(@c); zero(@n);"),
    "numbers in printf": Shown(
        r'printf("[%5d][%-5d][%05d][%x][%X][%lx][%llu][%c][%p][%u][%ld][%o]\n", 42, 42, 42, 255, 255, 4096, 5, 65, '
        r'0xffff, 7, -3, 8); printf("%hhd|%hd|%d\n", 300, 70000, -1);'
    ),
    "text in printf": Shown(r'printf("%%[%s][%10s][%-10s]\n", "str", "right", "left"); printf("a\tb\n\"q\" \\ \n");'),
    "precision in printf": Shown(r'printf("[%.2s][%5.1s]\n", "abcdef", "xyz");', until=(0, 23)),
    "printed values": Shown('print(5); print(-1); print("text"); @y = avg(4); print(@y);'),
    "literals": Shown("print(1e3); print(1_000); print(0x10); print(7 >> 1); print(1 << 40);", (0, 17)),
    "signs": Shown("print((uint8)255); print((int8)255); print(-7 / 2); print(-7 % 3);", (0, 23)),
    "comparisons": Shown("print(1 == 1); print(!5); print(2 < 1); @b = 3 > 2;", (0, 17), (0, 17)),
    "unsigned numbers": Shown("@u = (uint64)-1; @k[(uint64)-1] = 1; @s = sum((uint64)-1); print((uint64)-1);", (0, 24)),
    "addresses": Shown('print(ntop(0x0100007f)); print(ntop(2, 0x0100007f)); @n[ntop(0x08080808)] = 1;', (0, 17)),
    "times": Shown('time("%Y-\\n"); printf("%s\\n", strftime("%Y", nsecs));', (0, 17)),
    "a file": Shown('cat("/proc/sys/kernel/ostype");'),
    "nothing at all": Shown("@unused = 1; clear(@unused);"),
    "loops": Shown('unroll (3) { @i++; printf("%d ", @i); } $i = 0; while ($i < 3) { $i++; }', (0, 17), (0, 23)),
}  # fmt: skip


def text_of(name: str) -> str:
    return f"BEGIN {{ {PROGRAMS[name].program} exit(); }}"


def version_of(told: str) -> Version:
    """The version that `bpftrace --version` tells. Raises ValueError."""
    found = re.search(r"v?(\d+)\.(\d+)", told)
    if found is None:
        raise ValueError(f"no version in {told!r}")
    return int(found[1]), int(found[2])


def output_of(*words: str) -> str:
    """Standard output of a command; with its exit status and complaints where it fails."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def main(names: list[str]) -> None:
    version = version_of(output_of("bpftrace", "--version"))
    forms = [one for one in names if one in ("text", "json")] or ["text", "json"]
    for form in forms:
        for name in [one for one in names if one not in forms] or PROGRAMS:
            if not PROGRAMS[name].since <= version <= PROGRAMS[name].until:
                continue
            theirs, ours = (
                output_of(*program, "-f", form, "-e", text_of(name))
                for program in (["bpftrace"], [sys.executable, "-m", "xtrace", "trace", "--backend", "ftrace"])
            )
            if theirs != ours:
                lines = difflib.unified_diff(theirs.split("\n"), ours.split("\n"), "bpftrace", "xtrace", "", "", 1, "")
                print(f"===== {name} ({form}, {version})", *lines, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
