"""Fetch the corpora: `python -m tests.corpora.fetch [SUITE…]`. Needs apt and dpkg-deb, no root.

Each release is read through an apt of its own, so the machine's sources and lists stay as they are.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.corpora.corpus import RELEASES, Release

MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def fetch(release: Release) -> None:
    """Put the tools of a release into its folder. Raises subprocess.CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="xtrace-corpora-") as name:
        work = Path(name)
        apt = _private_apt(work, release.suite)
        subprocess.run([*apt, "update"], cwd=work, check=True)
        subprocess.run([*apt, "download", "bpftrace"], cwd=work, check=True)
        (package,) = work.glob("bpftrace_*.deb")
        subprocess.run(["dpkg-deb", "--extract", str(package), str(work / "root")], check=True)
        release.folder.mkdir(parents=True, exist_ok=True)
        for tool in sorted((work / "root" / "usr" / "sbin").glob("*.bt")):
            (release.folder / tool.name).write_bytes(tool.read_bytes())


def _private_apt(work: Path, suite: str) -> list[str]:
    """apt-get with lists and caches of its own. A release that is out of support or in the making has no valid date."""
    sources = work / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {MIRROR} {suite} main\n")
    for part in ("state/lists/partial", "cache/archives/partial"):
        (work / part).mkdir(parents=True)
    (work / "status").touch()
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State": work / "state",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        "Acquire::Check-Valid-Until": "false",
        "APT::Sandbox::User": "",
    }
    return ["apt-get", "--quiet", *(f"--option={name}={value}" for name, value in options.items())]


def main(suites: list[str]) -> int:
    known = {release.suite: release for release in RELEASES}
    unknown = [suite for suite in suites if suite not in known]
    if unknown:
        print(f"no such release: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    for suite in suites or known:
        fetch(known[suite])
        print(f"{suite}: {len(known[suite].tools())} tools in {known[suite].folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
