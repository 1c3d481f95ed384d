"""The initramfs: a static busybox, the disk drivers and one script, packed at each boot."""

from __future__ import annotations

import lzma
import stat
from pathlib import Path

SCRIPT = Path(__file__).with_name("initramfs.sh")
DRIVERS = ("virtio_pci", "virtio_blk")


def build(root: Path, uname: str) -> bytes:
    """Return the cpio archive for the kernel *uname* whose tree is *root*."""
    archive = bytearray()
    for folder in ("bin", "dev", "modules", "proc", "root", "sys"):
        archive += _entry(folder, stat.S_IFDIR | 0o755)
    archive += _entry("init", stat.S_IFREG | 0o755, SCRIPT.read_bytes())
    busybox = (root / "bin/busybox").read_bytes()
    archive += _entry("bin/busybox", stat.S_IFREG | 0o755, busybox)
    for number, module in enumerate(_modules(root / "lib/modules" / uname)):
        code = module.read_bytes()
        if module.suffix == ".xz":
            code = lzma.decompress(code)
        archive += _entry(f"modules/{number:02}.ko", stat.S_IFREG | 0o644, code)
    archive += _entry("TRAILER!!!", 0)
    return bytes(archive)


def _modules(folder: Path) -> list[Path]:
    """Return the driver files in the order they must be loaded; built-in ones have none."""
    needs: dict[str, list[str]] = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        # modules.dep lists a module's needs with the deepest one last.
        needs[path] = rest.split()[::-1]
    order: list[str] = []
    for driver in DRIVERS:
        for path in needs:
            if Path(path).name.split(".")[0] == driver:
                order += [each for each in (*needs[path], path) if each not in order]
    return [folder / path for path in order]


def _entry(name: str, mode: int, data: bytes = b"") -> bytes:
    """Return one member in the ``newc`` format."""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name.encode() + b"\0") + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
