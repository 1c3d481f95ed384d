"""Maps that the kernel keeps by hist triggers hold what user space computes from the same events."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.lab.case import case
from tests.lab.inside import equal, events, workload, xtrace
from tests.lab.workload import tag

COUNT = 300
WITH_HIST = ("6.1", "6.12", "7.2")
"""Debian's cloud kernel 5.10 is built without CONFIG_HIST_TRIGGERS."""
READS = f'tracepoint:syscalls:sys_exit_read /comm == "{tag("sizes")}"/'
EQUAL = f"""{READS} {{
  @hist = hist(args.ret); @named[comm] = hist(args.ret); @ret[comm, args.ret] = count();
  @sum[comm] = sum(args.ret); @avg = avg(args.ret); @stats[probe] = stats(args.ret); @pid[pid] = count();
  if (args.ret < 0) {{ @failed++; }} else {{ @bytes += args.ret; }}
}}
tracepoint:syscalls:sys_enter_read {{ @name[comm] = count(); }}"""
COARSER = f"""{READS} {{
  @linear = lhist(args.ret, -5, 60, 5); @thirds = hist(args.ret / 3); @stack[kstack(2)] = count();
}}"""
FULL = f"config = {{ max_map_keys = 128 }} {READS} {{ @[args.ret] = count(); }}"
CLEARED = f"""{READS} {{ @ = hist(args.ret); @n[args.ret] = count(); }}
interval:ms:100 {{ print(@); clear(@); print(@n); clear(@n); }}"""
TIMES = f"""tracepoint:syscalls:sys_enter_read /comm == "{tag("sizes")}"/ {{ @start[tid] = nsecs; @begun = count(); }}
tracepoint:syscalls:sys_exit_read /@start[tid]/ {{
  $ns = nsecs - @start[tid]; @ns[comm] = hist($ns); @us = hist($ns / 1000); @n[args.ret] = count();
  @sum = sum($ns); @avg = avg($ns); if ($ns > 1000) {{ @slow[pid] = count(); }} else {{ @fast = count(); }}
  delete(@start[tid]);
}}"""
FLOOD = """tracepoint:syscalls:sys_enter_read /comm == "dd"/ { @start[tid] = nsecs; @begun = count(); }
tracepoint:syscalls:sys_exit_read /@start[tid]/ {
  @ns[tid] = hist(nsecs - @start[tid]); @n = count(); delete(@start[tid]);
}"""
SAID = "times are taken in the kernel"
IN_KERNEL = "aggregates in the kernel"


def in_kernel(program: str, *words: str) -> bool:
    """Would ftrace feed the program's maps in the kernel?"""
    done = xtrace("plan", "--backend", "ftrace", "--json", *words, "-e", program)
    return IN_KERNEL in done.stdout


def run(program: str, aggregate: str) -> list[dict[str, Any]]:
    """The events of one run over the workload."""
    words = ("--backend", "ftrace", "--json", "--aggregate", aggregate, "-e", program)
    return events(xtrace("trace", *words, "-c", workload("sizes", COUNT)))


def found(items: list[dict[str, Any]]) -> dict[str, Any]:
    """The last state of each map; counts by process without the process, which differs between runs."""
    done = {item["map"]: {tuple(map(str, e["key"])): e["value"] for e in item["entries"]} for item in items
            if item["schema"] == "xtrace.map/1"}  # fmt: skip
    return {name: list(entries.values()) if name == "@pid" else entries for name, entries in done.items()}


@case(kernels=WITH_HIST, needs=["ftrace"], timeout=120)
def equal_results() -> None:
    """What the kernel keeps of its own accord is exactly what user space computes, 0 and negative numbers included."""
    assert in_kernel(EQUAL), "the program is not fed in the kernel"
    kernel, user = found(run(EQUAL, "auto")), found(run(EQUAL, "user"))
    for name in sorted(set(user) - {"@name"}):
        equal(kernel.get(name), user[name], name)
    named = (tag("sizes"),)
    equal((kernel["@name"].get(named), user["@name"].get(named)), (2 * COUNT, 2 * COUNT), "reads by name")
    equal(sum(kernel["@ret"].values()), 2 * COUNT, "reads")


@case(kernels=WITH_HIST, needs=["ftrace"], timeout=120)
def results_on_request() -> None:
    """What --aggregate kernel adds: buckets by ranges, and stacks."""
    assert in_kernel(COARSER, "--aggregate", "kernel") and not in_kernel(COARSER)
    kernel, user = found(run(COARSER, "kernel")), found(run(COARSER, "user"))
    for name in ("@linear", "@thirds"):
        equal(kernel.get(name), user[name], name)
    print(kernel["@stack"], user["@stack"])
    equal(sum(kernel["@stack"].values()), 2 * COUNT, "stacks")


@case(kernels=WITH_HIST, needs=["ftrace"], timeout=120)
def a_full_table() -> None:
    """Updates that find the kernel's table full are counted and shown, as in user space."""
    expected = [{"kind": "map-full", "count": COUNT + 1 - 128, "where": "@"}]
    for aggregate in ("kernel", "user"):
        items = run(FULL, aggregate)
        losses = [item for item in items if item["schema"] == "xtrace.loss/1"]
        equal([{k: one[k] for k in ("kind", "count", "where")} for one in losses], expected, f"losses in {aggregate}")
        equal(len(found(items)["@"]), 128, f"keys in {aggregate}")


@case(kernels=WITH_HIST, needs=["ftrace"], timeout=120)
def looked_at_and_cleared() -> None:
    """A map that an interval prints and clears is shown in pieces that add up."""
    items = run(CLEARED, "kernel")
    pieces = [item for item in items if item["schema"] == "xtrace.map/1"]
    counts = sum(entry["value"] for item in pieces if item["map"] == "@n" for entry in item["entries"])
    hist = sum(
        bucket["count"] for item in pieces if item["map"] == "@" for e in item["entries"] for bucket in e["value"]
    )
    equal((counts, hist), (2 * COUNT, 2 * COUNT), "reads counted, and sorted into buckets")


@case(kernels=["5.10"], needs=["ftrace"], timeout=120)
def without_triggers() -> None:
    """A kernel without hist triggers counts in user space, and the plan says so."""
    plan = json.loads(xtrace("plan", "--backend", "ftrace", "--json", "--aggregate", "kernel", "-e", EQUAL).stdout)
    assert "no hist triggers" in json.dumps(plan), plan
    equal(sum(found(run(EQUAL, "auto"))["@ret"].values()), 2 * COUNT, "reads")


@case(kernels=WITH_HIST, needs=["ftrace"], timeout=120)
def times_taken_in_the_kernel() -> None:
    """Synthetic events time each call of a thread once, and hand on what the tables want to know."""
    assert in_kernel(TIMES, "--aggregate", "kernel") and not in_kernel(TIMES)
    kernel, user = found(run(TIMES, "kernel")), found(run(TIMES, "user"))
    for name in ("@begun", "@n"):
        equal(kernel.get(name), user[name], name)
    for one in (kernel, user):
        buckets = {
            name: sum(bucket["count"] for entry in one[name].values() for bucket in entry) for name in ("@ns", "@us")
        }
        equal(buckets, {"@ns": 2 * COUNT, "@us": 2 * COUNT}, "times in histograms")
        equal(list(one["@ns"]), [(tag("sizes"),)], "names")
        equal(sum(one["@slow"].values()) + sum(one.get("@fast", {}).values()), 2 * COUNT, "slow and fast ones")
        (total,), (mean,) = one["@sum"].values(), one["@avg"].values()
        equal(total // (2 * COUNT), mean, "the mean")
        assert 0 < mean < 10**8, mean
    assert "@start" not in kernel


@case(kernels=WITH_HIST, needs=["ftrace"], timeout=120)
def many_times_are_taken_in_the_kernel() -> None:
    """Where user space would need too much of a CPU, the session lets the kernel take the times and says so; few times
    stay in user space."""
    words = ("trace", "--backend", "ftrace", "--json", "-d", "2", "-e", FLOOD)
    quiet = xtrace(*words)
    flood = subprocess.Popen(["dd", "if=/dev/zero", "of=/dev/null", "bs=1"], stderr=subprocess.DEVNULL)
    try:
        busy = xtrace(*words)
    finally:
        flood.kill()
        flood.wait()
    assert SAID not in quiet.stderr + quiet.stdout and SAID in busy.stderr + busy.stdout
    items = events(busy)
    maps = found(items)
    timed = sum(bucket["count"] for entry in maps["@ns"].values() for bucket in entry)
    counted, begun = (sum(maps[name].values()) for name in ("@n", "@begun"))
    assert timed == counted > 1000 and begun >= counted, (timed, counted, begun)
    equal([one for one in items if one["schema"] == "xtrace.loss/1"], [], "losses")
