"""Layouts compiled against the headers of Debian's kernels equal those in these kernels' own BTF."""

from __future__ import annotations

import lzma
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from xtrace.core.elf.file import section
from xtrace.core.facts.btf import Btf
from xtrace.core.facts.header_types import HeaderTypes
from xtrace.core.facts.types import BtfTypes
from xtrace.core.types import Member

IMAGES = Path(os.environ.get("XTRACE_LAB_CACHE") or Path.home() / ".cache" / "xtrace-lab") / "images"
STRUCTS = ("sock", "sock_common", "task_struct", "sk_buff", "tcp_sock", "file", "inode", "request")
UNPACKERS = {b"\xfd7zX": None, b"\x28\xb5\x2f\xfd": "zstd", b"\x02\x21\x4c\x18": "lz4"}

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: chroot into an image of the lab"),
]


def roots() -> list[Path]:
    found = sorted(IMAGES.glob("*/root")) if IMAGES.is_dir() else []
    return [root for root in found if list(root.glob("usr/src/linux-headers-*-amd64"))]


def vmlinux(image: bytes) -> bytes:
    """The kernel in a bzImage (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length)."""
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = ((image[0x1F1] or 4) + 1) * 512 + offset
    payload = image[start : start + length]
    if payload[:4] not in UNPACKERS:
        pytest.skip(f"needs an unpacker for a kernel packed as {payload[:4]!r}")
    program = UNPACKERS[payload[:4]]
    if program is None:
        return lzma.LZMADecompressor().decompress(payload)
    if not shutil.which(program):
        pytest.skip(f"needs {program} to unpack the kernel")
    return subprocess.run([program, "-dc"], input=payload, capture_output=True, check=False).stdout


def places(members: tuple[Member, ...]) -> Iterator[tuple[object, ...]]:
    for member in members:
        yield member.name, member.offset, member.size, member.bit_offset, member.bit_size


@pytest.mark.skipif(not roots(), reason=f"no images of the lab with kernel headers in {IMAGES}")
@pytest.mark.parametrize("root", roots(), ids=lambda root: root.parent.name)
def test_headers_agree_with_btf(root: Path, tmp_path: Path) -> None:
    build = "/" + str(next(root.glob("usr/src/linux-headers-*-amd64")).relative_to(root))
    kernel = tmp_path / "vmlinux"
    kernel.write_bytes(vmlinux(next(root.glob("boot/vmlinuz-*")).read_bytes()))
    truth = BtfTypes(Btf(section(kernel, ".BTF"), "vmlinux"))
    headers = HeaderTypes(build, str(root), ("chroot", str(root)))
    for name in STRUCTS:
        assert headers.struct(name) == truth.struct(name), headers.problem
        assert list(places(headers.members(name))) == list(places(truth.members(name))), name
    assert headers.struct("no_such_struct") is None
    assert "no_such_struct" in headers.problem
