"""How a case is written: a function registered with ``@case``. Imported on the host and in guests."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, NoReturn

from tests.lab import cases

BACKENDS = ("ftrace", "bcc", "systemtap")
PATIENCE = 4
"""Timeouts are written for an idle machine; a guest without KVM on a busy one is several times slower. They only end
what hangs."""


class Skip(Exception):  # noqa: N818 - it is no error
    """A case cannot run here; the message names the missing capability."""


def skip(reason: str) -> NoReturn:
    """End the running case as skipped."""
    raise Skip(reason)


@dataclass(frozen=True)
class Case:
    """One case on one backend, or on none in particular."""

    id: str
    run: Callable[[], None]
    kernels: tuple[str, ...]
    """The kernels it is meant for; empty for all."""
    timeout: float
    needs: tuple[str, ...]
    """Capabilities (capability.py); the first one missing skips the case."""
    stap: tuple[str | tuple[str, ...], ...]
    """SystemTap modules it needs: script texts, or arguments of ``xtrace render``."""
    long: bool

    def fits(self, kernel: str, long: bool) -> bool:
        """Tell whether the case belongs to a run on *kernel* in this profile."""
        return (not self.kernels or kernel in self.kernels) and (long or not self.long)


_CASES: dict[str, Case] = {}


def case(
    *,
    kernels: Sequence[str] = (),
    timeout: float = 60,
    needs: Sequence[str] = (),
    backends: Sequence[str] = (),
    probes: Sequence[str] = (),
    stap: Sequence[str | Sequence[str]] = (),
    long: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the decorated function as a case.

    With *backends* it becomes one case for each, called with the backend's name; *stap* then
    belongs to the systemtap one. *probes* are the probe classes it uses (kprobe, tracepoint,
    uprobe, timer), since SystemTap has only some of them on some kernels.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        scripts = tuple(item if isinstance(item, str) else tuple(item) for item in stap)
        if not backends:
            _CASES[name] = Case(name, function, tuple(kernels), timeout * PATIENCE, tuple(needs), scripts, long)
        for backend in backends:
            own_needs = (*needs, *backend_needs(backend, probes))
            own_scripts = scripts if backend == "systemtap" else ()
            of_backend = f"{name}[{backend}]"

            def run(backend: str = backend) -> None:
                function(backend)

            _CASES[of_backend] = Case(of_backend, run, tuple(kernels), timeout * PATIENCE, own_needs, own_scripts, long)
        return function

    return register


def backend_needs(backend: str, probes: Sequence[str]) -> tuple[str, ...]:
    """Return the capabilities that *probes* need on *backend*."""
    if backend == "systemtap":
        return tuple(f"systemtap:{probe}" for probe in probes)
    return (backend,)


def discover() -> dict[str, Case]:
    """Import all case modules and return the cases by id."""
    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return dict(sorted(_CASES.items()))
