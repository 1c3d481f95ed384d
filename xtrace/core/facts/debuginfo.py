"""The running kernel's vmlinux with DWARF, known by its build id: an equal package version proves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Optional

from xtrace.core.elf.file import Elf
from xtrace.core.facts.model import Fact, State

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost


def vmlinux_places(release: str, build_id: Optional[str]) -> tuple[str, ...]:
    """Where distributions put an uncompressed kernel with debugging information."""
    by_id = (f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug",) if build_id else ()
    return (
        f"/usr/lib/debug/lib/modules/{release}/vmlinux",
        f"/usr/lib/debug/boot/vmlinux-{release}",
        f"/usr/lib/debug/boot/vmlinux-{release}.debug",
        *by_id,
        f"/lib/modules/{release}/vmlinux",
        f"/lib/modules/{release}/build/vmlinux",
        f"/boot/vmlinux-{release}",
    )


def _look_into(path: Path) -> tuple[bool, Optional[str]]:
    """Has the file DWARF, and which build id? What is no ELF file has neither. Raises OSError."""
    with path.open("rb") as file:
        try:
            elf = Elf(file)
        except ValueError:
            return False, None
        return any(elf.section(name) for name in (".debug_info", ".zdebug_info")), elf.build_id


def find_vmlinux(host: LiveHost) -> Fact:
    """The first vmlinux with DWARF whose build id is the running kernel's; the value is its path."""
    if not host.files.on_disk:
        return Fact(State.UNPROBED, None, "nobody looked for a vmlinux")
    running = host.fact("kernel.build_id")
    build_id = running.value if isinstance(running.value, str) else None
    seen = []
    for place in vmlinux_places(host.release, build_id):
        path = host.files.path(place)
        try:
            has_dwarf, found = _look_into(path)
            if not has_dwarf:
                seen.append(f"{place} has no DWARF")
            elif build_id and found != build_id:
                seen.append(f"{place} is of another build")
            else:
                return Fact(
                    State.PRESENT, place, f"{place} has DWARF" + (f" and build id {build_id}" if build_id else "")
                )
        except FileNotFoundError:
            continue
        except PermissionError:
            return Fact(State.DENIED, None, f"{place} may not be read")
    return Fact(State.ABSENT, None, "; ".join(seen) or "no vmlinux of this kernel with debugging information")
