"""The names of all facts, as data: what each says and how it is found out.

`how` tells the price: `read` a file, `call` the kernel without effect, `trial` creates something of xtrace's own and
removes it (only root, at most once per boot), `run` starts another program (only when this very fact is asked).
Anything a README or a configuration can claim wrongly is a trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from xtrace.core.records import dataclass

How = Literal["read", "call", "trial", "run"]


@dataclass(frozen=True)
class FactName:
    name: str
    how: How
    doc: str


_TABLE: dict[How, dict[str, str]] = {
    "read": {
        "os.id": "The distribution, as ID of os-release (rhel, debian, ...).",
        "os.version": "The distribution's VERSION_ID.",
        "os.name": "The distribution's PRETTY_NAME.",
        "os.like": "The distributions it derives from, as a list (ID_LIKE).",
        "kernel.release": "What `uname -r` says.",
        "kernel.version": "What `uname -v` says.",
        "kernel.arch": "What `uname -m` says.",
        "kernel.build_id": "The build id of the running kernel, in hexadecimal, from /sys/kernel/notes.",
        "kernel.config": "The file that holds the running kernel's configuration.",
        "kernel.kallsyms": "Names of the kernel's symbols can be read; the value tells whether addresses show.",
        "kernel.compat": "The kernel serves programs of a 32-bit ABI besides its own; the value names them, as a list.",
        "kernel.lockdown": "The lockdown mode: none, integrity or confidentiality.",
        "kernel.modules_disabled": "Module loading is switched off until the next boot.",
        "kernel.sig_enforce": "Only signed modules load.",
        "kernel.secure_boot": "UEFI Secure Boot is on; absent on machines without UEFI.",
        "kernel.headers": "The running kernel's build tree; the value says where, which release, and if it matches.",
        "kernel.kheaders": "The kernel carries its own headers (/sys/kernel/kheaders.tar.xz, or a module for it).",
        "kernel.system_map": "A System.map of this kernel; the value says where, and whether it is real or a stub.",
        "kernel.debuginfo": "A vmlinux with DWARF whose build id is the running kernel's; the value is its path.",
        "kernel.ftrace_enabled": "The sysctl kernel.ftrace_enabled.",
        "kernel.perf_event_paranoid": "The sysctl kernel.perf_event_paranoid, a number.",
        "kernel.kptr_restrict": "The sysctl kernel.kptr_restrict, a number.",
        "kernel.unprivileged_bpf_disabled": "The sysctl kernel.unprivileged_bpf_disabled, a number.",
        "kernel.wsl": "The kernel is Microsoft's for WSL, for which no headers are packaged.",
        "caller.uid": "The effective user id.",
        "caller.capabilities": "Names of the capabilities in effect, as a list.",
        "caller.cap_last_cap": "The number of the last capability the kernel knows (38 CAP_PERFMON, 39 CAP_BPF).",
        "caller.memlock": "The soft limit of locked memory in bytes, -1 without limit.",
        "caller.container": "xtrace runs in a container; the value names what says so.",
        "caller.initial_namespaces": "The pid, user and cgroup namespaces are the machine's own.",
        "caller.seccomp": "A seccomp filter is in force.",
        "tracefs.path": "Where tracefs is mounted; on kernels before it, the tracing directory of debugfs.",
        "tracefs.readme": "The kernel's own list of tracing features is readable; the value is the text.",
        "tracefs.instances": "Private trace buffers can be made (instances/).",
        "tracefs.set_event_pid": "Events can be limited to processes in the kernel.",
        "tracefs.set_event_notrace_pid": "Processes can be kept out in the kernel.",
        "tracefs.event_fork": "set_event_pid follows children (option event-fork).",
        "tracefs.triggers": "Events take triggers (traceoff, stacktrace, ...).",
        "tracefs.synthetic_events": "The file for synthetic events is there.",
        "tracefs.kprobe_events": "The file for kprobe events is there.",
        "tracefs.uprobe_events": "The file for uprobe events is there.",
        "tracefs.dynamic_events": "The file for all kinds of dynamic events is there.",
        "tracefs.clocks": "The clocks of trace_clock, as a list.",
        "tracefs.error_log": "The kernel explains refused definitions (error_log).",
        "tracefs.buffer_percent": "A reader can wait for a share of the buffer to fill.",
        "tracefs.subbuf_size": "The size of a sub-buffer can be set.",
        "tracefs.buffer_size_kb": "Kilobytes per CPU of the main buffer.",
        "tracefs.stack_option": "Events can record kernel stacks (option stacktrace).",
        "tracefs.user_stack_option": "Events can record user stacks (option userstacktrace).",
        "tracefs.record_tgid": "The kernel can keep thread group ids (option record-tgid).",
        "tracefs.filterable": "available_filter_functions can be read.",
        "tracefs.blacklist": "The kprobe blacklist can be read.",
        "tracefs.syscall_events": "There are syscalls:* events.",
        "tracefs.raw_syscalls": "There are raw_syscalls:* events.",
        "kprobe.pmu": "perf_event_open(2) makes kprobes (a `kprobe` PMU).",
        "uprobe.pmu": "perf_event_open(2) makes uprobes (a `uprobe` PMU).",
        "bpf.btf": "The kernel's type information is readable; the value is its path.",
        "bpf.module_btf": "Modules have type information too.",
        "bpf.jit": "The BPF compiler is on (sysctl net.core.bpf_jit_enable).",
        "bpf.helpers": "Helper functions the kernel implements, as a list without the prefix bpf_.",
        "bpf.memcg_accounting": "BPF memory is charged to the cgroup, not to RLIMIT_MEMLOCK.",
        "bpf.kprobe_multi": "One BPF link can attach to many functions.",
        "bpf.fentry": "BPF programs can attach to function entry and exit by trampoline.",
        "stap.groups": "Groups of the caller that SystemTap knows (stapdev, stapusr, stapsys, stapunpriv), as a list.",
        "stap.path": "The stap program.",
        "staprun.path": "The staprun program.",
        "gcc.path": "A C compiler.",
        "clang.path": "The clang compiler.",
        "debuginfod.urls": "Servers of debugging information (DEBUGINFOD_URLS), as a list.",
    },
    "call": {
        "bpf.syscall": "The kernel has bpf(2) and lets the caller in.",
        "bpf.map": "The caller can make a BPF map.",
        "bpf.ringbuf": "The kernel has BPF ring buffers.",
        "bpf.raw_tracepoint": "BPF programs can attach to raw tracepoints.",
        "bpf.prog.kprobe": "Programs of type kprobe load (which does not say that kprobes attach).",
        "bpf.prog.tracepoint": "Programs of type tracepoint load.",
        "bpf.prog.perf_event": "Programs of type perf_event load.",
        "bpf.bounded_loops": "The verifier accepts bounded loops.",
        "perf.open": "perf_event_open(2) gives a sampling timer on every process.",
        "perf.self": "perf_event_open(2) gives a software counter on xtrace itself.",
    },
    "trial": {
        "kprobe.usable": "A kprobe event can be defined.",
        "uprobe.usable": "A uprobe event can be defined.",
        "uprobe.ref_ctr": "Uprobes keep the reference counter (semaphore) of USDT probes.",
        "tracefs.instance_options": "An instance has its own options.",
        "tracefs.eprobes": "Event probes (`e:`) can be defined.",
        "tracefs.eprobe_pointers": "Event probes read through the pointers of a record.",
        "tracefs.fprobe_events": "Fprobe events (`f:`) can be defined.",
        "tracefs.fprobe_exit_args": "Fprobe events at a function's exit take its arguments too.",
        "tracefs.tprobe_events": "Raw tracepoint events (`t:`) can be defined.",
        "tracefs.btf_args": "Probes take function arguments by name.",
        "tracefs.hist_triggers": "Histogram triggers work.",
        "tracefs.hist_variables": "Histogram triggers take variables and actions.",
        "tracefs.synthetic": "A synthetic event can be defined.",
        "tracefs.fetch.arg_n": "Kprobes take `$argN`.",
        "tracefs.fetch.arg_at_return": "Return probes take `$argN` too.",
        "tracefs.fetch.comm": "Probes take `$comm`.",
        "tracefs.fetch.ustring": "Probes read strings of user memory (`ustring`, `+u0()`).",
        "tracefs.fetch.string": "Probes read strings of kernel memory.",
        "tracefs.fetch.memory": "Probes on user programs follow pointers (`+0(...)`).",
        "tracefs.fetch.hex": "Probes take the types x8 to x64.",
        "tracefs.fetch.array": "Probes read arrays (`u8[16]`).",
        "tracefs.fetch.immediate": "Probes take constants (`\\\\1`).",
        "tracefs.fetch.char": "Probes take the type char.",
        "tracefs.fetch.symbol": "Probes take the type symbol.",
        "tracefs.fetch.symstr": "Probes take the type symstr.",
        "tracefs.fetch.percent_return": "A return probe may be written `symbol%return`.",
        "tracefs.maxactive": "Return probes take their number of instances (`r100:`).",
        "tracefs.same_event_many_probes": "One event name may have several probes.",
        "tracefs.filter.string": "Event filters compare text with glob patterns.",
        "tracefs.filter.ustring": "Event filters compare strings of user memory (`.ustring`).",
        "tracefs.filter.bits": "Event filters test bits (`&`).",
        "tracefs.filter.cpus": "Event filters take sets of CPUs (`CPUS{}`).",
    },
    "run": {
        "bcc.python": "A Python that owns the BPF Compiler Collection: its path, version and python_version.",
        "bcc.foreign": "A Python whose `bcc` is another project's (PyPI's), listed by path.",
        "stap.version": "SystemTap's version.",
        "gcc.version": "The C compiler's version.",
        "clang.version": "clang's version.",
        "bpftrace.version": "bpftrace's version.",
        "perf.version": "perf's version.",
    },
}

CATALOG: Mapping[str, FactName] = {
    name: FactName(name, how, doc) for how, names in _TABLE.items() for name, doc in names.items()
}


def fact_name(name: str) -> FactName:
    """The catalog's entry. Raises KeyError with near names for a name that is not in it."""
    from xtrace.core.facts.model import near_names

    if name not in CATALOG:
        near = near_names(name, CATALOG)
        raise KeyError(f"no fact is called {name!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))
    return CATALOG[name]
