"""The collector: a POSIX shell script for hosts that have no Python for xtrace, and the import of what it writes.

The script copies the files that `LiveHost` would read; the same code then reads them here. Nothing is tried there.
"""

from __future__ import annotations

import json
import re
from typing import BinaryIO

from xtrace import __version__
from xtrace.core.facts import kernel_config, observe_engines, observe_tracefs
from xtrace.core.facts.collected import Collected, CollectedFiles, read_collected
from xtrace.core.facts.live import BLACKLIST, LiveHost
from xtrace.core.facts.model import Fact, State
from xtrace.core.facts.observe_kernel import HEADER_FILES, LOCKDOWN, SECURE_BOOT, system_map_places
from xtrace.core.facts.recording import RecordedHost
from xtrace.core.quoting import Code, sh_quote

_TEXTS = (
    "/etc/os-release", "/usr/lib/os-release", "/etc/redhat-release", "/etc/system-release", "/etc/SuSE-release",
    "/proc/self/status", "/proc/sys/kernel/version", "/proc/sys/kernel/cap_last_cap",
    "/proc/sys/kernel/modules_disabled", "/proc/sys/kernel/ftrace_enabled",
    "/proc/sys/kernel/perf_event_paranoid", "/proc/sys/kernel/kptr_restrict",
    "/proc/sys/kernel/unprivileged_bpf_disabled", "/proc/sys/net/core/bpf_jit_enable",
    "/sys/module/module/parameters/sig_enforce", "/sys/bus/event_source/devices/kprobe/type",
    "/sys/bus/event_source/devices/uprobe/type", LOCKDOWN, BLACKLIST,
)  # fmt: skip
_BINARIES = ("/sys/kernel/notes", SECURE_BOOT)
_THERE = ("/sys/firmware/efi", "/sys/kernel/kheaders.tar.xz", "/.dockerenv", "/run/.containerenv",
          "/run/systemd/container")  # fmt: skip
_TRACING_TEXTS = ("README", "available_events", "available_filter_functions", "trace_clock", "buffer_size_kb")
_PROGRAMS = ("stap", "staprun", "gcc", "clang", "bpftrace", "perf")


def collector_script() -> str:
    """The script, to be run by sh on the host: `sh collect.sh > host.txt`."""
    from xtrace.core.render import environment

    templates = environment("facts")
    templates.filters.update(release=_release_path, words=_words)
    return templates.get_template("collect.sh.j2").render(
        version=sh_quote(__version__),
        bcc_question=observe_engines.ASK_BCC,
        texts=_TEXTS,
        binaries=_BINARIES,
        there=_THERE,
        configurations=kernel_config.places("RELEASE"),
        release_texts=[f"/lib/modules/RELEASE/build/{name}" for name in HEADER_FILES],
        release_sized=system_map_places("RELEASE"),
        release_directories=("/lib/modules/RELEASE/kernel/kernel",),
        tracing_texts=_TRACING_TEXTS,
        tracing_there=sorted(set(observe_tracefs.FILES.values())),
        programs=_PROGRAMS,
        versions=[(name, option) for name, (option, _) in observe_engines.VERSIONS.items()],
        pythons=observe_engines.PYTHONS,
    )


def _release_path(path: str) -> Code:
    """A shell word in which RELEASE stands for the running kernel's release."""
    before, _, after = path.partition("RELEASE")
    if "RELEASE" not in path:
        return sh_quote(path)
    return Code(f'{sh_quote(before)}"$release"{sh_quote(after) if after else ""}')


def _words(values: tuple[str, ...]) -> Code:
    return Code(" ".join(_release_path(value) for value in values))


# --- import -----------------------------------------------------------------------------------------------------------


def import_collected(stream: BinaryIO, source: str = "collected", redact: bool = True) -> RecordedHost:
    """The host that a collector's archive describes. Raises XtraceError XT0408, OSError."""
    from xtrace.core.facts.bundle import bundle_files

    collected = read_collected(stream)
    host = LiveHost(
        release=collected.words.get("release", ""),
        arch=collected.words.get("arch", ""),
        files=CollectedFiles(collected),
    )
    host.learn(_told(collected))
    return RecordedHost(bundle_files(host, redact, method="collector"), source)


def _told(collected: Collected) -> dict[str, Fact]:
    """Facts that the script asked programs for."""
    facts: dict[str, Fact] = {}
    uid = collected.words.get("uid", "")
    if uid.isdecimal():
        facts["caller.uid"] = Fact(State.PRESENT, int(uid), "id -u")
    if collected.words.get("version"):
        facts["kernel.version"] = Fact(State.PRESENT, collected.words["version"], "uname -v")
    for name, (option, pattern) in observe_engines.VERSIONS.items():
        facts[f"{name}.version"] = _version(collected, name, option, pattern)
    facts["bcc.python"] = _bcc(collected)
    return {name: fact for name, fact in facts.items() if fact.state is not State.UNPROBED}


def _version(collected: Collected, name: str, option: str, pattern: str) -> Fact:
    path = next((title for title in collected.answers if title.rpartition("/")[2] == name), None)
    if path is None:
        return Fact(State.ABSENT, None, f"no program {name}")
    match = re.search(pattern, collected.answers[path], re.M)
    if not match:
        return Fact(State.UNPROBED)
    return Fact(State.PRESENT, {"path": path, "version": match[1]}, f"{path} {option}: {match[0]}")


def _bcc(collected: Collected) -> Fact:
    asked = []
    for title, text in collected.answers.items():
        word, _, python = title.partition(" ")
        if word != "bcc":
            continue
        asked.append(python)
        line = next((line for line in text.splitlines() if line.startswith("{")), "null")
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if isinstance(answer, dict) and answer.get("own"):
            value = {"path": python, "version": str(answer.get("version")), "python_version": answer["python_version"]}
            return Fact(State.PRESENT, value, f"{python} imports bcc.BPF from {answer.get('file')}")
    return Fact(State.ABSENT, None, f"no bcc.BPF in {', '.join(asked) or 'any Python: there is none'}")
