"""Whatever a string holds, the target language reads back exactly that string, or quoting refuses it."""

from __future__ import annotations

import ast
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.core import quoting
from xtrace.core.quoting import Code, QuotingError, finalize

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
NASTY = st.sampled_from(["a\nb", "'; rm -rf /", '"', "\\", "??/", "#", "$(id)", "`id`", "-:victim/x", "é", "\udcff"])


@given(TEXT | NASTY)
def test_a_c_string_reads_back(value: str) -> None:
    literal = quoting.c_str(value)
    assert "\n" not in literal and literal.isascii() and "??" not in literal
    assert ast.literal_eval("b" + literal) == value.encode("utf-8", "surrogateescape")


@given(TEXT | NASTY)
def test_a_shell_word_reads_back(value: str) -> None:
    import shlex

    if "\0" in value:
        with pytest.raises(QuotingError):
            quoting.sh_quote(value)
    else:
        assert shlex.split(quoting.sh_quote(value)) == [value]


@pytest.mark.skipif(shutil.which("dash") is None, reason="needs dash")
def test_dash_reads_the_nasty_ones_back() -> None:
    for value in ("a\nb", "'; exit 3; '", '"$(id)`', "\\", "#x", " ", "é", "-n"):
        script = f"printf '%s' {quoting.sh_quote(value)}"
        assert subprocess.run(["dash", "-c", script], capture_output=True, check=True).stdout == value.encode()


@given(TEXT | NASTY)
def test_a_tracefs_word_is_one_word_or_refused(value: str) -> None:
    try:
        word = quoting.tracefs_token(value)
    except QuotingError:
        return
    assert word == value and word.split() == [word] and "#" not in word and "\n" not in word


@given(TEXT | NASTY)
def test_a_filter_string_ends_where_it_should(value: str) -> None:
    try:
        quoted = quoting.tracefs_filter(value)
    except QuotingError:
        return
    assert quoted[0] == quoted[-1] and quoted[0] not in quoted[1:-1] and quoted[1:-1] == value
    assert all(character >= " " for character in quoted)


@pytest.mark.parametrize("value", ["", "9a", "a-b", "int", "a b", "é"])
def test_c_identifiers_are_checked(value: str) -> None:
    with pytest.raises(QuotingError):
        quoting.c_ident(value)
    assert quoting.c_ident("_a9") == "_a9"


def test_templates_print_only_code_and_integers() -> None:
    from xtrace.core.render import environment

    environment_ = environment("ftrace")
    assert environment_.from_string("{{ n }} {{ c }}").render(n=3, c=Code("x")) == "3 x"
    assert environment_.from_string("{{ s | sh_quote }}").render(s="a b") == "'a b'"
    for bad in ("text", True, None, 1.5):
        with pytest.raises(QuotingError):
            environment_.from_string("{{ s }}").render(s=bad)
    with pytest.raises(QuotingError):
        finalize(Code("a") + "b")
