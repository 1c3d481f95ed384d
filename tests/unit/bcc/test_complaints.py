"""A failure is told by the lines that matter, with a code and a hint."""

from __future__ import annotations

import os

import pytest

from xtrace.backends.bcc.complaints import complaint, relevant_lines
from xtrace.core.errors import BackendError, PrivilegeError

CLANG = """\
In file included from <built-in>:2:
/virtual/main.c:3:1: warning: something small
/virtual/main.c:9:5: error: use of undeclared identifier 'x'
    x = 1;
    ^
1 error generated.
"""
VERIFIER = """\
bpf: Failed to load program: Permission denied
0: (bf) r6 = r1
1: (79) r1 = *(u64 *)(r6 +4000)
invalid bpf_context access off=4000 size=8
processed 2 insns (limit 1000000) max_states_per_insn 0
"""


def test_clang_is_quoted_by_its_errors() -> None:
    assert relevant_lines(CLANG) == ["/virtual/main.c:9:5: error: use of undeclared identifier 'x'"]


def test_the_verifier_is_quoted_by_its_verdict() -> None:
    assert relevant_lines(VERIFIER)[-1] == "invalid bpf_context access off=4000 size=8"


@pytest.mark.parametrize(
    ("stage", "code"), [("compile", "XT0707"), ("run", "XT0708"), ("die", "XT0709")], ids=lambda text: str(text)
)
def test_codes(stage: str, code: str) -> None:
    error = complaint(stage, "no", "")
    assert isinstance(error, BackendError)
    assert error.diagnostics[0].code == code and error.diagnostics[0].hints


def test_bccs_word_for_eperm_is_believed_of_others_than_root(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Need super-user privileges to run"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert isinstance(complaint("run", text, ""), PrivilegeError)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    error = complaint("run", text, "")
    assert isinstance(error, BackendError) and "lockdown" in error.diagnostics[0].hints[0]


def test_a_missing_module_is_named() -> None:
    error = complaint("compile", "ModuleNotFoundError: No module named 'bcc'", "")
    assert "python3-bpfcc" in error.diagnostics[0].hints[0]
