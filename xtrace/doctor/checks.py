"""The checks that xtrace ships, each a function from facts to findings; its docstring's first line is its title."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from xtrace.core.facts import packages
from xtrace.core.facts.model import HostFacts, State
from xtrace.core.plan.model import Finding
from xtrace.core.session.namespaces import SHARE_IDS, own_process_ids

_STARTS = 4096
"""Bytes of a program that tell whether it is ours."""


def caller(facts: HostFacts) -> tuple[Finding, ...]:
    """Who runs xtrace, and from where."""
    uid = facts.fact("caller.uid")
    held = facts.fact("caller.capabilities").value
    admin = isinstance(held, list) and "sys_admin" in held
    if uid.value != 0 and uid.yes and not admin:
        words = f"user {uid.value}: much of what follows may be unknown, because only root may look"
        first = Finding("privileges", "warn", words, "sudo xtrace doctor")
    elif uid.value == 0 and isinstance(held, list) and not admin:
        remedy = "run it outside of the container, or give the container CAP_SYS_ADMIN (--privileged)"
        first = Finding("privileges", "warn", "root, but without CAP_SYS_ADMIN", remedy)
    else:
        first = Finding("privileges", "ok" if uid.yes else "unknown", uid.evidence or f"user {uid.value}")
    return (first, *_container(facts))


def _container(facts: HostFacts) -> Iterator[Finding]:
    inside, own = facts.fact("caller.container"), facts.fact("caller.initial_namespaces")
    if own_process_ids(facts):
        words = f"{own.evidence}: events carry the host's process ids, so that -p, -c and --follow cannot serve"
        yield Finding("namespaces", "warn", words, SHARE_IDS)
    elif own.no:
        yield Finding("namespaces", "warn", f"{own.evidence}: --uid and --cgroup go by the host's", SHARE_IDS)
    if inside.yes:
        words = f"{inside.evidence}: paths of programs and libraries are the container's own"
        yield Finding("container", "warn", words, "run xtrace on the host to probe the host's programs")
    elif not own.no:
        yield Finding("container", "ok" if inside.no else "unknown", inside.evidence)


def lockdown(facts: HostFacts) -> tuple[Finding, ...]:
    """Kernel lockdown and what it takes away."""
    fact = facts.fact("kernel.lockdown")
    if fact.value == "confidentiality":
        remedy = "boot with lockdown=integrity or lockdown=none (Secure Boot may set it)"
        return (Finding("lockdown", "fail", "confidentiality: the kernel refuses kprobes, BPF reads and perf", remedy),)
    if fact.value == "integrity":
        remedy = "sign SystemTap's modules, or use another backend"
        return (Finding("lockdown", "warn", "integrity: unsigned modules are refused", remedy),)
    return (Finding("lockdown", "ok" if fact.yes or fact.no else "unknown", fact.evidence),)


def types(facts: HostFacts) -> tuple[Finding, ...]:
    """Kernel types, for struct members and function arguments by name."""
    btf, debug = facts.fact("bpf.btf"), facts.fact("kernel.debuginfo")
    if btf.yes:
        return (Finding("kernel types", "ok", f"BTF: {btf.value}"), _debuginfo(facts))
    if debug.yes:
        return (Finding("kernel types", "ok", f"DWARF: {debug.value}"),)
    if not btf.no:
        return (Finding("kernel types", "unknown", btf.evidence),)
    words = f"no BTF ({btf.evidence}): members of kernel structs are known only where a prototype or offsets are given"
    return (Finding("kernel types", "warn", words, packages.command(facts, packages.DEBUGINFO)),)


def _debuginfo(facts: HostFacts) -> Finding:
    fact = facts.fact("kernel.debuginfo")
    if fact.yes:
        return Finding("debuginfo", "ok", str(fact.value))
    words = f"not found ({fact.evidence}): functions that the compiler inlined cannot be probed"
    return Finding("debuginfo", "skip", words, packages.command(facts, packages.DEBUGINFO))


def symbols(facts: HostFacts) -> tuple[Finding, ...]:
    """Names of kernel functions, for kprobes and stacks."""
    names, restrict = facts.fact("kernel.kallsyms"), facts.fact("kernel.kptr_restrict")
    if not names.yes:
        remedy = "stacks show addresses, and functions are not checked before they are probed"
        return (Finding("kallsyms", "warn" if names.no else "unknown", names.evidence, remedy),)
    if restrict.value == 2:
        words = "kernel.kptr_restrict is 2: addresses are hidden from everybody, so stacks have no names"
        return (Finding("kallsyms", "warn", words, "sysctl kernel.kptr_restrict=1"),)
    return (Finding("kallsyms", "ok", names.evidence),)


def switches(facts: HostFacts) -> tuple[Finding, ...]:
    """Switches of the kernel that turn tracing off."""
    fact = facts.fact("kernel.ftrace_enabled")
    if fact.yes and fact.value in (0, "0", False):
        words = "kernel.ftrace_enabled is 0: kprobes on function entries cost more and some probes never fire"
        return (Finding("ftrace switch", "warn", words, "sysctl kernel.ftrace_enabled=1"),)
    return (Finding("ftrace switch", "ok" if fact.yes else "skip", fact.evidence),)


def foreign_bcc(facts: HostFacts) -> tuple[Finding, ...]:
    """Another project's Python module called bcc."""
    fact = facts.fact("bcc.foreign")
    if fact.yes:
        remedy = "pip uninstall bcc: the BPF Compiler Collection comes as a package of the distribution only"
        return (Finding("foreign bcc", "warn", fact.evidence, remedy),)
    return (Finding("foreign bcc", "ok" if fact.no else "skip", fact.evidence),)


def command_on_path(facts: HostFacts) -> tuple[Finding, ...]:
    """What the command `xtrace` means for a shell."""
    if facts.recorded:
        return (Finding("command", "skip", "a recording does not tell"),)
    found = list(_commands("xtrace"))
    foreign = [str(path) for path in found if not _ours(path)]
    if found and not _ours(found[0]):
        words = f"typing xtrace runs {found[0]}, another program (Debian's X11 xtrace, glibc-utils' xtrace)"
        return (Finding("command", "warn", words, f"put {Path(sys.executable).parent} first in PATH"),)
    if not found:
        remedy = f"put {Path(sys.executable).parent} into PATH, or use python -m xtrace"
        return (Finding("command", "skip", "no xtrace on PATH", remedy),)
    others = f"; later on PATH: {', '.join(foreign)}" if foreign else ""
    return (Finding("command", "ok", f"{found[0]}{others}"),)


def _commands(name: str) -> Iterator[Path]:
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory or ".", name)  # noqa: PTH118 - Path.is_file raises in closed directories
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            yield Path(path)


def _ours(path: Path) -> bool:
    """Does it start this package? The other programs of this name do not name its module."""
    try:
        with path.open("rb") as stream:
            text = stream.read(_STARTS)
    except OSError:
        return False
    return b"xtrace.cli.main" in text or b"-m xtrace" in text


def leftovers(facts: HostFacts) -> tuple[Finding, ...]:
    """What killed sessions left in tracefs."""
    from xtrace.core.errors import XtraceError
    from xtrace.doctor.leavings import cleaned, words

    if facts.recorded or not facts.fact("tracefs.path").yes:
        return (Finding("leftovers", "skip", "tracefs is not here to look into"),)
    try:
        found = cleaned(facts, dry_run=True).found
    except XtraceError as error:
        return (Finding("leftovers", "unknown", str(error)),)
    if found:
        return tuple(Finding("leftovers", "warn", words(one), "xtrace clean") for one in found)
    return (Finding("leftovers", "ok", "none"),)


def kernel_configuration(facts: HostFacts) -> tuple[Finding, ...]:
    """Options of the kernel that tracing needs, where its configuration can be read."""
    if facts.fact("kernel.config").state is not State.PRESENT:
        return (Finding("configuration", "skip", facts.fact("kernel.config").evidence),)
    return tuple(_option(name, use, facts) for name, use in _OPTIONS.items())


_OPTIONS = {
    "CONFIG_TRACING": "tracefs",
    "CONFIG_PERF_EVENTS": "profile probes",
    "CONFIG_STACKTRACE": "stacks",
    "CONFIG_FTRACE_SYSCALLS": "system calls by name",
}


def _option(name: str, use: str, facts: HostFacts) -> Finding:
    fact = facts.config(name)
    if fact.yes:
        return Finding(name, "ok", fact.evidence)
    words = f"{fact.evidence or 'not set'}: no {use}"
    return Finding(name, "warn" if fact.no else "unknown", words, "a kernel that is built with it")
