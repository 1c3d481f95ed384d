"""Kernel types out of installed kernel headers: a file that includes the right one is compiled for its types alone.

The kernel's own build system compiles it, so flags, generated headers and the configuration are the kernel's. The
result is read as BTF (gcc 12 and later) or as DWARF (pyelftools): a struct means the same as from any other source.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

from xtrace.core.elf.file import section
from xtrace.core.facts.btf import Btf
from xtrace.core.facts.dwarf_types import DwarfTypes
from xtrace.core.facts.model import FunctionPrototype, TypeSource
from xtrace.core.facts.types import BtfTypes, NoTypes
from xtrace.core.types import CType, Member

_TIMEOUT = 120
_NAME = re.compile(r"[A-Za-z_]\w*")
_HEADERS = {
    "sock": "net/sock.h", "inet_sock": "net/inet_sock.h", "tcp_sock": "linux/tcp.h", "sk_buff": "linux/skbuff.h",
    "task_struct": "linux/sched.h", "mm_struct": "linux/mm_types.h", "file": "linux/fs.h", "inode": "linux/fs.h",
    "dentry": "linux/dcache.h", "path": "linux/path.h", "request": "linux/blkdev.h", "bio": "linux/bio.h",
    "gendisk": "linux/blkdev.h", "net_device": "linux/netdevice.h", "linux_binprm": "linux/binfmts.h",
    "oom_control": "linux/oom.h", "cred": "linux/cred.h", "nsproxy": "linux/nsproxy.h",
}  # fmt: skip
"""Where often-read structs are defined, to spare the search."""
_PROGRAM = """#include <{header}>
struct {name} *xtrace_layout;
unsigned long xtrace_size = sizeof(struct {name});
"""


class HeaderTypes:
    """A `TypeSource` of structs over a kernel's build tree, one compilation (about 2 s) for each struct first asked.

    `build` is the tree; `within` a command that runs others where the tree is (`chroot DIR`, with `root` being DIR).
    `problem` is the compiler's complaint about the last struct that could not be compiled.
    """

    def __init__(self, build: str, root: str = "/", within: Sequence[str] = ()) -> None:
        self.build, self.root, self.within = build, Path(root), tuple(within)
        self.problem = ""
        self._sources: dict[str, TypeSource] = {}

    def struct(self, name: str) -> Optional[CType]:
        return self._source(name).struct(name)

    def member(self, struct: str, name: str) -> Optional[Member]:
        return self._source(struct).member(struct, name)

    def members(self, struct: str) -> tuple[Member, ...]:
        return self._source(struct).members(struct)

    def typedef(self, name: str) -> Optional[CType]:
        return next((kind for kind in (s.typedef(name) for s in self._sources.values()) if kind is not None), None)

    def enumerator(self, name: str) -> Optional[int]:
        return next((v for v in (s.enumerator(name) for s in self._sources.values()) if v is not None), None)

    def enum_values(self, enum: str) -> Mapping[int, str]:
        return next((values for values in (s.enum_values(enum) for s in self._sources.values()) if values), {})

    def prototype(self, function: str) -> Optional[FunctionPrototype]:
        return None

    # --- compilation ------------------------------------------------------------------------------------------------

    def _source(self, name: str) -> TypeSource:
        """Types of the header that defines a struct; those already compiled are asked first."""
        tag, _, rest = name.strip().partition(" ")
        plain = rest if tag in ("struct", "union") and rest else name
        for source in self._sources.values():
            if source.struct(name) is not None:
                return source
        if plain not in self._sources:
            self._sources[plain] = self._compile(plain) if _NAME.fullmatch(plain) else NoTypes()
        return self._sources[plain]

    def _trees(self) -> list[Path]:
        """The build tree and the source tree that distributions split off from it."""
        build = self._real(self.build)
        trees = [build / "include", *sorted(build.glob("arch/*/include"))]
        try:
            makefile = (build / "Makefile").read_text(errors="replace")
        except OSError:
            return trees
        for path in re.findall(r"^(?:include|export KBUILD_EXTMOD_SRC\s*:?=)\s+(/\S+?)(?:/Makefile)?$", makefile, re.M):
            source = self._real(path)
            trees += [source / "include", *sorted(source.glob("arch/*/include"))]
        return trees

    def _real(self, path: str) -> Path:
        """The path in `root`, absolute symbolic links followed inside it."""
        found = self.root / path.lstrip("/")
        for _ in range(8):
            if not found.is_symlink():
                break
            target = found.readlink()
            found = self.root / str(target).lstrip("/") if target.is_absolute() else found.parent / target
        return found

    def _header(self, name: str) -> Optional[str]:
        known = _HEADERS.get(name)
        definition = re.compile(rf"^struct {name} *(\{{|$)", re.M)
        for place in (tree / known for tree in self._trees()) if known else ():
            if place.is_file() and definition.search(place.read_text(errors="replace")):
                return known
        for tree in self._trees():
            done = subprocess.run(
                ["grep", "-rlE", rf"^(struct|union) {name} *(\{{|$)", "--include=*.h", str(tree)],
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT,
            )
            found = sorted(done.stdout.split(), key=lambda path: ("/uapi/" in path, len(path)))
            if found:
                return os.path.relpath(found[0], tree).replace("uapi/", "")
        return None

    def _compile(self, name: str) -> TypeSource:
        header = self._header(name)
        if header is None:
            self.problem = f"no header below {self.build} defines struct {name}"
            return NoTypes()
        with tempfile.TemporaryDirectory(prefix="xtrace-", dir=self.root / "tmp") as folder:
            place = Path(folder)
            # objtool checks code, of which there is none, and wants /proc.
            (place / "Makefile").write_text("obj-m := layout.o\nOBJECT_FILES_NON_STANDARD_layout.o := y\n")
            (place / "layout.c").write_text(_PROGRAM.format(header=header, name=name))
            inside = f"/{place.relative_to(self.root)}"
            for flags in ("-g0 -gbtf", "-g"):
                source = self._built(place, inside, flags)
                if source is not None:
                    return source
        return NoTypes()

    def _built(self, place: Path, inside: str, flags: str) -> Optional[TypeSource]:
        command = [
            *self.within,
            "make",
            "-s",
            "-C",
            self.build,
            f"M={inside}",
            f"KCFLAGS={flags}",
            "CC=gcc",
            "layout.o",
        ]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_TIMEOUT
        )
        result = place / "layout.o"
        if done.returncode or not result.is_file():
            lines = (done.stderr or done.stdout).strip().splitlines()
            self.problem = next((line for line in lines if "error" in line), lines[-1] if lines else "make failed")
            return None
        data = section(result, ".BTF")
        if data:
            return BtfTypes(Btf(data, f"headers of {self.build}"))
        try:
            return DwarfTypes(result)
        except ImportError:
            self.problem = "the compiler cannot write BTF (gcc 12), and pyelftools is not installed to read DWARF"
            return None
