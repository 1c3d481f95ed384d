"""Debian 11's kernel from its debugging package, its headers and its BTF: one answer, and inlined calls that are seen.

The package has 260 MB, so this belongs to the long run.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.boot import Job, boot
from tests.lab.debug_package import vmlinux
from tests.lab.images import Image, image
from tests.lab.releases import find
from xtrace.backends.ftrace.backend import FtraceBackend
from xtrace.core.attach import Kprobe
from xtrace.core.elf.file import section
from xtrace.core.facts.btf import Btf
from xtrace.core.facts.bundle import read_bundle
from xtrace.core.facts.dwarf_types import DwarfTypes
from xtrace.core.facts.header_types import HeaderTypes
from xtrace.core.facts.model import Fact, State, TypeSource
from xtrace.core.facts.recording import RecordedHost
from xtrace.core.facts.types import BtfTypes
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.plan.model import SHIPPED_PROBES, Plan, Request
from xtrace.core.resolve.inlines import inlined_sites
from xtrace.core.types import Array, Member, Pointer, Struct

pytestmark = pytest.mark.lab

KERNEL = "5.10"
STRUCTS = (
    "task_struct", "sock", "sk_buff", "request", "file", "dentry", "inode", "tcp_sock", "mm_struct", "page", "bio",
    "inet_sock", "cred", "path", "gendisk", "net_device", "linux_binprm", "oom_control", "super_block", "tcphdr",
    "vm_area_struct", "signal_struct", "iphdr", "ipv6hdr", "files_struct", "fdtable", "request_queue",
    "inet_connection_sock", "open_how", "cgroup", "pid",
)  # fmt: skip
PRIVATE_STRUCTS = ("rq", "kmem_cache_node", "kuid_t")
"""Defined in no installed header by this name."""
LISTENING = 45674
SEGMENTS = 5


@pytest.fixture(scope="module")
def debian(request: pytest.FixtureRequest) -> Image:
    if not request.config.getoption("--lab-long", default=False):
        pytest.skip("belongs to the long run (--lab-long): needs a package of 260 MB")
    return image(find(KERNEL))


@pytest.fixture(scope="module")
def kernel(debian: Image) -> Path:
    return vmlinux(debian)


@pytest.fixture(scope="module")
def btf(kernel: Path) -> BtfTypes:
    return BtfTypes(Btf(section(kernel, ".BTF"), "vmlinux"))


def chains(types: TypeSource, struct: str) -> dict[str, tuple[object, ...]]:
    """Every member of a struct and of the structs in it: offset, size, signedness and bit position."""
    found = {}
    for member in types.members(struct):
        inner = types.members(member.type.name) if isinstance(member.type, Struct) else ()
        found[member.name] = numbers(member)
        found |= {
            f"{member.name}.{one.name}": numbers(replace(one, offset=member.offset + one.offset)) for one in inner
        }
    return found


def numbers(member: Member) -> tuple[object, ...]:
    kind = member.type
    while isinstance(kind, Array):
        kind = kind.of
    signed = None if isinstance(kind, Pointer) else getattr(kind, "signed", None)
    return member.offset, member.size, member.bit_offset, member.bit_size, type(kind).__name__, signed


@pytest.mark.parametrize("struct", (*STRUCTS, *PRIVATE_STRUCTS))
def test_dwarf_says_what_btf_says(kernel: Path, btf: BtfTypes, struct: str) -> None:
    expected = chains(btf, struct)
    assert expected
    assert chains(dwarf(kernel), struct) == expected


@pytest.mark.parametrize("struct", STRUCTS)
def test_headers_say_what_btf_says(debian: Image, btf: BtfTypes, struct: str) -> None:
    build = f"/lib/modules/{debian.uname}/build"
    headers = HeaderTypes(build, str(debian.root), ("chroot", str(debian.root)))
    assert chains(headers, struct) == chains(btf, struct), headers.problem


_OPENED: dict[Path, DwarfTypes] = {}


def dwarf(kernel: Path) -> DwarfTypes:
    if kernel not in _OPENED:
        _OPENED[kernel] = DwarfTypes(kernel)
    return _OPENED[kernel]


def test_inlined_calls_of_tcp_drop(kernel: Path) -> None:
    sites = inlined_sites(str(kernel), "tcp_drop", "x86_64")
    assert len(sites) == 10
    assert all(site.arguments.keys() == {"sk", "skb"} for site in sites)
    assert all(argument.operand for site in sites for argument in site.arguments.values())


# --- in a guest -------------------------------------------------------------------------------------------------------


class WithDebuginfo(RecordedHost):
    """The guest as it would see itself with the debugging package installed."""

    recorded = False
    vmlinux = ""

    def fact(self, name: str) -> Fact:
        if name == "kernel.debuginfo":
            return Fact(State.PRESENT, self.vmlinux, "Debian's debugging package")
        return super().fact(name)


PROGRAM = f"tcp.drop /dport == {LISTENING}/ {{ emit(state, saddr, daddr, dport); }}"

RESET = f"""
import socket, struct, time
listener = socket.create_server(("127.0.0.1", {LISTENING}))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
home = socket.inet_aton("127.0.0.1")
def checksum(data):
    total = sum(struct.unpack(f"!{{len(data) // 2}}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
for number in range({SEGMENTS}):
    # SYN and FIN together: a listening socket discards it.
    head = struct.pack("!HHLLBBHHH", 5000 + number, {LISTENING}, 1, 0, 5 << 4, 3, 512, 0, 0)
    sum_ = checksum(home + home + struct.pack("!BBH", 0, 6, len(head)) + head)
    raw.sendto(head[:16] + struct.pack("!H", sum_) + head[18:], ("127.0.0.1", 0))
time.sleep(1)
"""
SCRIPT = """
set -m
sh /lab/trace.sh >/lab/out/trace.txt 2>/lab/out/errors.txt &
tracer=$!
for _ in $(seq 100); do [ -n "$(ls /sys/kernel/tracing/instances)" ] && break; sleep 0.2; done
sleep 3
python3 /lab/reset.py
sleep 1
kill -INT $tracer
wait $tracer
"""


def test_inlined_calls_are_seen(debian: Image, kernel: Path, tmp_path: Path) -> None:
    assert boot(debian, Job("xtrace facts -o /lab/out/host.xfacts"), tmp_path / "facts", lambda _: None).status == 0
    host = WithDebuginfo(read_bundle(tmp_path / "facts/host.xfacts").files, "guest")
    host.vmlinux = str(kernel)
    backend = FtraceBackend()
    plan = backend.plan(Request(parse(Source("program", PROGRAM)), "inlined", probe_paths=(SHIPPED_PROBES,)), host)
    assert isinstance(plan, Plan), plan
    assert [choice.source for choice in plan.choices] == ["inline:tcp_drop"]
    (point,) = [one for clause in plan.program.clauses for one in clause.attach if isinstance(one, Kprobe)]
    assert len(point.sites) == 10
    artifact = backend.render(plan)
    trace, reset = tmp_path / "trace.sh", tmp_path / "reset.py"
    trace.write_text(artifact.files[artifact.main])
    reset.write_text(RESET)
    boot(debian, Job(SCRIPT, {"trace.sh": trace, "reset.py": reset}), tmp_path / "run", lambda _: None)
    text = (tmp_path / "run/trace.txt").read_text()
    assert len(re.findall(rf"\b{LISTENING}\b", text)) >= SEGMENTS, text + (tmp_path / "run/errors.txt").read_text()
