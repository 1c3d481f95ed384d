"""Random programs of what `random_programs` leaves out: effects inside expressions, compound assignments, branches in
branches and loops in loops, variables of blocks and of narrow types, tuples, predicates, macros.

As there, operands go through maps, and the same seed gives the same text on every Python.
"""

from __future__ import annotations

from tests.lab.random_programs import BINARY, CASTS, NUMBERS, TEXTS, Generator

COMPOUND = ("+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
PREAMBLE = """#define SEVEN 7
macro twice(x) { x * 2 }
macro raise($x, @m, by) { $x += by; @m[1] = $x; }
"""


class Shapes(Generator):
    """Makes the clauses of one program. `shared`: for BPF, which has tuples; SystemTap has none."""

    def program(self, clauses: int = 3) -> str:
        made = [self._steps() for _ in range(clauses)]
        made += [self._compounds() for _ in range(clauses)]
        made += [self._branches() for _ in range(clauses)]
        made += [self._loops_in_loops() for _ in range(clauses)]
        made += [self._narrow() for _ in range(clauses)]
        made += [self._tuples() for _ in range(clauses if self._shared else 0)]
        made += [self._guarded(), self._macros()]
        return PREAMBLE + "\n".join(made)

    def _whole(self, depth: int = 1) -> str:
        return f"(int64){self.number(depth)}"

    def _start(self) -> list[str]:
        """Operands, and the variable and map that the clause changes."""
        return [self._operands(), "$x = $a; @n[1] = $b; @n[2] = $c;"]

    def _all_shown(self, expression: str) -> str:
        """The expression and what it may have changed."""
        self._lines += 1
        return f'printf("{self._lines} %d %d %d %d\\n", {expression}, $x, @n[1], @n[2]);'

    # --- effects -----------------------------------------------------------------------------------------------------

    def _effect(self) -> str:
        """An operand that changes something when it is evaluated."""
        return self._pick("$x++", "$x--", "++$x", "--$x", "@n[1]++", "@n[2]--", "++@n[1]", "--@n[2]")

    def _steps(self) -> str:
        lines = self._start()
        for _ in range(8):
            first, second = self._effect(), self._effect()
            lines.append(
                self._all_shown(
                    self._pick(
                        f"(int64)({first} {self._pick(*BINARY)} {second})",
                        f"({self.number(1)} && {first} > {self.number(0)})",
                        f"({self.number(1)} || {first} != {second})",
                        f"({self.number(1)} ? {first} : {second})",
                        f"({first} > 0 ? {second} : {self._whole()})",
                        f"@n[{first} & 1]",
                    )
                )
            )
        return self._clause(lines)

    def _compounds(self) -> str:
        lines = self._start()
        for _ in range(8):
            target = self._pick("$x", "@n[1]", "@n[2]", "@n[$x & 3]")
            value = self._pick(self._whole(), self._whole(2), "$x", "@n[2]", self._effect())
            lines += [f"{target} {self._pick(*COMPOUND)} {value};", self._all_shown("0")]
        return self._clause(lines)

    # --- control flow ------------------------------------------------------------------------------------------------

    def _branches(self) -> str:
        lines = self._start()
        lines += [self._branch(3) for _ in range(3)]
        return self._clause([*lines, self._all_shown("1")])

    def _branch(self, depth: int) -> str:
        if depth == 0:
            return self._leaf()
        then, other = self._branch(depth - 1), self._branch(depth - 1)
        condition = self._pick(self.number(1), f"{self._effect()} > {self._whole(0)}", "has(struct no_such_struct)")
        return self._pick(
            f"if ({condition}) {{ {then} {self._leaf()} }} else {{ {other} }}",
            f"if ({condition}) {{ {then} }} else if ({self.number(1)}) {{ {other} }} else {{ {self._leaf()} }}",
            f"if ({condition}) {{ {then} }} {other}",
            f"{{ let $y = $x; {then} {self._shown('$y')} }}",
        )

    def _leaf(self) -> str:
        return self._pick(
            f"$x = {self._whole()};",
            f"let $x = {self._whole()}; {self._shown('$x++')}",
            f"$z = {self._whole()}; $x ^= $z;",
            f"{self._effect()};",
            f"@n[1] += {self._whole(0)};",
            self._shown("$x"),
        )

    def _loops_in_loops(self) -> str:
        """What leaves a loop is known when the program is loaded: BPF's verifier goes every way through every round."""
        lines = [*self._start(), "$i = 0;"]
        lines.append(f"while ($i++ < {self._random.randrange(2, 6)}) {{ $j = (int64)0;")
        lines.append(f"  while (1) {{ $j++; if ($j > {self._random.randrange(2, 6)}) {{ break; }}")
        lines.append(f"    if ($j % 2 == {self._pick('0', '1')}) {{ continue; }} $x += $i * 10 + $j; }}")
        lines.append(f"  if ($i & 1) {{ {self._pick('break', 'continue')}; }} $x -= {self._whole(0)}; }}")
        lines.append(self._all_shown("$i"))
        lines.append(f"for ($k : -1..{self._random.randrange(2, 5)}) {{ for ($l : 0..$k) {{")
        lines.append(f"  if ($k == $l + 1) {{ {self._pick('break', 'continue')}; }} @n[1] = @n[1] * 7 + $k + $l; }} }}")
        return self._clause([*lines, self._all_shown("2")])

    def _guarded(self) -> str:
        """A predicate that only the run can tell, and a clause that is left in its middle."""
        lines = [self._operands(), self._shown("$a"), f"if ({self.number(1)}) {{ return; }}", self._shown("$b")]
        return self._clause(lines).replace("BEGIN", f"BEGIN /@n[1] {self._pick('>', '<', '==')} @n[2]/", 1)

    def _macros(self) -> str:
        lines = self._start()
        for _ in range(4):
            lines.append(f"raise($x, @n, {self._whole()});")
            lines.append(self._all_shown(f"(int64)twice({self.number(1)}) + SEVEN"))
        return self._clause(lines)

    # --- types -------------------------------------------------------------------------------------------------------

    def _narrow(self) -> str:
        lines = self._start()
        for number, kind in enumerate(self._random.sample(CASTS[:6], 3)):
            name = f"$n{number}"
            lines.append(f"let {name} : {kind} = {self.number(1)}; {self._shown(name)}")
            lines.append(f"{name} {self._pick(*COMPOUND)} {self.number(1)}; {self._shown(name)}")
            lines.append(f"{name}{self._pick('++', '--')}; {self._shown(f'{name} + $x')}")
            lines.append(self._shown(f"(int64)({name} {self._pick(*BINARY)} {self._pick(*NUMBERS)})"))
            lines.append(f"@w[{number}] = {name}; {self._shown(f'@w[{number}] == {name}')}")
        lines.append(self._shown(f"bswap((uint16){self.number(0)}) + bswap((uint32){self.number(0)})"))
        lines.append(f"let $t : bool = {self.number(1)}; {self._shown('$t + 1')}")
        chain = "".join(f"({self._pick(*CASTS)})" for _ in range(3))
        return self._clause([*lines, self._shown(f"(int64){chain}{self.number(1)}")])

    def _tuple(self) -> str:
        return f'({self._whole()}, "{self._pick(*TEXTS)}", ({self._whole(0)}, {self._whole(0)}))'

    def _tuples(self) -> str:
        lines = [*self._start(), f"$t = {self._tuple()}; $s = {self._tuple()}; print($t);"]
        for _ in range(4):
            lines += [
                self._shown(self._pick("$t.0 + $t.2.1", "$t == $s", "$t != $s", "$t.1 == $s.1", "$t.2 == $s.2")),
                self._pick(
                    f"$t = {self._tuple()}; print($t);",
                    f"$t = {self.number(1)} ? $s : {self._tuple()}; print($t);",
                    f'@v["{self._pick("k", "l")}"] = $t; $s = @v["{self._pick("k", "l")}"]; print($s);',
                    "@k[$t.1, $t.2.0] = $t.0; print(@k[$t.1, $t.2.0]);",
                    f"@q[$t.2] = {self._whole(0)}; {self._shown('has_key(@q, $s.2)')}",
                    "print(($t.2, $x, $t.1));",
                ),
            ]
        return self._clause(lines)


def program(seed: int, shared: bool = False) -> str:
    """The text of one program."""
    return Shapes(seed, shared).program() + "\nBEGIN { exit(); }"
