"""The distribution releases the lab boots, as data."""

from __future__ import annotations

from dataclasses import dataclass

COMMON_PACKAGES = (
    "bpftool",
    "bpftrace",
    "busybox-static",
    "gcc",
    "iproute2",
    "kmod",
    "libc6-dev",
    "linux-headers-cloud-amd64",
    "linux-image-cloud-amd64",
    "linux-perf",
    "make",
    "mount",
    "procps",
    "python3",
    "python3-bpfcc",
    "strace",
    "systemtap",
    "systemtap-runtime",
    "trace-cmd",
)


@dataclass(frozen=True)
class Release:
    """One kernel to test: where it comes from and what is peculiar about it."""

    kernel: str
    """The short name users type, for example ``6.1``."""
    suite: str
    extra_packages: tuple[str, ...] = ()
    apt_options: tuple[str, ...] = ()
    cpu: str = "max"
    systemtap: frozenset[str] = frozenset()
    """Probe classes whose modules this release's SystemTap both compiles and loads."""
    systemtap_broken: str = ""
    """Why the other classes do not work, for skip messages."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Everything installed on top of the essential packages."""
        return tuple(sorted({*COMMON_PACKAGES, *self.extra_packages}))


RELEASES = (
    Release(
        kernel="5.10",
        suite="bullseye",
        systemtap=frozenset({"timer", "tracepoint", "uprobe"}),
        systemtap_broken="SystemTap 4.4 uses module_mutex, which 5.10.y no longer exports",
    ),
    Release(
        kernel="6.1",
        suite="bookworm",
        extra_packages=("libbpf-tools",),
        systemtap_broken="SystemTap 4.8 predates the task_work_cancel split that 6.1.y took over",
    ),
    Release(
        kernel="6.12",
        suite="trixie",
        extra_packages=("libbpf-tools",),
        # QEMU 7.2's TCG double-faults this kernel at random in cmpxchg16b.
        cpu="max,cx16=off",
        systemtap_broken="modules of SystemTap 5.1 need uprobe_unregister, which 6.12 renamed",
    ),
    Release(
        kernel="7.2",
        suite="forky",
        extra_packages=("libbpf-tools",),
        # A testing suite's Release file expires within a week of its last change.
        apt_options=('Acquire::Check-Valid-Until "false"',),
        systemtap=frozenset({"kprobe", "timer", "tracepoint", "uprobe"}),
    ),
)


def find(name: str) -> Release:
    """Return the release called *name*, which is a kernel or a suite."""
    for release in RELEASES:
        if name in (release.kernel, release.suite):
            return release
    known = ", ".join(release.kernel for release in RELEASES)
    raise LookupError(f"no kernel {name!r} in the lab; there are {known}")
