"""Recordings made by others: folders of kernel facts, as recorded hosts.

A folder is a host of the recorded fleet (its README.md describes the files) or the live capture of a RHEL 7 kernel.
"""

from __future__ import annotations

import json
import lzma
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Callable, Optional

from xtrace.core.errors import XtraceError
from xtrace.core.facts import recording
from xtrace.core.facts.conclusive import fact_to_json
from xtrace.core.facts.model import Fact, State
from xtrace.core.facts.recording import RecordedHost
from xtrace.core.facts.transcript import read_transcript

_MAX_BYTES = 64 << 20


def is_recorded(folder: Path) -> bool:
    """Is the folder a host of the recorded fleet, or a live capture?"""
    return (folder / "meta.json").is_file() or (folder / "trials.txt").is_file()


def import_recorded(folder: Path) -> RecordedHost:
    """The host that a folder of the recorded fleet describes. Raises XtraceError XT0407, OSError."""
    if (folder / "meta.json").is_file():
        return RecordedHost(_fleet_files(folder), folder.name)
    if (folder / "trials.txt").is_file():
        return RecordedHost(_capture_files(folder), folder.name)
    raise XtraceError.of("XT0407", f"{folder} holds neither a meta.json nor the trials.txt of a live capture")


def recorded_fleet(folder: Path) -> Mapping[str, Callable[[], RecordedHost]]:
    """Every recorded host in a directory by name, each imported when called. Raises OSError."""

    def importer(place: Path) -> Callable[[], RecordedHost]:
        return lambda: import_recorded(place)

    known = (entry for entry in sorted(folder.iterdir()) if entry.is_dir())
    return {entry.name: importer(entry) for entry in known if is_recorded(entry)}


def write_fleet(source: Path, target: Path) -> Iterator[Path]:
    """Write a bundle of every recorded host of `source` into `target`, and yield its path.

    Raises XtraceError XT0407, OSError.
    """
    from xtrace.core.facts.bundle import write_files

    target.mkdir(parents=True, exist_ok=True)
    for name, load in recorded_fleet(source).items():
        path = target / f"{name}.xfacts"
        with path.open("wb") as stream:
            write_files(load().files, stream)
        yield path


# --- a host of the fleet ----------------------------------------------------------------------------------------------


def _packed(path: Path) -> Optional[bytes]:
    if not path.is_file():
        return None
    with lzma.open(path) as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise XtraceError.of("XT0407", f"{path} unpacks to more than {_MAX_BYTES >> 20} MiB")
    return data


def _plain(path: Path) -> Optional[bytes]:
    return path.read_bytes() if path.is_file() else None


def _json(path: Path) -> Mapping[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise XtraceError.of("XT0407", f"{path} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise XtraceError.of("XT0407", f"{path} does not hold an object")
    return found


def _fleet_files(folder: Path) -> dict[str, bytes]:
    meta = _json(folder / "meta.json")
    facts = {**_distribution(meta), **_kernel_btf(folder)}
    files = _present(
        {
            "symbols.txt": _packed(folder / "symbols.txt.xz"),
            "events.txt": _plain(folder / "tracepoints.txt"),
            "classes.json": _packed(folder / "tracepoint_classes.json.xz"),
            "inline.json": _packed(folder / "inline.json.xz"),
            "bpf.json": _plain(folder / "bpf.json"),
            "blacklist.txt": _plain(folder / "kprobe_blacklist.txt"),
            "config": _config_text(folder / "config.json"),
            **_functions(folder / "available_filter_functions.txt.xz", facts),
        }
    )
    files["facts.json"] = recording.document(
        str(meta.get("release", "")),
        str(meta.get("arch", "")),
        {name: fact_to_json(fact) for name, fact in facts.items()},
        captured={"method": "import", "sources": meta.get("sources", []), "note": meta.get("note", "")},
        config={
            "source": f"the recorded part of the configuration ({meta.get('config_from') or 'same kernel'})",
            "complete": False,
        },
        missing={name: fact_to_json(fact) for name, fact in _refused(folder).items()},
    )
    return files


def _present(files: Mapping[str, Optional[bytes]]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if data is not None}


def _config_text(path: Path) -> Optional[bytes]:
    if not path.is_file():
        return None
    return "".join(f"CONFIG_{name}={value}\n" for name, value in _json(path).items()).encode()


def _distribution(meta: Mapping[str, object]) -> dict[str, Fact]:
    described = meta.get("os")
    described = described if isinstance(described, dict) else {}
    names = {"ID": "os.id", "VERSION_ID": "os.version", "PRETTY_NAME": "os.name"}
    return {
        fact: Fact(State.PRESENT, described[field], f"{field} of the recording")
        for field, fact in names.items()
        if described.get(field)
    }


def _kernel_btf(folder: Path) -> dict[str, Fact]:
    """A list of BTF's functions proves that the kernel has BTF."""
    if not (folder / "btf_funcs.txt.xz").is_file():
        return {}
    return {"bpf.btf": Fact(State.PRESENT, "/sys/kernel/btf/vmlinux", "the recording lists the functions of BTF")}


def _functions(path: Path, facts: dict[str, Fact]) -> dict[str, Optional[bytes]]:
    """The filterable functions. What could not be read was recorded as an error text, not as a list."""
    data = _packed(path)
    if data is None or data.startswith(b"#") or b"Operation not permitted" in data or len(data) < 80:
        return {}
    facts["tracefs.filterable"] = Fact(State.PRESENT, data.count(b"\n"), "available_filter_functions was recorded")
    names = {line.split()[0] for line in data.splitlines() if line.strip()}
    return {"filterable.txt": b"\n".join(sorted(names)) + b"\n"}


def _refused(folder: Path) -> dict[str, Fact]:
    data = _packed(folder / "available_filter_functions.txt.xz")
    if data is not None and len(data) < 80:
        return {"filterable.txt": Fact(State.DENIED, None, "available_filter_functions: EPERM when recorded", 1)}
    return {}


# --- the live capture -------------------------------------------------------------------------------------------------


def _capture_files(folder: Path) -> dict[str, bytes]:
    transcript = (folder / "trials.txt").read_text(errors="replace")
    found = re.search(r"^Linux \S+ (\S+) .* (\S+) GNU/Linux$", transcript, re.M)
    if not found:
        raise XtraceError.of("XT0407", f"{folder}/trials.txt does not say which kernel was running")
    facts = read_transcript(transcript)
    readme = _plain(folder / "tracefs-README.txt")
    if readme:
        facts["tracefs.readme"] = Fact(State.PRESENT, readme.decode("utf-8", "replace"), "recorded")
    functions = _functions(folder / "available_filter_functions.txt.xz", facts)
    files = _present(
        {
            "symbols.txt": _stripped(_packed(folder / "kallsyms-names.txt.xz")),
            "events.txt": _plain(folder / "tracepoints.txt"),
            "formats.txt": _formats(folder / "events-formats.tar.xz"),
            "config": _plain(folder / "config.txt"),
            **functions,
        }
    )
    files["facts.json"] = recording.document(
        found[1],
        found[2],
        {name: fact_to_json(fact) for name, fact in facts.items()},
        captured={"method": "live capture"},
        config={"source": "the recorded configuration", "complete": True},
    )
    return files


def _stripped(data: Optional[bytes]) -> Optional[bytes]:
    return None if data is None else re.sub(rb"[ \t]+$", b"", data, flags=re.M)


def _formats(path: Path) -> Optional[bytes]:
    if not path.is_file():
        return None
    texts: dict[str, str] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            parts = member.name.split("/")
            if member.isfile() and len(parts) >= 3 and parts[-1] == "format" and member.size < 1 << 20:
                file = archive.extractfile(member)
                if file:
                    texts[f"{parts[-3]}:{parts[-2]}"] = file.read().decode("utf-8", "replace")
    return recording.formats_text(texts).encode()
