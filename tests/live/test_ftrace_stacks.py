"""Stacks are recorded for the events that ask for them, and belong to the right event."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.ftrace_session import (
    TID,
    Waiting,
    compiled,
    emits,
    needs_compiler,
    needs_tracefs,
    program,
    run,
    tracepoint,
    values,
)
from xtrace.core import ir
from xtrace.core.messages import StackValue
from xtrace.core.types import Stack

pytestmark = [pytest.mark.live, needs_tracefs]

KSTACK = ir.Builtin("kstack", Stack(False))
USTACK = ir.Builtin("ustack", Stack(True))
LOOP = f"exec {sys.executable} -c 'import os\nfor _ in range(50): os.getppid(); os.getuid()'"


def test_a_kernel_stack_comes_with_each_event_that_asks() -> None:
    asks, plain = tracepoint("syscalls", "sys_enter_getppid"), tracepoint("syscalls", "sys_enter_getuid")
    with Waiting(LOOP) as shell:
        clauses = (ir.Clause((asks,), None, emits(KSTACK)), ir.Clause((plain,), None, emits(ir.Text("plain"))))
        seen = values(run(program(*clauses, scope=ir.Scope(shell.pid)), shell.run))
    stacks = [row[0] for row in seen if isinstance(row[0], StackValue)]
    assert len(stacks) == 50
    assert all(stack.addresses and stack.pid == 0 for stack in stacks)
    assert len({stack.addresses for stack in stacks}) == 1


def test_depth_is_kept_within_what_was_asked() -> None:
    asks = tracepoint("syscalls", "sys_enter_getppid")
    two = ir.Builtin("kstack", Stack(False, depth=2))
    with Waiting(LOOP) as shell:
        seen = values(run(program(ir.Clause((asks,), None, emits(two)), scope=ir.Scope(shell.pid)), shell.run))
    assert {len(row[0].addresses) for row in seen} == {2}


SOURCE = """
#include <unistd.h>
#include <sys/syscall.h>
__attribute__((noinline)) long leaf(void) { return syscall(SYS_getppid) + 1; }
__attribute__((noinline)) long middle(void) { return leaf() + 1; }
int main(void) { for (int i = 0; i < 5; i++) middle(); return 0; }
"""


@needs_compiler
def test_user_stacks_carry_their_process(tmp_path: Path) -> None:
    binary = compiled(tmp_path, SOURCE, "-fno-omit-frame-pointer", "-static")
    asks = tracepoint("syscalls", "sys_enter_getppid")
    with Waiting(f"exec {binary}") as shell:
        made = program(ir.Clause((asks,), None, emits(USTACK, KSTACK, TID)), scope=ir.Scope(shell.pid))
        seen = values(run(made, shell.run))
    assert len(seen) == 5
    for user, kernel, tid in seen:
        assert user.pid == tid == shell.pid
        assert len(user.addresses) >= 3 and kernel.addresses
    assert os.getpid() != shell.pid


@needs_compiler
def test_stacks_of_a_process_that_ended_have_names_and_leave_no_caller_out(tmp_path: Path) -> None:
    binary = compiled(tmp_path, SOURCE, "-fno-omit-frame-pointer")
    text = f'uprobe:"{binary}":leaf {{ @[ustack(3)] = count(); }}'
    words = [sys.executable, "-m", "xtrace", "trace", "--backend", "ftrace", "--json", "-e", text]
    done = subprocess.run([*words, "-c", f"sh -c '{binary}; true'"], capture_output=True, text=True, check=True)
    stacks = [
        [frame.partition("+")[0] for frame in entry["key"][0]]
        for item in map(json.loads, done.stdout.splitlines())
        if item["schema"] == "xtrace.map/1"
        for entry in item["entries"]
    ]
    # The compiler may unroll the loop: then main calls from several places.
    assert stacks and all(stack == ["leaf", "middle", "main"] for stack in stacks), done.stdout


MADE = r"""
#include <string.h>
#include <sys/mman.h>
__attribute__((noinline)) long caller(long (*code)(void)) { return code() + 1; }
int main(void) {
    /* push %rbp; mov %rsp,%rbp; mov $110,%eax (getppid); syscall; pop %rbp; ret */
    static const char code[] = "\x55\x48\x89\xe5\xb8\x6e\0\0\0\x0f\x05\x5d\xc3";
    void *place = mmap((void *)0x7e0000000000, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    memcpy(place, code, sizeof code);
    return caller(place) == 0;
}
"""


@needs_compiler
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the code that the program makes is for x86-64")
def test_code_that_a_program_made_is_shown_by_its_address(tmp_path: Path) -> None:
    binary = compiled(tmp_path, MADE, "-fno-omit-frame-pointer")
    text = 'tracepoint:syscalls:sys_enter_getppid /comm == "target"/ { printf("%s\\n", ustack(3)); }'
    words = [
        sys.executable,
        "-m",
        "xtrace",
        "trace",
        "-q",
        "--backend",
        "ftrace",
        "-e",
        text,
        "-c",
        f"sh -c '{binary}; true'",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    frames = [line.strip().partition("+")[0] for line in done.stdout.splitlines() if line.strip()]
    assert frames == ["0x7e000000000b", "caller", "main"], done.stdout + done.stderr
