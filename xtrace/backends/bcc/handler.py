"""What lowering knows while it writes one handler: the host's registers, the attach point, the maps, the variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Union

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.maps import BpfMap, MapTable
from xtrace.backends.bcc.registers import ARCHITECTURES, Registers
from xtrace.backends.bcc.writer import Region, UnsupportedError, Writer, comment
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import TypeSource
from xtrace.core.lang.source import Span

LOSS_SLOTS = ("XTRACE_EVENTS", "XTRACE_STACKS", "XTRACE_LOOPS", "XTRACE_MEMORY")
"""The first loss counters; each map has one of its own after them."""


@dataclass(frozen=True)
class Host:
    """What lowering asks of a host. `boot_clock` and `bounded_loops`: does its BPF have them?"""

    arch: str
    types: Optional[TypeSource] = None
    boot_clock: bool = False
    bounded_loops: bool = True

    @property
    def registers(self) -> Registers:
        return ARCHITECTURES[self.arch]


@dataclass
class Handler:
    """One handler being written. `attach` stands for all attach points that share it; `usdt` is the site whose
    operands `arg0`… name. `vars` maps a program's variable to its C local or its memory."""

    host: Host
    program: ir.Program
    maps: MapTable
    attach: at.Attach
    usdt: Optional[at.UsdtSite] = None
    out: Writer = field(default_factory=Writer)
    vars: dict[str, Union[Region, str]] = field(default_factory=dict)
    var_types: dict[str, t.CType] = field(default_factory=dict)
    loads: dict[str, str] = field(default_factory=dict)

    def refuse(self, message: str, span: Optional[Span], *hints: str) -> UnsupportedError:
        """The exception to raise for what BPF cannot do."""
        return UnsupportedError(Diagnostic("XT0701", message, span, hints))

    @property
    def has_registers(self) -> bool:
        return isinstance(self.attach, (at.Kprobe, at.Uprobe, at.Usdt, at.Profile, at.Interval, at.PerfEvent))

    def declare(self, name: str, kind: t.CType) -> None:
        """Make a variable of the program known, zero or empty at the start."""
        self.var_types[name] = kind
        if layout.is_region(kind):
            place = self.out.slot(layout.words(kind), "v")
            self.out.zero(place)
            self.vars[name] = place
        else:
            self.vars[name] = self.out.variable("v")

    def context(self, offset: int, what: str, bits: int = 64) -> str:
        """A number of the context at a byte offset, loaded once at the start.

        More than one load would make the compiler share the address, and the verifier takes no load from a context
        pointer that something was added to ("dereference of modified ctx ptr").
        """
        name = f"c{offset}" if bits == 64 else f"c{offset}_{bits}"
        self.loads[name] = f"u64 {name} = x_ctx_u{bits}(ctx, {offset}); /* {comment(what)} */"
        return name

    def site(self, node: ir.Output) -> ir.Site:
        """The site of an output; in a trial, when the program has no sites yet, one that only has values."""
        if node.site < len(self.program.sites):
            return self.program.sites[node.site]
        return ir.Emit(tuple(("", arg.type) for arg in node.args))

    def full_slot(self, found: BpfMap) -> str:
        """The loss counter of a full map."""
        return f"XTRACE_MAPS + {found.index}"
