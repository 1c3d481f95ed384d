"""The words of the language in all their spellings since bpftrace 0.9, and what each is called here."""

from __future__ import annotations

from typing import NamedTuple, Optional


class ProbeKind(NamedTuple):
    """How the attach points of one type of probe are written.

    `least` and `most` count the parts after the type; `form` shows them. `path` is the number of the part that is
    a file, whose slashes do not begin a predicate; `timer` tells that the parts are a time.
    """

    name: str
    least: int
    most: int
    form: str
    path: Optional[int] = None
    timer: bool = False


_KINDS = (
    ProbeKind("begin", 0, 0, "begin"),
    ProbeKind("end", 0, 0, "end"),
    ProbeKind("tracepoint", 2, 2, "tracepoint:SYSTEM:EVENT"),
    ProbeKind("rawtracepoint", 1, 2, "rawtracepoint:EVENT"),
    ProbeKind("kprobe", 1, 2, "kprobe:FUNCTION, kprobe:FUNCTION+OFFSET or kprobe:MODULE:FUNCTION"),
    ProbeKind("kretprobe", 1, 2, "kretprobe:FUNCTION or kretprobe:MODULE:FUNCTION"),
    ProbeKind("inline", 1, 2, "inline:FUNCTION or inline:MODULE:FUNCTION"),
    ProbeKind("fentry", 1, 3, "fentry:FUNCTION or fentry:MODULE:FUNCTION"),
    ProbeKind("fexit", 1, 3, "fexit:FUNCTION or fexit:MODULE:FUNCTION"),
    ProbeKind("uprobe", 2, 3, "uprobe:/PATH:FUNCTION, uprobe:/PATH:FUNCTION+OFFSET or uprobe:/PATH:0xADDRESS", path=0),
    ProbeKind("uretprobe", 2, 3, "uretprobe:/PATH:FUNCTION", path=0),
    ProbeKind("usdt", 2, 3, "usdt:/PATH:PROVIDER:NAME or usdt:/PATH:NAME", path=0),
    ProbeKind("interval", 1, 2, "interval:s:1, interval:ms:100 or interval:1s", timer=True),
    ProbeKind("profile", 1, 2, "profile:hz:99, profile:ms:10 or profile:10ms", timer=True),
    ProbeKind("software", 1, 2, "software:EVENT or software:EVENT:COUNT"),
    ProbeKind("hardware", 1, 2, "hardware:EVENT or hardware:EVENT:COUNT"),
    ProbeKind("watchpoint", 3, 3, "watchpoint:0xADDRESS:LENGTH:MODE"),
    ProbeKind("asyncwatchpoint", 3, 3, "asyncwatchpoint:0xADDRESS:LENGTH:MODE"),
    ProbeKind("iter", 1, 2, "iter:OBJECT or iter:OBJECT:PIN", path=1),
    ProbeKind("self", 2, 2, "self:signal:SIGUSR1"),
    ProbeKind("test", 1, 1, "test:NAME"),
    ProbeKind("bench", 1, 1, "bench:NAME"),
)
PROBE_KINDS: dict[str, ProbeKind] = {kind.name: kind for kind in _KINDS}

_OTHER_NAMES = {
    "BEGIN": "begin", "END": "end", "t": "tracepoint", "rt": "rawtracepoint", "k": "kprobe", "kr": "kretprobe",
    "f": "fentry", "fr": "fexit", "kfunc": "fentry", "kretfunc": "fexit", "u": "uprobe", "ur": "uretprobe", "U": "usdt",
    "i": "interval", "p": "profile", "s": "software", "h": "hardware", "w": "watchpoint", "aw": "asyncwatchpoint",
    "it": "iter",
}  # fmt: skip


def probe_kind(word: str) -> Optional[ProbeKind]:
    """The type of probe that a word stands for: its long name, its short one, or an old one."""
    return PROBE_KINDS.get(_OTHER_NAMES.get(word, word))


def near_probe_kinds(word: str) -> list[str]:
    """The long names most like a wrong one."""
    from difflib import get_close_matches

    return get_close_matches(word.lower(), PROBE_KINDS, n=2, cutoff=0.6)


TIMER_UNITS = ("s", "ms", "us", "ns", "hz")
"""The units of interval and profile probes."""

KEYWORDS = frozenset(
    ("if", "else", "while", "for", "unroll", "let", "break", "continue", "return", "sizeof", "offsetof")
)
"""Words that begin a statement or an operator, so that no name may be one of them."""

_OLD_FUNCTIONS = {"stack": "kstack", "sym": "ksym"}


def plain_name(word: str) -> str:
    """The one name of a builtin or function: `stack` and `sym` are from before bpftrace 0.9, `__builtin_cpu` is what
    bpftrace itself calls `cpu` since 0.24."""
    if word.startswith("__builtin_"):
        word = word[len("__builtin_") :]
    return _OLD_FUNCTIONS.get(word, word)


BUILTINS = frozenset((
    "pid", "tid", "ppid", "uid", "gid", "comm", "pcomm", "cpu", "nsecs", "elapsed", "jiffies", "rand", "ncpus", "cpid",
    "probe", "func", "retval", "curtask", "cgroup", "username", "usermode", "numaid", "kstack", "ustack", "ctx",
))  # fmt: skip
"""Builtins; from bpftrace 0.24 they may also be written as calls without arguments."""

INTEGER_TYPES = frozenset((
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "char", "short", "int", "long",
    "unsigned", "signed", "void", "const", "volatile", "_Bool",
))  # fmt: skip
"""Words that can only begin a type."""

TYPEDEFS = frozenset((
    "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "__u8", "__u16", "__u32", "__u64", "__s8", "__s16", "__s32",
    "__s64", "__be16", "__be32", "__be64", "__le16", "__le32", "__le64", "string", "inet", "buffer",
))  # fmt: skip
"""Type names that do not end in `_t`; as `sizeof(name)` they mean the type."""

TAGS = ("struct", "union", "enum")

PREDEFINED = frozenset(("BPFTRACE_HAVE_BTF",))
"""Macros that programs test: types come from the host whatever it has, so what BTF spares is spared here too."""

_OLD_SETTINGS = {"strlen": "max_strlen", "map_keys_max": "max_map_keys", "cat_bytes_max": "max_cat_bytes"}


def setting_name(written: str) -> str:
    """A setting's one name: `BPFTRACE_MAX_STRLEN`, `MAX_STRLEN` and `max_strlen` are one, and so is `BPFTRACE_STRLEN`,
    its name until bpftrace 0.20."""
    name = written.lower()
    if name.startswith("bpftrace_"):
        name = name[len("bpftrace_") :]
    return _OLD_SETTINGS.get(name, name)


MAP_KINDS = ("hash", "lruhash", "percpuhash", "percpulruhash", "percpuarray")
"""What `let @map = KIND(SIZE)` may say. How a map is spread over CPUs is each engine's own business."""

UNSUPPORTED_SECTIONS = {
    "fn": "functions",
    "subprog": "functions",
    "import": "imports",
}
"""What a word at the beginning of a section would introduce in bpftrace, and does not here."""
