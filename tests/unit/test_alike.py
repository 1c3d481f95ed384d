"""What differs in one word is said once."""

from __future__ import annotations

from xtrace.core.alike import said_once, told_once
from xtrace.core.errors import Diagnostic
from xtrace.core.lang.source import Source, Span


def test_the_others_are_named_behind_the_first() -> None:
    texts = ["there is no tracepoint a:b here", "the kernel is old", "there is no tracepoint a:c here"]
    assert said_once(texts) == ["there is no tracepoint a:b here; the same of c", "the kernel is old"]


def test_a_word_may_stand_several_times() -> None:
    assert said_once([f"kprobe:{name}: {name} is inlined" for name in ("f", "g", "h")]) == [
        "kprobe:f: f is inlined; the same of g and h"
    ]


def test_two_words_are_another_matter() -> None:
    texts = ["f is inlined", "g is absent"]
    assert said_once(texts) == texts


def test_the_larger_group_wins() -> None:
    assert said_once(["no f here", "no f there", "no g here", "no h here"]) == [
        "no f here; the same of g and h",
        "no f there",
    ]


def absent(name: str, hint: str = "look for {}", code: str = "XT0502", span: Span | None = None) -> Diagnostic:
    return Diagnostic(code, f"{name} is absent", span, (hint.format(name),))


def test_hints_may_have_the_word_too_and_few_words_are_shown() -> None:
    (told,) = told_once([absent(f"f{number}") for number in range(10)])
    assert told.message == "f0 is absent; the same of f1, f2, f3, f4 and 5 more"
    assert told.hints == ("look for f0",)


def test_other_codes_places_and_hints_stay_apart() -> None:
    span = Span(Source("-e", "kprobe:f"), 0, 8)
    all_different = [absent("f"), absent("g", code="XT0503"), absent("h", span=span), absent("i", "ask the vendor")]
    assert told_once(all_different) == all_different


def test_nothing_and_the_empty_text() -> None:
    assert said_once([]) == []
    assert said_once(["", ""]) == [""]
