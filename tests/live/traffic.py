"""What the tests of named events trace: `python -m tests.live.traffic KIND COUNT FILE`. What it did goes into FILE."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CLOSED_PORT = 1
ADDRESSES = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
BLOCK = 65536


def connections(count: int) -> list[dict[str, object]]:
    """Open, use and close `count` connections to this process over each of IPv4 and IPv6."""
    done = []
    for family, address in ADDRESSES.items():
        with socket.socket(family) as listening:
            listening.bind((address, 0))
            listening.listen()
            port = listening.getsockname()[1]
            for _ in range(count):
                with socket.create_connection((address, port)) as client:
                    server, peer = listening.accept()
                    client.sendall(b"x" * 5)
                    server.recv(5)
                    server.sendall(b"y" * 50)
                    client.recv(50)
                    done.append({"address": address, "port": port, "from": peer[1]})
                server.recv(1)
                server.close()
    return done


def refusals(count: int) -> list[dict[str, object]]:
    """Knock `count` times at a port that nobody listens to."""
    for _ in range(count):
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", CLOSED_PORT)) != 0
    return [{}] * count


def signals(count: int) -> list[dict[str, object]]:
    """End `count` children by SIGTERM, and ask as often for one that is not there."""
    done: list[dict[str, object]] = []
    for _ in range(count):
        child = subprocess.Popen(["sleep", "60"])
        os.kill(child.pid, signal.SIGTERM)
        child.wait()
        done.append({"target": child.pid, "ret": 0})
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)
        done.append({"target": child.pid, "ret": -errno.ESRCH})
    return done


def threads(count: int) -> list[dict[str, object]]:
    """Make `count` threads, one after the other, and live on for what is counted by the second."""
    for _ in range(count):
        thread = threading.Thread(target=threading.get_native_id)
        thread.start()
        thread.join()
    time.sleep(1.3)
    return [{}] * count


def writes(count: int) -> list[dict[str, object]]:
    """Write `count` blocks to a new file past the page cache, each a request of its own."""
    block = memoryview(bytearray(2 * BLOCK))
    start = -_address(block) % BLOCK
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        file = os.open(f"{folder}/blocks", os.O_CREAT | os.O_WRONLY | os.O_DIRECT)
        for number in range(count):
            os.pwrite(file, block[start : start + BLOCK], number * BLOCK)
        os.close(file)
    return [{"bytes": BLOCK}] * count


def _address(block: memoryview) -> int:
    import ctypes

    return ctypes.addressof(ctypes.c_char.from_buffer(block))


KINDS = {one.__name__: one for one in (connections, refusals, signals, threads, writes)}

if __name__ == "__main__":
    Path(sys.argv[3]).write_text(json.dumps(KINDS[sys.argv[1]](int(sys.argv[2]))))
