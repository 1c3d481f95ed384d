"""Kernel functions as attach points."""

from __future__ import annotations

from tests.unit.resolve.places import located, refusal
from xtrace.core.attach import Kprobe, Parameter
from xtrace.core.facts.symbols import KernelSymbols
from xtrace.core.types import Int, Pointer, Struct
from xtrace.testing.hosts import FakeHost, FakeTypes

SOCK = FakeTypes(structs={"sock": {"x": "int"}}, prototypes={"tcp_x": ("struct sock *sk, int state", "long")})


def host(*symbols: str, **more: object) -> FakeHost:
    return FakeHost(symbols=symbols, facts={"kernel.kallsyms": True}, **more)  # type: ignore[arg-type]


def only(text: str, facts: FakeHost) -> Kprobe:
    (point,) = located(text, facts).points
    assert isinstance(point, Kprobe)
    return point


def test_a_function_by_name() -> None:
    assert only("kprobe:tcp_x", host("tcp_x")) == Kprobe("kprobe:tcp_x", "tcp_x", "tcp_x")
    assert only("kretprobe:tcp_x", host("tcp_x")).returns
    assert only("kprobe:tcp_x+0x10", host("tcp_x")).offset == 16


def test_btf_names_and_types_the_arguments() -> None:
    point = only("fentry:tcp_x", host("tcp_x", types=SOCK))
    assert [one.name for one in point.parameters] == ["sk", "state"]
    assert point.parameters[0].type == Pointer(Struct("sock", 4))
    assert point.result == Int(8, True)


def test_a_prototype_does_so_where_there_is_no_btf() -> None:
    point = only("kprobe:tcp_x(struct sock *sk, unsigned int n)", host("tcp_x"))
    assert point.parameters == (Parameter("sk", Pointer(Struct("sock"))), Parameter("n", Int(4, False)))


def test_every_variant_becomes_a_point_without_arguments() -> None:
    found = located("kprobe:tcp_x", host("tcp_x.constprop.0", "tcp_x.constprop.1", types=SOCK))
    assert [point.symbol for point in found.points if isinstance(point, Kprobe)] == [
        "tcp_x.constprop.0",
        "tcp_x.constprop.1",
    ]
    assert all(isinstance(point, Kprobe) and point.parameters == () for point in found.points)
    assert found.state == "transformed"
    assert "do not read them" in found.notes[0]


def test_what_cannot_be_attached_says_why() -> None:
    assert refusal("kprobe:do_fork", host("kernel_clone")) == ("XT0502", "renamed", "probe kernel_clone")
    assert refusal("kprobe:vfs_raed", host("vfs_read")) == ("XT0502", "absent", "did you mean vfs_read?")
    assert refusal("kprobe:nmi", host("nmi", blacklisted=["nmi"]))[:2] == ("XT0502", "blacklisted")


def test_bad_offsets_and_prototypes_are_complaints() -> None:
    assert refusal("kprobe:tcp_x+zz", host("tcp_x"))[0] == "XT0513"
    assert refusal("kprobe:tcp_x(struct sock *sk, int a[)", host("tcp_x"))[0] == "XT0401"


def test_globs_leave_out_what_cannot_be_probed_and_say_so() -> None:
    kernel = host("tcp_a", "tcp_b", "tcp_b", "tcp_c", "tcp_d.isra.0", "udp_a", blacklisted=["tcp_c"])
    found = located("kprobe:tcp_*", kernel)
    assert [point.name for point in found.points] == ["kprobe:tcp_a"]
    assert "2 of 3 functions cannot be probed" in found.notes[0]


def test_globs_see_only_functions() -> None:
    found = located("kprobe:*vfs_read", host("vfs_read", "__pfx_vfs_read", "__SCT__vfs_read", "__cfi_vfs_read"))
    assert [point.symbol for point in found.points if isinstance(point, Kprobe)] == ["vfs_read"]
    assert found.notes == ()


def test_globs_keep_to_their_module() -> None:
    kernel = FakeHost(
        symbols=KernelSymbols(b"t get_a\nt get_b\t[ext4]\nt get_c\t[xfs]\n"), facts={"kernel.kallsyms": True}
    )
    assert [point.name for point in located("kprobe:ext4:get_*", kernel).points] == ["kprobe:ext4:get_b"]
    assert only("kprobe:vmlinux:get_a", kernel) == Kprobe("kprobe:vmlinux:get_a", "get_a", "get_a")
    assert [point.name for point in located("kprobe:vmlinux:get_*", kernel).points] == ["kprobe:vmlinux:get_a"]


def test_a_glob_without_matches() -> None:
    assert refusal("kprobe:zzz_*", host("tcp_a"))[:2] == ("XT0502", "absent")


def test_inlined_places_need_debuginfo() -> None:
    assert refusal("inline:tcp_drop(struct sock *sk)", host("tcp_a"))[:2] == ("XT0505", "inlined")
