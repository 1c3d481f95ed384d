"""Small file trees that stand for a host, for tests of what is read from files."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Union

RELEASE = "5.10.0-32-amd64"

FILES: Mapping[str, Union[str, bytes]] = {
    "etc/os-release": 'ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n',
    "proc/mounts": "proc /proc proc rw 0 0\nnodev /sys/kernel/tracing tracefs rw 0 0\n",
    "proc/config.gz": gzip.compress(
        b'CONFIG_BPF=y\nCONFIG_HZ=250\nCONFIG_CC_VERSION_TEXT="gcc 10"\n# CONFIG_X is not set\n'
    ),
    "proc/kallsyms": "0000000000000010 T vfs_read\n0000000000000020 t helper.isra.0\n"
    "0000000000000030 D jiffies\n0000000000000040 t start\t[ext4]\n0000000000000050 t start\t[xfs]\n",
    "sys/kernel/tracing/README": "tracing mini-HOWTO:\n",
    "sys/kernel/tracing/available_events": "sched:sched_switch\nskb:kfree_skb\n",
    "sys/kernel/tracing/available_filter_functions": "vfs_read\nstart [ext4]\n",
    "sys/kernel/tracing/trace_clock": "[local] global boot\n",
    "sys/kernel/tracing/instances/keep": "",
    "sys/kernel/tracing/events/skb/kfree_skb/format": "name: kfree_skb\nID: 9\nformat:\n"
    '\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;\n\nprint fmt: "x"\n',
    "sys/kernel/debug/kprobes/blacklist": "0xffffffff81000000-0xffffffff81000010\tdo_int3\n",
    "proc/sys/kernel/perf_event_paranoid": "3\n",
}


def plant(root: Path, files: Mapping[str, Union[str, bytes]] = FILES) -> Path:
    """Write the files below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root
