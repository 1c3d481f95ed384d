"""Bundles hold what a host says, tell nobody whose it is, and damage is a diagnostic."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.facts.btf_builder import sample
from tests.unit.facts.trees import FILES, RELEASE, plant
from xtrace.core.errors import XtraceError
from xtrace.core.facts.bundle import read_bundle, write_bundle
from xtrace.core.facts.live import LiveHost
from xtrace.core.facts.model import State
from xtrace.core.facts.open import host as open_host
from xtrace.core.facts.recording import RecordedHost
from xtrace.core.types import Int, Member


@pytest.fixture
def live(tmp_path: Path) -> LiveHost:
    files = {**FILES, "sys/kernel/btf/vmlinux": sample().data()}
    return LiveHost(str(plant(tmp_path / "root", files)), RELEASE, "x86_64")


def bundled(host: LiveHost, folder: Path, redact: bool = True) -> Path:
    path = folder / "host.xfacts"
    with path.open("wb") as stream:
        write_bundle(host, stream, redact)
    return path


def test_a_bundle_says_what_the_host_says(live: LiveHost, tmp_path: Path) -> None:
    read = open_host(str(bundled(live, tmp_path)))
    assert read.recorded
    assert (read.release, read.arch) == (RELEASE, "x86_64")
    for name, fact in live.facts().items():
        if fact.state is not State.UNPROBED and name != "kernel.kallsyms":
            assert (read.fact(name).state, read.fact(name).value) == (fact.state, fact.value), name
    assert read.events() == live.events() | {"skb:kfree_skb"}  # type: ignore[operator]
    assert read.event_format("skb", "kfree_skb") == live.event_format("skb", "kfree_skb")
    assert read.config("CONFIG_CC_VERSION_TEXT").value == "gcc 10"
    assert read.config("CONFIG_NO").state is State.ABSENT
    assert read.types.member("atomic_t", "counter") == Member("counter", Int(4, True), 0, 4)
    assert read.filterable("vfs_read").yes
    assert read.blacklisted("vfs_read").no
    assert [symbol.module for symbol in read.symbols.lookup("start")] == ["ext4", "xfs"]


def test_addresses_of_the_kernel_are_left_out(live: LiveHost, tmp_path: Path) -> None:
    read = read_bundle(bundled(live, tmp_path, redact=False))
    assert all(symbol.address == 0 for symbol in read.symbols.glob("*"))


def test_equal_hosts_make_equal_bundles(live: LiveHost, tmp_path: Path) -> None:
    first = bundled(live, tmp_path).read_bytes()
    assert bundled(live, tmp_path).read_bytes() == first


def test_private_words_are_left_out_unless_asked(tmp_path: Path) -> None:
    secret = 'CONFIG_KEY="/home/alice/key.pem"\nCONFIG_SERVER="192.168.7.9"\n'
    live = LiveHost(str(plant(tmp_path / "root", {**FILES, "proc/config.gz": secret})), RELEASE, "x86_64")
    assert read_bundle(bundled(live, tmp_path)).config("CONFIG_KEY").value == "/HOME/key.pem"
    assert read_bundle(bundled(live, tmp_path)).config("CONFIG_SERVER").value == "ADDRESS"
    assert read_bundle(bundled(live, tmp_path, redact=False)).config("CONFIG_SERVER").value == "192.168.7.9"


def test_lists_that_the_host_refused_say_so(tmp_path: Path) -> None:
    files = {name: text for name, text in FILES.items() if "filter_functions" not in name}
    read = read_bundle(bundled(LiveHost(str(plant(tmp_path / "root", files)), RELEASE, "x86_64"), tmp_path))
    assert read.filterable("vfs_read").state is State.ABSENT
    assert "available_filter_functions" in read.filterable("vfs_read").evidence


def code_of(path: Path) -> str:
    with pytest.raises(XtraceError) as caught:
        read_bundle(path).facts()
    return caught.value.diagnostics[0].code


def zipped(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    for content in (b"", b"hello", b"\x7fELF" + bytes(100)):
        other.write_bytes(content)
        assert code_of(other) == "XT0404"
    assert code_of(zipped(other, {"readme": "x"})) == "XT0404"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{", "XT0405"),
        ("[]", "XT0405"),
        ('{"facts": 3, "schema": "xtrace.facts/1"}', "XT0405"),
        ('{"schema": "xtrace.facts/2"}', "XT0406"),
        ('{"schema": "xtrace.facts/1"}', "XT0405"),
        ('{"schema": "xtrace.facts/1", "kernel": {"release": 3, "arch": "x"}}', "XT0405"),
    ],
)
def test_damaged_documents(tmp_path: Path, document: str, code: str) -> None:
    assert code_of(zipped(tmp_path / "x", {"facts.json": document})) == code


def test_odd_facts_are_passed_over() -> None:
    facts = {"os.id": {"state": "maybe"}, "os.version": 3, "bpf.syscall": {"state": "present", "errno": "x"}, "no": {}}
    body = {"schema": "xtrace.facts/1", "kernel": {"release": "1", "arch": "x"}, "facts": facts}
    read = RecordedHost({"facts.json": json.dumps(body).encode()}, "odd")
    assert all(fact.state is not State.PRESENT or fact.evidence == "recorded" for fact in read.facts().values())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = plant(tmp_path_factory.mktemp("root"), {**FILES, "sys/kernel/btf/vmlinux": sample().data()})
    stream = io.BytesIO()
    write_bundle(LiveHost(str(root), RELEASE, "x86_64"), stream)
    return stream.getvalue()


@settings(max_examples=150, deadline=5000)
@given(data=st.data())
def test_damaged_bundles_never_raise_anything_else(
    data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "x"
    path.write_bytes(bytes(changed[: data.draw(st.integers(1, len(whole)))]))
    try:
        read = read_bundle(path)
        read.facts()
        read.events()
        read.event_format("skb", "kfree_skb")
        read.config("CONFIG_BPF")
        read.types.members("thing")
        read.filterable("x")
    except XtraceError as error:
        assert error.diagnostics[0].code in ("XT0402", "XT0403", "XT0404", "XT0405", "XT0406")
