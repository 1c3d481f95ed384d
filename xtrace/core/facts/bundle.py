"""Bundles: one compressed file that holds all facts of a host (`xtrace facts -o host.xfacts`).

A bundle is a zip archive of the files that `xtrace.core.facts.recording` describes. Nothing in it is run, and reading
is bounded: a bundle may come from a stranger.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from xtrace import __version__
from xtrace.core.errors import XtraceError
from xtrace.core.facts import recording
from xtrace.core.facts.conclusive import fact_to_json
from xtrace.core.facts.live import LiveHost
from xtrace.core.facts.model import Fact, HostFacts, KernelSymbol
from xtrace.core.facts.recording import RecordedHost
from xtrace.core.facts.redact import Redactor

_MAX_FILE = 256 << 20
_MAX_FILES = 4096
_MAX_BUNDLE = 512 << 20
_TIME = (1980, 1, 1, 0, 0, 0)
"""Equal hosts make equal bundles."""


# --- writing ----------------------------------------------------------------------------------------------------------


def write_bundle(host: HostFacts, stream: BinaryIO, redact: bool = True) -> None:
    """Write everything known of a host. With `redact`, without its name, addresses and home directories.

    Kernel addresses are never written. Raises OSError.
    """
    write_files(bundle_files(host, redact), stream)


def write_files(files: Mapping[str, bytes], stream: BinaryIO) -> None:
    """Write the files of a recording as a bundle. Raises OSError."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])


def bundle_files(host: HostFacts, redact: bool = True, method: str = "live") -> Mapping[str, bytes]:
    """The files of a recording of this host; `method` says how its facts were got."""
    redactor = Redactor.here() if redact and not host.recorded else Redactor()
    if isinstance(host, RecordedHost):
        return dict(host.files)
    files = {**_lists(host), **_types(host)}
    text, source = _config(host)
    if text is not None:
        files["config"] = (redactor.text(text) if redact else text).encode()
    facts: dict[str, object] = {name: fact_to_json(fact) for name, fact in host.facts().items()}
    files["facts.json"] = recording.document(
        host.release,
        host.arch,
        {name: redactor.value(fact) for name, fact in facts.items()} if redact else facts,
        captured={"tool": f"xtrace {__version__}", "method": method, "redacted": redact},
        config={"source": source, "complete": True},
        missing=_missing(host),
    )
    return files


def _config(host: HostFacts) -> tuple[str | None, str]:
    options, source = host.options if isinstance(host, LiveHost) else (None, "")
    if options is None:
        return None, source
    return "".join(f"{name}={value}\n" for name, value in options.items()), source


def _lists(host: HostFacts) -> dict[str, bytes]:
    """Symbols, events and their formats, functions."""
    files: dict[str, bytes] = {}
    symbols = host.symbols.glob("*")
    if symbols:
        files["symbols.txt"] = "".join(_symbol_lines(symbols)).encode()
    events = host.events()
    if events is not None:
        files["events.txt"] = "".join(f"{name}\n" for name in sorted(events)).encode()
        if isinstance(host, LiveHost):
            texts = {name: host.format_text(*name.split(":", 1)) for name in events}
            files["formats.txt"] = recording.formats_text({name: text for name, text in texts.items() if text}).encode()
    if isinstance(host, LiveHost):
        for file, names in host.function_lists().items():
            files[file] = "".join(f"{name}\n" for name in sorted(names)).encode()
    return files


def _symbol_lines(symbols: Iterable[KernelSymbol]) -> Iterator[str]:
    for symbol in symbols:
        module = f"\t[{symbol.module}]" if symbol.module else ""
        yield f"{symbol.type} {symbol.name}{module}\n"


def _types(host: HostFacts) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    if isinstance(host, LiveHost):
        for name in host.files.names("/sys/kernel/btf"):
            try:
                files[f"btf/{name}"] = host.files.read(f"/sys/kernel/btf/{name}")
            except OSError:
                continue
    return files


def _missing(host: HostFacts) -> Mapping[str, object]:
    """Why lists that are not in the bundle are not: what the host said."""
    told: dict[str, Fact] = {
        "filterable.txt": host.fact("tracefs.filterable"),
        "blacklist.txt": host.fact("tracefs.blacklist"),
    }
    return {file: fact_to_json(fact) for file, fact in told.items() if not fact.yes}


# --- reading ----------------------------------------------------------------------------------------------------------


class _ZipFiles(Mapping[str, bytes]):
    """The files of an archive in memory; each is unpacked when first asked for."""

    def __init__(self, archive: zipfile.ZipFile, source: str) -> None:
        self.archive, self.source = archive, source
        self.sizes = {info.filename: info.file_size for info in archive.infolist()}
        self.unpacked: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> bytes:
        if name not in self.unpacked:
            if name not in self.sizes:
                raise KeyError(name)
            self.unpacked[name] = self._unpack(name)
        return self.unpacked[name]

    def _unpack(self, name: str) -> bytes:
        try:
            with self.archive.open(name) as file:
                data = file.read(_MAX_FILE + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise _damaged(self.source, f"{name}: {error}") from error
        if len(data) > _MAX_FILE:
            raise _damaged(self.source, f"{name} is larger than {_MAX_FILE >> 20} MiB")
        return data

    def __iter__(self) -> Iterator[str]:
        return iter(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)


def _damaged(source: str, why: str) -> XtraceError:
    hints = ("record the host again: xtrace facts -o FILE",)
    return XtraceError.of("XT0405", f"{source} is damaged: {why}", hints=hints)


def read_bundle(path: str | Path) -> RecordedHost:
    """The host that a bundle describes.

    Raises XtraceError XT0404 (not a bundle), XT0405 (damaged), XT0406 (another schema), OSError (cannot be read).
    """
    source = Path(path)
    if source.stat().st_size > _MAX_BUNDLE:
        raise XtraceError.of("XT0404", f"{source} is larger than any facts bundle")
    data = source.read_bytes()
    if data[:2] != b"PK":
        raise XtraceError.of(
            "XT0404",
            f"{source} is not a facts bundle",
            hints=("xtrace facts -o FILE writes one", "xtrace facts --import FILE reads a collector's archive"),
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OSError) as error:
        raise _damaged(str(source), str(error)) from error
    if len(entries) > _MAX_FILES:
        raise _damaged(str(source), f"it holds {len(entries)} files")
    if "facts.json" not in archive.namelist():
        raise XtraceError.of("XT0404", f"{source} is a zip archive without facts.json, not a facts bundle")
    return RecordedHost(_ZipFiles(archive, str(source)), source.name)
