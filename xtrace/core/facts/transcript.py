"""The transcript of trials on a running RHEL 7 kernel (`trials.txt`), as facts."""

from __future__ import annotations

import re

from xtrace.core.facts.model import Fact, State
from xtrace.core.facts.observe_tracefs import FILES

_TRIED = {
    "kprobe.usable": r"p:g/e do_sys_open",
    "tracefs.fetch.string": r"p:g/e do_sys_open dfd=%di:s32 fn=\+0\(%si\):string fl=%dx:u32",
    "tracefs.fetch.ustring": r"p:g/e do_sys_open fn=\+0\(%si\):ustring",
    "tracefs.fetch.arg_n": r"p:g/e do_sys_open a=\$arg1",
    "tracefs.fetch.comm": r"p:g/e do_sys_open c=\$comm",
    "tracefs.fetch.hex": r"p:g/e do_sys_open c=%di:x64",
    "tracefs.fetch.symbol": r"p:g/e do_sys_open c=%di:symbol",
    "tracefs.fetch.array": r"p:g/e do_sys_open c=\+0\(%si\):u8\[4\]",
    "tracefs.fetch.immediate": r"p:g/e do_sys_open c=\\1",
    "tracefs.fetch.char": r"p:g/e do_sys_open c=%di:char",
    "tracefs.fetch.symstr": r"p:g/e do_sys_open c=\+0\(%si\):symstr",
    "tracefs.fetch.percent_return": r"p:g/e do_sys_open%return r=\$retval",
    "tracefs.maxactive": r"r10:g/e do_sys_open r=\$retval",
    "uprobe.usable": r"p:u/t \S+:0x\w+",
    "uprobe.ref_ctr": r"p:u/t \S+:0x\w+\(0x\w+\)",
    "tracefs.fetch.memory": r"p:u/t \S+:0x\w+ s=\+0\(%di\):string n=%si:s32",
}
"""Fact to the definition, as a regular expression, that was tried for it."""

_DIRECTORY = {fact: name for fact, name in FILES.items() if "/" not in name}
_OPTIONS = {fact: name[len("options/") :] for fact, name in FILES.items() if name.startswith("options/")}
_PROGRAMS = {
    "bpf.prog.kprobe": "kprobe",
    "bpf.prog.tracepoint": "tracepoint",
    "bpf.prog.perf_event": "perf_event",
    "bpf.raw_tracepoint": "raw_tracepoint",
}
_MAPS = {"bpf.map": "array", "bpf.ringbuf": "ringbuf"}


def read_transcript(text: str) -> dict[str, Fact]:
    """Everything that the transcript says about facts of the catalog."""
    facts = {fact: _tried(text, definition) for fact, definition in _TRIED.items()}
    listing = _section(text, "tracing dir").split()
    options = {name[2:] if name.startswith("no") else name for name in _section(text, "options").split()}
    facts.update({fact: _listed(name, listing, "the tracing directory") for fact, name in _DIRECTORY.items()})
    facts.update({fact: _listed(name, sorted(options), "trace_options") for fact, name in _OPTIONS.items()})
    facts.update(_settings(text, listing))
    facts.update(_bpf(text))
    return {name: fact for name, fact in facts.items() if fact.state is not State.UNPROBED}


def _section(text: str, title: str) -> str:
    match = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^### |\Z)", text, re.M | re.S)
    return match[1] if match else ""


def _tried(text: str, definition: str) -> Fact:
    """`OK   DEFINITION  -> WHAT CAME OF IT` or `FAIL DEFINITION (ERROR)`; what came under another name was misread."""
    accepted = re.search(rf"^OK   ({definition})  -> (.+)$", text, re.M)
    if accepted:
        name = accepted[1].split()[0].partition(":")[2]
        if f":{name} " in f"{accepted[2]} ":
            return Fact(State.PRESENT, None, f"tried when recorded: `{accepted[1]}`")
        return Fact(State.UNSUPPORTED, None, f"`{accepted[1]}` was misread as `{accepted[2]}` when recorded")
    failed = re.search(rf"^FAIL ({definition}) \((.+)\)$", text, re.M)
    if failed:
        return Fact(State.UNSUPPORTED, None, f"`{failed[1]}` gave `{failed[2]}` when recorded", 22)
    return Fact(State.UNPROBED)


def _listed(name: str, names: list[str], where: str) -> Fact:
    if not names:
        return Fact(State.UNPROBED)
    found = name in names
    return Fact(State.PRESENT if found else State.ABSENT, None, f"{name} was {'' if found else 'not '}in {where}")


def _settings(text: str, listing: list[str]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    path = re.search(r"^tracedir=(\S+)$", text, re.M)
    if path:
        facts["tracefs.path"] = Fact(State.PRESENT, path[1], "recorded")
    clocks = _section(text, "trace_clock").replace("[", "").replace("]", "").split()
    if clocks:
        facts["tracefs.clocks"] = Fact(State.PRESENT, clocks, "trace_clock was recorded")
    if "trigger: No such file or directory" in text:
        lacking = Fact(State.ABSENT, None, "events had no trigger file when recorded", 2)
        facts.update(dict.fromkeys(("tracefs.triggers", "tracefs.hist_triggers", "tracefs.hist_variables"), lacking))
    if "synthetic_events" not in listing and listing:
        facts["tracefs.synthetic"] = Fact(State.ABSENT, None, "no synthetic_events when recorded")
    if "dynamic_events" not in listing and listing:
        lacking = Fact(State.ABSENT, None, "no dynamic_events when recorded")
        facts.update(
            dict.fromkeys(
                ("tracefs.eprobes", "tracefs.fprobe_events", "tracefs.tprobe_events", "tracefs.btf_args"), lacking
            )
        )
    if "same name other symbol: accepted" in text:
        facts["tracefs.same_event_many_probes"] = Fact(
            State.UNSUPPORTED, None, "a second probe of one name replaced the first when recorded"
        )
    instance = re.findall(r"^available_tracers .*$", _section(text, "instance"), re.M)
    if instance:
        facts["tracefs.instance_options"] = _listed("options", instance[0].split(), "an instance")
    pmus = _section(text, "perf pmus").split()
    facts["kprobe.pmu"] = _listed("kprobe", pmus, "the perf PMUs")
    facts["uprobe.pmu"] = _listed("uprobe", pmus, "the perf PMUs")
    return facts


def _bpf(text: str) -> dict[str, Fact]:
    section = _section(text, "bpf")
    if "errno=22" not in section:
        return {}
    facts = {"bpf.syscall": Fact(State.PRESENT, None, "bpf(2) answered with EINVAL when recorded")}
    for title, names in (("progs", _PROGRAMS), ("maps", _MAPS)):
        line = re.search(rf"^{title}: (.*)$", section, re.M)
        for fact, name in names.items() if line else ():
            words = line[1].split() if line else []
            if name in words:
                facts[fact] = Fact(State.PRESENT, None, f"{name} was accepted when recorded")
            elif f"[{name}:22]" in words:
                facts[fact] = Fact(State.UNSUPPORTED, None, f"{name} was refused when recorded", 22)
    if "bounded loop: Invalid argument" in section:
        facts["bpf.bounded_loops"] = Fact(State.UNSUPPORTED, None, "a bounded loop was refused when recorded", 22)
    return facts
