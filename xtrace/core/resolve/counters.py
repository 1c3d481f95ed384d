"""The perf events that `software` and `hardware` probes name, with bpftrace's default periods (man bpftrace)."""

from __future__ import annotations

from collections.abc import Mapping

COUNTERS: Mapping[str, Mapping[str, int]] = {
    "software": {
        "alignment-faults": 1,
        "bpf-output": 1,
        "context-switches": 1000,
        "cpu-clock": 1_000_000,
        "cpu-migrations": 1,
        "cs": 1000,
        "dummy": 1,
        "emulation-faults": 1,
        "faults": 100,
        "major-faults": 1,
        "minor-faults": 100,
        "page-faults": 100,
        "task-clock": 1_000_000,
    },
    "hardware": {
        "backend-stalls": 1_000_000,
        "branch-instructions": 100_000,
        "branch-misses": 100_000,
        "branches": 100_000,
        "bus-cycles": 100_000,
        "cache-misses": 1_000_000,
        "cache-references": 1_000_000,
        "cpu-cycles": 1_000_000,
        "cycles": 1_000_000,
        "frontend-stalls": 1_000_000,
        "instructions": 1_000_000,
        "ref-cycles": 1_000_000,
    },
}
