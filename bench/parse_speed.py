"""What reading a program costs, as shares of starting Python: `python -m bench.parse_speed [FILE.bt]`.

One run measures all of it, alternating, so that the ratios hold on a busy machine. Nothing here is asserted.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.lang.typing import check

_ROUNDS = 15
_BARE = "pass"
_IMPORT = "import xtrace.core.lang.parser"

SIXTY_LINES = '#define LIMIT 1000\nBEGIN { printf("tracing\\n"); }\n' + "".join(
    f"""
kprobe:vfs_{name},
kprobe:__vfs_{name}
/pid != 0 && (uint64)arg2 > LIMIT * 2/
{{
  $file = (struct file *)arg0;
  @start[tid, comm] = nsecs;
  @size[str($file->f_path.dentry->d_name.name)] = hist(arg2);
  if (arg2 >= 4096 && comm != "dd") {{
    printf("%-6d %-16s %d\\n", pid, comm, arg2 / 1024);
  }} else {{
    @small++;
  }}
}}
"""
    for name in ("read", "write", "readv", "writev")
)


def _python(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-I", "-c", code], check=True)


def _least(jobs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The least time of each job in seconds, over rounds that run all of them."""
    least = dict.fromkeys(jobs, float("inf"))
    for _ in range(_ROUNDS):
        for name, job in jobs.items():
            started = time.perf_counter()
            job()
            least[name] = min(least[name], time.perf_counter() - started)
    return least


def main(arguments: list[str]) -> int:
    text = Path(arguments[0]).read_text(encoding="utf-8") if arguments else SIXTY_LINES
    source = Source(arguments[0] if arguments else "-e", text)
    program = parse(source)
    least = _least(
        {
            "start Python": _python(_BARE),
            "start Python, import the parser": _python(_IMPORT),
            "parse": lambda: parse(source),
            "type without a host": lambda: check(program),
        }
    )
    unit = least["start Python"]
    print(f"{len(text.splitlines())} lines; 1.00 is the start of Python, {unit * 1e3:.1f} ms here")
    for name, seconds in least.items():
        print(f"{seconds / unit:8.2f}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
