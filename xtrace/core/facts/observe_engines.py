"""Which engines and tools are installed, and their versions. Finding a version runs the program."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Callable, Optional

from xtrace.core.facts.files import shortened
from xtrace.core.facts.model import Fact, State

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost

Probe = Callable[["LiveHost"], Fact]

_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_TIMEOUT = 20
_STAP_GROUPS = ("stapdev", "stapusr", "stapsys", "stapunpriv")
PYTHONS = ("/usr/libexec/platform-python", "/usr/bin/python3", "/usr/bin/python", "/usr/bin/python2")
ASK_BCC = (
    "import sys, json\n"
    "import bcc\n"
    "own = hasattr(bcc, 'BPF')\n"
    "print(json.dumps({'own': own, 'version': getattr(bcc, '__version__', ''), 'file': bcc.__file__,"
    " 'python_version': '%d.%d.%d' % sys.version_info[:3]}))"
)

VERSIONS = {
    "stap": ("-V", r"version (\d+\.\d+[\w.]*)"),
    "gcc": ("--version", r"^gcc .*?(\d+\.\d+[\d.]*)[^)\n]*$"),
    "clang": ("--version", r"clang version (\d+[\d.]*)"),
    "bpftrace": ("--version", r"bpftrace v?(\d+[\d.]*)"),
    "perf": ("--version", r"perf version (\d+[\w.]*)"),
}
"""The option that makes each program tell its version, and where in the answer it is."""


def program(host: LiveHost, name: str) -> Optional[str]:
    """Where a program is, looked for in the system's directories and then on PATH."""
    search = [*_PATH, *(os.environ.get("PATH", "").split(":") if host.files.own else [])]
    for folder in search:
        path = f"{folder}/{name}"
        if folder.startswith("/") and host.files.executable(path):
            return path
    return None


def _path(name: str) -> Probe:
    def probe(host: LiveHost) -> Fact:
        found = program(host, name)
        if found:
            return Fact(State.PRESENT, found, f"{found} is there")
        return Fact(State.ABSENT, None, f"no program {name} in the system's directories or on PATH")

    return probe


def run(command: list[str]) -> str:
    """Output of a short program run in `/` with a plain environment. Raises OSError, also for a timeout."""
    plain = {"PATH": ":".join(_PATH), "LC_ALL": "C", "HOME": os.environ.get("HOME", "/")}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            cwd="/",
            env=plain,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]} took more than {_TIMEOUT} s") from error
    return (done.stdout + b"\n" + done.stderr).decode("utf-8", "replace")


def _version(name: str) -> Probe:
    option, pattern = VERSIONS[name]

    def probe(host: LiveHost) -> Fact:
        found = program(host, name)
        if not found:
            return Fact(State.ABSENT, None, f"no program {name}")
        if not host.files.own:
            return Fact(State.UNPROBED, None, f"{found} is of another machine and cannot be run")
        text = run([found, option])
        match = re.search(pattern, text, re.M)
        if not match:
            return Fact(State.UNPROBED, None, f"{found} {option} says {shortened(text)}")
        return Fact(State.PRESENT, {"path": found, "version": match[1]}, f"{found} {option}: {shortened(match[0])}")

    return probe


# --- BCC --------------------------------------------------------------------------------------------------------------


def pythons(host: LiveHost) -> list[str]:
    """Interpreters that a distribution's bcc package may belong to, each file once; XTRACE_BCC_PYTHON comes first."""
    chosen = [os.environ["XTRACE_BCC_PYTHON"]] if host.files.own and os.environ.get("XTRACE_BCC_PYTHON") else []
    numbered = [f"/usr/bin/{name}" for name in host.files.names("/usr/bin") if re.fullmatch(r"python[23]\.\d+", name)]
    found: dict[str, str] = {}
    for path in (*chosen, *PYTHONS, *reversed(numbered)):
        if os.access(host.files.path(path), os.X_OK):
            found.setdefault(os.path.realpath(host.files.path(path)), path)
    return list(found.values())


def _ask(python: str) -> Optional[dict[str, object]]:
    """What `import bcc` gives in an interpreter that ignores the user's own modules; None where there is none."""
    for line in run([python, "-E", "-s", "-c", ASK_BCC]).splitlines():
        if line.startswith("{"):
            try:
                answer = json.loads(line)
            except ValueError:
                continue
            return answer if isinstance(answer, dict) else None
    return None


def _bcc(host: LiveHost) -> Fact:
    if not host.files.own:
        return Fact(State.UNPROBED, None, "interpreters of another machine cannot be run")
    asked = []
    for python in pythons(host):
        answer = _ask(python)
        asked.append(python)
        if answer and answer.get("own"):
            value = {"path": python, "version": str(answer["version"]), "python_version": answer["python_version"]}
            return Fact(State.PRESENT, value, f"{python} imports bcc.BPF from {answer['file']}")
    return Fact(State.ABSENT, None, f"no bcc.BPF in {', '.join(asked) or 'any Python: there is none'}")


def _foreign_bcc(host: LiveHost) -> Fact:
    if not host.files.own:
        return Fact(State.UNPROBED, None, "interpreters of another machine cannot be run")
    found = []
    for python in pythons(host):
        answer = _ask(python)
        if answer and not answer.get("own"):
            found.append(str(answer["file"]))
    if found:
        return Fact(State.PRESENT, found, f"{found[0]} has no BPF: it is PyPI's bcc, another project")
    return Fact(State.ABSENT, None, "no other project's bcc")


# --- SystemTap --------------------------------------------------------------------------------------------------------


def _groups(host: LiveHost) -> Fact:
    import grp

    if not host.files.own:
        return Fact(State.UNPROBED, None, "only known of the machine that xtrace runs on")
    names = []
    for number in {*os.getgroups(), os.getegid()}:
        try:
            names.append(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    found = sorted(set(names) & set(_STAP_GROUPS))
    return Fact(State.PRESENT if found else State.ABSENT, found, f"groups of the caller: {', '.join(sorted(names))}")


def _staprun(host: LiveHost) -> Fact:
    """Packages let only root and the group stapusr run it."""
    fact = _path("staprun")(host)
    closed = next((path for path in (f"{folder}/staprun" for folder in _PATH) if host.files.exists(path).yes), None)
    if fact.no and closed:
        return Fact(State.DENIED, None, f"{closed} is there, but not for this user to run")
    if fact.yes and host.files.on_disk:
        mode = host.files.path(str(fact.value)).stat().st_mode
        return Fact(State.PRESENT, fact.value, f"{fact.value}, {'setuid' if mode & 0o4000 else 'not setuid'}")
    return fact


PROBES: dict[str, Probe] = {
    "bcc.python": _bcc,
    "bcc.foreign": _foreign_bcc,
    "stap.groups": _groups,
    "stap.path": _path("stap"),
    "staprun.path": _staprun,
    "gcc.path": _path("gcc"),
    "clang.path": _path("clang"),
    **{f"{name}.version": _version(name) for name in VERSIONS},
}
