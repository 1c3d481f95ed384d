"""Facts of a recorded host that nobody asked, told from what was recorded: symbols, configuration, event names.

Every such fact says `composed` in its evidence. A symbol that only a feature brings proves the feature; where a
symbol's absence proves nothing (compilers inline), the configuration must speak, or the fact stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Optional

from xtrace.core.facts import compat_calls
from xtrace.core.facts.model import Fact, State

if TYPE_CHECKING:
    from xtrace.core.facts.recording import RecordedHost

_TRACING = re.compile(
    r"CONFIG_(HAVE_)?(K|U|F)?(RET)?PROBE|CONFIG_.*(FTRACE|TRACING|TRACER|TRACEFS|BPF|BTF|HIST_TRIG|SYNTH_EV|DYNAMIC_EV"
    r"|EVENT_TRAC|STACKTRACE|KHEADERS|MODULE_SIG|LOCKDOWN|KALLSYMS|FUNCTION_ARG_ACCESS|DEBUG_INFO|PERF_EVENTS|DEBUG_FS)"
)


def about_tracing(option: str) -> bool:
    """Is the option one that partial recordings of a configuration list when set?"""
    return bool(_TRACING.match(option))


@dataclass(frozen=True)
class Rule:
    """Present where the kernel has one of `symbols` or sets `config`; else absent if `decisive`, else unknown.

    `decisive` is "symbols" where these cannot be inlined, "config" where the option decides.
    """

    symbols: tuple[str, ...] = ()
    config: str = ""
    decisive: str = ""
    value: object = None


_KPROBE_EVENTS = Rule(
    ("trace_kprobe_create", "create_trace_kprobe", "init_kprobe_trace"), "CONFIG_KPROBE_EVENTS", "symbols"
)
_UPROBE_EVENTS = Rule(
    ("trace_uprobe_create", "create_trace_uprobe", "init_uprobe_trace"), "CONFIG_UPROBE_EVENTS", "symbols"
)
_BPF = tuple(f"{prefix}sys_bpf" for prefix in ("__x64_", "__arm64_", "__s390x_", "__riscv_", "__se_", "SyS_", ""))
_PERF = tuple(
    f"{prefix}sys_perf_event_open" for prefix in ("__x64_", "__arm64_", "__s390x_", "__riscv_", "__se_", "SyS_", "")
)
_HIST = Rule(
    ("event_hist_trigger", "event_hist_trigger_parse", "event_hist_trigger_func"), "CONFIG_HIST_TRIGGERS", "config"
)
_SYNTHETIC = Rule(
    ("synth_event_create", "create_synth_event", "create_or_delete_synth_event"), "CONFIG_SYNTH_EVENTS", "symbols"
)
_FPROBES = Rule(("trace_fprobe_create", "__trace_fprobe_create"), "CONFIG_FPROBE_EVENTS", "config")
_EVENT_PID = Rule(("ftrace_event_pid_write",), "", "symbols")
_APPEND = Rule(("trace_probe_append",), "", "symbols")
_USER_STRINGS = ("strncpy_from_unsafe_user", "strncpy_from_user_nofault")

RULES: Mapping[str, Rule] = {
    "kprobe.usable": _KPROBE_EVENTS,
    "tracefs.kprobe_events": _KPROBE_EVENTS,
    "uprobe.usable": _UPROBE_EVENTS,
    "tracefs.uprobe_events": _UPROBE_EVENTS,
    "kprobe.pmu": Rule(("perf_kprobe_init",)),
    "uprobe.pmu": Rule(("perf_uprobe_init",)),
    # Since Linux 3c83a9ad0295 (v6.12) uprobe_register takes the reference counter itself.
    "uprobe.ref_ctr": Rule(("uprobe_register_refctr", "uprobe_unregister_nosync"), "", "symbols"),
    "tracefs.instances": Rule(("instance_mkdir",), "", "symbols"),
    "tracefs.instance_options": _EVENT_PID,
    "tracefs.set_event_pid": _EVENT_PID,
    "tracefs.set_event_notrace_pid": Rule(("ftrace_event_npid_write",)),
    "tracefs.event_fork": Rule(("event_filter_pid_sched_process_fork", "trace_filter_add_remove_task")),
    "tracefs.triggers": Rule(("event_triggers_call", "event_trigger_write"), "", "symbols"),
    "tracefs.hist_triggers": _HIST,
    "tracefs.synthetic_events": _SYNTHETIC,
    "tracefs.synthetic": _SYNTHETIC,
    "tracefs.dynamic_events": Rule(("dyn_event_register",)),
    "tracefs.eprobes": Rule(("trace_eprobe_create", "__trace_eprobe_create")),
    "tracefs.fprobe_events": _FPROBES,
    "tracefs.tprobe_events": _FPROBES,
    "tracefs.btf_args": Rule((), "CONFIG_PROBE_EVENTS_BTF_ARGS", "config"),
    "tracefs.fetch.hex": Rule(("print_type_x64",), "", "symbols"),
    # v4.7, in the same series as the types x8 to x64.
    "tracefs.fetch.comm": Rule(("print_type_x64", "fetch_comm_string"), "", "symbols"),
    "tracefs.fetch.string": Rule(("print_type_string", "fetch_memory_string"), "", "symbols"),
    "tracefs.fetch.memory": Rule(("print_type_x64", "fetch_file_offset_u64")),
    "tracefs.fetch.symbol": Rule(("print_type_symbol",), "", "symbols"),
    # v4.20, in the same series as the type symbol.
    "tracefs.fetch.array": Rule(("print_type_symbol",), "", "symbols"),
    "tracefs.fetch.arg_n": Rule(("print_type_symbol",), "", "symbols"),
    "tracefs.fetch.ustring": Rule(_USER_STRINGS),
    "tracefs.fetch.immediate": _APPEND,
    "tracefs.same_event_many_probes": _APPEND,
    "tracefs.fetch.char": Rule(("print_type_char",), "", "symbols"),
    "tracefs.fetch.symstr": Rule(("print_type_symstr",)),
    "tracefs.filter.string": Rule(("filter_pred_string", "filter_match_preds", "apply_event_filter")),
    "tracefs.filter.ustring": Rule(("filter_pred_pchar_user",)),
    "tracefs.filter.bits": Rule(("print_type_x64",)),
    "tracefs.error_log": Rule(("tracing_log_err",)),
    "tracefs.buffer_percent": Rule(("buffer_percent_write",)),
    "tracefs.subbuf_size": Rule(("buffer_subbuf_size_write",)),
    "tracefs.stack_option": Rule(("__ftrace_trace_stack", "ftrace_trace_stack"), "CONFIG_STACKTRACE", "symbols"),
    "tracefs.user_stack_option": Rule(("ftrace_trace_userstack",), "CONFIG_USER_STACKTRACE_SUPPORT"),
    "tracefs.record_tgid": Rule(("saved_tgids_next",)),
    "bpf.syscall": Rule(_BPF, "CONFIG_BPF_SYSCALL", "symbols"),
    "bpf.map": Rule(_BPF, "CONFIG_BPF_SYSCALL", "symbols"),
    "bpf.btf": Rule((), "CONFIG_DEBUG_INFO_BTF", "config", "/sys/kernel/btf/vmlinux"),
    "bpf.module_btf": Rule((), "CONFIG_DEBUG_INFO_BTF_MODULES", "config"),
    "bpf.ringbuf": Rule(("bpf_ringbuf_output",), "", "symbols"),
    "bpf.raw_tracepoint": Rule(("raw_tp_prog_func_proto", "bpf_raw_tp_link_attach", "bpf_raw_tracepoint_open")),
    "bpf.prog.kprobe": Rule(("kprobe_prog_func_proto",), "", "symbols"),
    "bpf.prog.tracepoint": Rule(("tp_prog_func_proto",)),
    "bpf.prog.perf_event": Rule(("pe_prog_func_proto",)),
    "bpf.bounded_loops": Rule(("mark_chain_precision", "__mark_chain_precision")),
    "bpf.memcg_accounting": Rule(("bpf_map_kmalloc_node",)),
    # Debian 12 has bpf_kprobe_multi_link_attach but no fprobe to carry it.
    "bpf.kprobe_multi": Rule(("register_fprobe",), "", "symbols"),
    "bpf.fentry": Rule((), "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "config"),
    "perf.open": Rule(_PERF),
    "perf.self": Rule(_PERF),
}


README: Mapping[str, str] = {
    "uprobe.ref_ctr": "ref_ctr_offset",
    "tracefs.eprobes": "e[:",
    "tracefs.fprobe_events": "f[:",
    "tracefs.tprobe_events": "t[:",
    "tracefs.btf_args": "<argname>",
    "tracefs.fetch.comm": "$comm",
    "tracefs.fetch.arg_n": "$arg<N>",
    "tracefs.fetch.ustring": "ustring",
    "tracefs.fetch.array": "<array-size>",
    "tracefs.fetch.immediate": "imm-value",
    "tracefs.fetch.char": "char, string",
    "tracefs.fetch.symstr": "symstr",
    "tracefs.fetch.percent_return": "%return",
    "tracefs.maxactive": "r[maxactive]",
    "tracefs.same_event_many_probes": "Create/append/remove",
}
"""What the README of tracefs mentions exactly where the kernel's source has the feature (v4.7 to v7.1)."""


_KPROBE_ONLY = frozenset(
    ("tracefs.fetch.arg_n", "tracefs.fetch.symbol", "tracefs.fetch.symstr", "tracefs.btf_args", "tracefs.maxactive",
     "tracefs.same_event_many_probes")
)  # fmt: skip
"""What only kprobes take: a 6.18 kernel without them mentions all of it in its README."""


def compose(host: RecordedHost, name: str) -> Optional[Fact]:
    """A fact told from the rest of the recording; None where that does not tell."""
    if name in _KPROBE_ONLY and host.fact("tracefs.kprobe_events").no:
        return Fact(State.ABSENT, None, f"composed: {host.fact('tracefs.kprobe_events').evidence}")
    special = _SPECIAL.get(name)
    if special:
        return special(host)
    rule = RULES.get(name)
    return _by_readme(host, name) or (_by_rule(host, rule) if rule else None)


def _by_readme(host: RecordedHost, name: str) -> Optional[Fact]:
    """What the recorded README of tracefs says. A kernel without any probes prints the same README."""
    mention = README.get(name)
    text = host.readme
    if not mention or not text:
        return None
    if mention not in text:
        return Fact(State.ABSENT, None, f"composed: no `{mention}` in the README of tracefs")
    rule = RULES.get(name)
    if rule and rule.symbols and len(host.symbols.text) > 2:
        return None
    return Fact(State.PRESENT, None, f"composed: `{mention}` in the README of tracefs; not tried")


def _by_rule(host: RecordedHost, rule: Rule) -> Optional[Fact]:
    has_symbols = len(host.symbols.text) > 2
    for symbol in rule.symbols if has_symbols else ():
        if host.symbols.lookup(symbol) or host.symbols.variants(symbol):
            return Fact(State.PRESENT, rule.value, f"composed: the kernel has the symbol {symbol}")
    option = host.config(rule.config) if rule.config else Fact(State.UNPROBED)
    if option.yes:
        return Fact(State.PRESENT, rule.value, f"composed: {option.evidence}")
    if rule.decisive and option.no:
        return Fact(State.ABSENT, None, f"composed: {option.evidence}")
    if rule.decisive == "symbols" and has_symbols:
        return Fact(State.ABSENT, None, f"composed: the kernel has no symbol {' or '.join(rule.symbols)}")
    return None


# --- facts with a rule of their own -----------------------------------------------------------------------------------


def _tracefs_path(host: RecordedHost) -> Optional[Fact]:
    if not host.events() and not host.config("CONFIG_TRACING").yes:
        return None
    own = bool(host.symbols.lookup("tracefs_create_file")) or len(host.symbols.text) < 3
    path = "/sys/kernel/tracing" if own else "/sys/kernel/debug/tracing"
    why = "the kernel has tracefs" if own else "the kernel has no tracefs of its own, so debugfs"
    return Fact(State.PRESENT, path, f"composed: {why}; that it is mounted is assumed")


def _clocks(host: RecordedHost) -> Optional[Fact]:
    """`local` and `global` are old; others came with the function that reads them. RHEL 7 has one of these unused."""
    if not host.symbols.lookup("trace_clock_local"):
        return None
    clocks = ["local", "global"]
    if host.symbols.lookup("trace_clock_counter"):
        clocks += ["counter", "uptime", "perf"]
    for name, reader in (("mono", "mono"), ("mono_raw", "raw"), ("boot", "boot"), ("tai", "tai")):
        known = host.symbols.lookup(f"ktime_get_{reader}_fast_ns")
        if known and host.symbols.lookup("tracefs_create_file"):
            clocks.append(name)
    return Fact(State.PRESENT, clocks, "composed: the kernel has the functions that read these clocks")


def _hist_variables(host: RecordedHost) -> Optional[Fact]:
    """Variables came after histograms (v4.17), and their functions may be inlined."""
    if host.fact("tracefs.hist_triggers").no:
        return host.fact("tracefs.hist_triggers")
    return _by_rule(host, Rule(("create_var_ref", "resolve_var_refs", "find_var_file")))


def _helpers(host: RecordedHost) -> Optional[Fact]:
    described = host.json("bpf.json")
    protos = described.get("protos") if isinstance(described, dict) else None
    if not isinstance(protos, list) or not protos:
        return None
    names = sorted(str(name)[4:] if str(name).startswith("bpf_") else str(name) for name in protos)
    return Fact(State.PRESENT, names, f"composed: the kernel has {len(names)} bpf_*_proto symbols")


def _events_of(system: str) -> Callable[[RecordedHost], Optional[Fact]]:
    def tell(host: RecordedHost) -> Optional[Fact]:
        events = host.events()
        if events is None:
            return None
        count = sum(name.startswith(system + ":") for name in events)
        return Fact(State.PRESENT if count else State.ABSENT, None, f"composed: {count} events of {system}")

    return tell


def _release(host: RecordedHost) -> Fact:
    return Fact(State.PRESENT, host.release, "recorded")


def _arch(host: RecordedHost) -> Fact:
    return Fact(State.PRESENT, host.arch, "recorded")


def _kallsyms(host: RecordedHost) -> Optional[Fact]:
    if len(host.symbols.text) < 3:
        return None
    return Fact(State.PRESENT, {"addresses": False}, "composed: the kernel's symbols were recorded, without addresses")


def _compat(host: RecordedHost) -> Optional[Fact]:
    found = compat_calls.built(host.arch, host.config, lambda name: bool(host.symbols.lookup(name)))
    if found.state is State.UNPROBED:
        return None
    return Fact(found.state, found.value, f"composed: {found.evidence}")


_SPECIAL: Mapping[str, Callable[[RecordedHost], Optional[Fact]]] = {
    "kernel.release": _release,
    "kernel.arch": _arch,
    "kernel.kallsyms": _kallsyms,
    "kernel.compat": _compat,
    "tracefs.path": _tracefs_path,
    "tracefs.clocks": _clocks,
    "tracefs.hist_variables": _hist_variables,
    "bpf.helpers": _helpers,
    "tracefs.syscall_events": _events_of("syscalls"),
    "tracefs.raw_syscalls": _events_of("raw_syscalls"),
}
