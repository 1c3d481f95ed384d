"""Random programs that need no event: what an engine's `begin` gives must be what the evaluator gives.

The same seed gives the same text on every Python, so that modules compiled for it are found again. Operands go through
maps, so that nothing is computed before the program runs. Standard library only: cases are imported in guests.
"""

from __future__ import annotations

from random import Random

EDGES = (0, 1, -1, 2, -2, 7, 63, 64, 65, 255, 256, -128, 32767, -32768, 65536, 2147483647, -2147483648, 4294967295,
         4294967296, 9223372036854775807, -9223372036854775807, 1000000007)  # fmt: skip
BINARY = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!=")
CASTS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
TEXTS = ("", "a", "needle", "needle in a hay stack", "needles", "hay", "abcdefgh", "abcdefghi", "x y", "zz/top")
NUMBERS = ("$a", "$b", "$c", "$u", "$v", "$w")


class Generator:
    """Makes the clauses of one program. `shared` leaves out what BPF cannot do in a handler: to count a map's keys, to
    read an extreme that each CPU keeps for itself, and to empty a map in the middle of a clause."""

    def __init__(self, seed: int, shared: bool) -> None:
        self._random = Random(seed)
        self._shared = shared
        self._lines = 0

    def program(self, clauses: int = 6) -> str:
        made = [self._arithmetic() for _ in range(clauses)]
        made += [self._texts(), self._loops(), *(self._maps() for _ in range(3)), *(self._fed_maps() for _ in range(4))]
        made.append(self._histograms())
        return "\n".join(made)

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    # --- numbers -----------------------------------------------------------------------------------------------------

    def _operands(self) -> str:
        """Three signed and three unsigned variables with values that only the run knows."""
        values = [self._random.choice(EDGES) for _ in range(6)]
        lines = [f"@o[{index}] = {value};" for index, value in enumerate(values)]
        lines += [f"{name} = @o[{index}];" for index, name in enumerate(NUMBERS[:3])]
        lines += [f"{name} = (uint64)@o[{index + 3}];" for index, name in enumerate(NUMBERS[3:])]
        return " ".join(lines)

    def number(self, depth: int) -> str:
        """An expression of integers."""
        if depth == 0:
            return self._pick(*NUMBERS, str(abs(self._random.choice(EDGES))))
        inner = depth - 1
        kind = self._random.randrange(10)
        if kind < 5:
            return f"({self.number(inner)} {self._pick(*BINARY)} {self.number(inner)})"
        if kind == 5:
            return f"({self._pick('-', '~', '!')}{self.number(inner)})"
        if kind == 6:
            return f"({self.number(inner)} ? {self.number(inner)} : {self.number(inner)})"
        if kind == 7:
            return f"({self.number(inner)} {self._pick('&&', '||')} {self.number(inner)})"
        return f"(({self._pick(*CASTS)}){self.number(inner)})"

    def _shown(self, expression: str) -> str:
        self._lines += 1
        return f'printf("{self._lines} %d\\n", {expression});'

    def _arithmetic(self) -> str:
        lines = [self._operands()]
        lines += [self._shown(f"(int64){self.number(self._random.randrange(1, 4))}") for _ in range(8)]
        if_ = f"if ({self.number(2)}) {{ {self._shown('1')} }} else {{ {self._shown('2')} }}"
        return self._clause([*lines, if_])

    def _clause(self, lines: list[str]) -> str:
        return "BEGIN {\n  " + "\n  ".join(lines) + "\n}"

    # --- text --------------------------------------------------------------------------------------------------------

    def _texts(self) -> str:
        lines = []
        for _ in range(10):
            left, right = self._pick(*TEXTS), self._pick(*TEXTS)
            lines.append(
                f'@s = "{left}"; @t = "{right}"; $s = @s; $t = @t; @n = {self._random.randrange(12)}; $n = @n;'
            )
            lines.append(self._shown(self._about_text()))
            lines.append(self._shown(self._about_text()))
            self._lines += 1
            lines.append(f'printf("{self._lines} %s|%s|%s\\n", $s, str($t, $n), $n > 5 ? $s : $t);')
        return self._clause(lines)

    def _about_text(self) -> str:
        part = self._pick("hay", "needle", "a", "zz/top", "in a", "abcdefghi")
        return self._pick(
            "strlen($s)",
            "strlen(str($t, $n))",
            "$s == $t",
            "$s != $t",
            f'$s == "{self._pick(*TEXTS)}"',
            f"strncmp($s, $t, {self._random.randrange(1, 10)}) == 0",
            f'strncmp($s, "{self._pick(*TEXTS)}", {self._random.randrange(1, 24)}) == 0',
            f'strcontains($s, "{part}")',
            f"$s[{self._random.randrange(0, 12)}]",
        )

    # --- control flow ------------------------------------------------------------------------------------------------

    def _loops(self) -> str:
        lines = [self._operands(), "$i = 0; $sum = (int64)0;"]
        lines.append(f"while ($i < {self._random.randrange(3, 30)}) {{ $i++; if ($i % 3 == 1) {{ continue; }}")
        lines.append(f"  if ($i > {self._random.randrange(10, 25)}) {{ break; }} $sum += $i * {self.number(0)}; }}")
        lines.append(self._shown("$sum"))
        lines.append(f"for ($k : 0..{self._random.randrange(2, 9)}) {{ $sum = $sum * 31 + ($k ^ $a); }}")
        lines.append(self._shown("$sum"))
        lines.append(f"unroll ({self._random.randrange(2, 5)}) {{ $sum = $sum - (int64)$u; }}")
        lines.append(self._shown("$sum"))
        return self._clause(lines)

    # --- maps --------------------------------------------------------------------------------------------------------

    def _key(self) -> str:
        return str(self._random.choice((1, 2, 3, -4, 4294967296)))

    def _maps(self) -> str:
        return self._clause([self._operands(), *(self._map_statement() for _ in range(10))])

    def _map_statement(self) -> str:
        key, text = self._key(), self._pick("x", "longer key", "")
        choices = [
            f"@m[{key}] = (int64){self.number(1)};",
            f"@m[{key}] += (int64){self.number(0)};",
            f"@m[{key}]++;",
            f"delete(@m[{key}]);",
            f'@k["{text}", {key}] = (int64){self.number(0)};',
            f'@x["{text}"] = "{self._pick(*TEXTS)}";',
            f'delete(@k["{text}", {key}]);',
            self._shown(f"@m[{key}]"),
            self._shown(f'@k["{text}", {key}]'),
            self._shown(f"has_key(@m, {key})"),
            f"if (delete(@m, {key})) {{ {self._shown('1')} }}",
        ]
        if not self._shared:
            choices += [self._shown("len(@m)"), "clear(@m);" if self._random.random() < 0.2 else self._shown("len(@k)")]
        return self._random.choice(choices)

    def _fed_maps(self) -> str:
        lines = [self._operands()]
        readable = ["@count", "@sum", "@usum", "@avg"] + ([] if self._shared else ["@min", "@umin", "@max", "@umax"])
        for _ in range(10):
            lines.append(self._fed(self._key()))
            if self._random.random() < 0.3:
                lines.append(self._shown(f"{self._pick(*readable)}[{self._key()}]"))
        lines.append(f"delete(@count[{self._key()}]); delete(@stats[{self._key()}]);")
        return self._clause(lines)

    def _histograms(self) -> str:
        """A few to a clause: the verifier follows every way through all of them."""
        made = [self._clause([self._operands(), *(f"@fine = hist((int64){one}, 2);" for one in NUMBERS[:3])])]
        for _ in range(3):
            lines = [f"@linear[{self._key()}] = lhist((int64){one} % 100, -20, 60, 7);" for one in NUMBERS[1:4]]
            made.append(self._clause([self._operands(), *lines]))
        made.append(self._clause([f"delete(@hist[{self._key()}]);", f"delete(@linear[{self._key()}]);"]))
        return "\n".join(made)

    def _fed(self, key: str) -> str:
        signed, unsigned = f"(int64){self.number(1)}", f"(uint64){self.number(1)}"
        return self._pick(
            f"@count[{key}] = count();",
            f"@sum[{key}] = sum({signed});",
            f"@usum[{key}] = sum({unsigned});",
            f"@min[{key}] = min({signed});",
            f"@umin[{key}] = min({unsigned});",
            f"@max[{key}] = max({signed});",
            f"@umax[{key}] = max({unsigned});",
            f"@avg[{key}] = avg({signed});",
            f"@stats[{key}] = stats({signed});",
            f"@hist[{key}] = hist({signed});",
        )


def program(seed: int, shared: bool = False) -> str:
    """The text of one program."""
    return Generator(seed, shared).program() + "\nBEGIN { exit(); }"
