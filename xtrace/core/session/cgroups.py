"""Control groups by path (cgroups(7)): the one hierarchy of version 2, also where it stands beside version 1."""

from __future__ import annotations

from pathlib import Path

from xtrace.core.errors import UsageError

_ROOTS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")


def cgroup_directory(path: str, roots: tuple[str, ...] = _ROOTS) -> str:
    """The directory of a cgroup given by its directory or by its path in the hierarchy, `/system.slice/ssh.service`.

    Raises UsageError with XT1008 where there is none.
    """
    root = next((one for one in roots if Path(one, "cgroup.controllers").exists()), None)
    if root is None:
        raise UsageError.of("XT1008", "no cgroup hierarchy of version 2 is mounted", hints=("use -p instead",))
    inside = path[len(root) :] if path == root or path.startswith(f"{root}/") else path
    found = Path(root, inside.strip("/"))
    if not found.is_dir():
        hints = ("cat /proc/PID/cgroup tells the cgroup of a process, behind 0::",)
        raise UsageError.of("XT1008", f"there is no cgroup {path}", hints=hints)
    return str(found)
