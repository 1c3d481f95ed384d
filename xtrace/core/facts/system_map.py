"""A kernel's System.map, and perhaps its configuration, as a recorded host: what a boot partition has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

from xtrace.core.errors import XtraceError
from xtrace.core.facts import recording
from xtrace.core.facts.composed_events import systems
from xtrace.core.facts.kernel_config import parse_config
from xtrace.core.facts.recording import RecordedHost

_FIRST_LINE = re.compile(rb"[0-9a-fA-F]+ \S \S+\n")
_STUB = b"The real System.map is in"
"""What Debian 11 and newer put in its place."""

_OF_OPTION = {
    "CONFIG_X86_64": "x86_64",
    "CONFIG_ARM64": "aarch64",
    "CONFIG_S390": "s390x",
    "CONFIG_PPC64": "ppc64le",
    "CONFIG_RISCV": "riscv64",
}
_OF_SYMBOL = {
    b"x86_64_start_kernel": "x86_64",
    b"__primary_switched": "aarch64",
    b"start_here_multiplatform": "ppc64le",
}
"""Entry points in arch/*/kernel/head*, by which a System.map without a configuration tells its architecture."""


def is_system_map(path: Path) -> bool:
    """Does the file begin as one, if only as a stub? Raises OSError."""
    with path.open("rb") as stream:
        head = stream.read(512)
    return _STUB in head or _FIRST_LINE.match(head) is not None


def import_system_map(map_file: Path, config_file: Optional[Path]) -> RecordedHost:
    """A host of which only a System.map and perhaps a configuration are known.

    The release is in the name of either file, as installed in /boot, or in the configuration's header. Events come from
    `__tracepoint_NAME` symbols; events of modules are not among them.

    Raises XtraceError XT0409, OSError.
    """
    text = map_file.read_bytes()
    if _STUB in text:
        hints = ("root's /proc/kallsyms is a System.map: copy it while that kernel runs",)
        raise XtraceError.of("XT0409", f"{map_file} is Debian's stub; its -dbg package holds the real one", hints=hints)
    if not _FIRST_LINE.match(text):
        raise XtraceError.of("XT0409", f"{map_file} is not a System.map: its first line is not `ADDRESS TYPE NAME`")
    symbols = re.sub(rb"^[0-9a-fA-F]+ ", b"", text, flags=re.M)
    names = {name.decode() for name in re.findall(rb" __tracepoint_(\w+)$", text, re.M)}
    events = sorted(f"{systems().get(name, '?')}:{name}" for name in names)
    files = {"symbols.txt": symbols, "events.txt": "".join(f"{name}\n" for name in events).encode()}
    config = b""
    if config_file is not None:
        config = files["config"] = config_file.read_bytes()
        if not parse_config(config.decode("utf-8", "replace")):
            raise XtraceError.of("XT0409", f"{config_file} sets no CONFIG_ option")
    files["facts.json"] = recording.document(
        _release(map_file, config_file, config.decode("utf-8", "replace")),
        _arch(map_file, symbols, config.decode("utf-8", "replace")),
        {},
        captured={"method": "System.map", "sources": [map_file.name]},
        config={"source": config_file.name if config_file else "", "complete": config_file is not None},
    )
    return RecordedHost(files, map_file.name)


def _release(map_file: Path, config_file: Optional[Path], config: str) -> str:
    named = [re.fullmatch(r"(?:System\.map|config)-(\d\S*)", place.name) for place in (map_file, config_file) if place]
    found = next((match for match in named if match), None) or re.search(r"^# Linux/\S+ (\d\S*) ", config, re.M)
    if found is None:
        hints = ("name it as in /boot: System.map-RELEASE",)
        raise XtraceError.of("XT0409", f"{map_file}: of which kernel release?", hints=hints)
    return found[1]


def _arch(map_file: Path, symbols: bytes, config: str) -> str:
    options = parse_config(config)
    found = next((arch for option, arch in _OF_OPTION.items() if options.get(option) == "y"), "") or next(
        (arch for name, arch in _OF_SYMBOL.items() if re.search(rb" " + name + rb"$", symbols, re.M)), ""
    )
    if not found:
        hints = ("--config FILE: the kernel's configuration tells it",)
        raise XtraceError.of("XT0409", f"{map_file}: of which architecture?", hints=hints)
    return found
