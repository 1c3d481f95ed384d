"""All benchmarks, one after the other: `python -m bench`. Each can also be run alone, with options."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("parse_speed", "function_verdicts", "ftrace_stream")


def main() -> int:
    """The number of benchmarks that failed."""
    failed = 0
    for name in BENCHMARKS:
        print(f"{name}:", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
