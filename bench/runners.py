#!/usr/bin/env python3
"""Runners of upstream's tests: tests a second of one worker beside the fastest peer, and what a second worker adds.

Processor time (user and system) of whole runs, least of the rounds, since other work on the machine moves wall time
more than anything here. The peer is evmone 0.15, one thread, measured once on such a machine (peers table of
docs/performance.md): a figure a file, or bytes of JSON a second where its files were others; `of peer` is keel's rate
over its, and the target is 2. `two workers` is what two of them do against one: by wall time, which says nothing when
the machine has no two idle processors, and by processor time, 2 x one's over that of both, which is the most that wall
time could show.

Whether tests pass is not asked here: `make conformance` does. Needs the unpacked fixtures (KEEL_FIXTURES) and says which rows it leaves out.
"""

import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET, TARGET_TWO = 2.0, 1.9
# Command, folder, and the peer's milliseconds a file, bytes of JSON a second, or tests a second.
ROWS = [
    ("blocktest", "eest-static", {"bytes": 40e6}),
    ("blocktest", "eest-blockchain", {"bytes": 40e6}),
    ("blocktest", "ethereum-tests/BlockchainTests", {"tests": 2200}),
    ("statetest", "eest-state/state_tests/cancun", {"ms_file": 8000 / 45}),
    ("statetest", "eest-state/state_tests/prague", {"ms_file": 1200 / 69}),
    ("statetest", "ethereum-tests/GeneralStateTests/stRandom", {"ms_file": 300 / 310}),
    ("statetest", "ethereum-tests/GeneralStateTests/stSStoreTest", {"ms_file": 20 / 28}),
    ("statetest", "ethereum-tests/GeneralStateTests/stPreCompiledContracts2", {"ms_file": 320 / 102}),
    ("statetest", "ethereum-tests/GeneralStateTests/stZeroKnowledge", {"ms_file": 350 / 134}),
    ("enginetest", "eest-engine", {"limit": 1500}),
]


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def once(keel, command, folder, workers):
    cpu, wall = cpu_seconds(), time.perf_counter()
    done = subprocess.run([keel, command, "--exit-zero", "--workers", str(workers), folder], capture_output=True, text=True)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    told = re.search(r"^(\d+) tests passed, (\d+) tests failed", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not told:
        sys.exit(f"keel {command} {folder} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return cpu, wall, int(told.group(1)) + int(told.group(2))


def peer_ratio(peer, tests, files, size, cpu):
    """keel's rate over the peer's, and how the peer's is known."""
    if "bytes" in peer:
        return size / cpu / peer["bytes"], f"{peer['bytes'] / 1e6:.0f} MB/s"
    if "tests" in peer:
        return tests / cpu / peer["tests"], f"{peer['tests']} tests/s"
    if "limit" in peer:
        return tests / cpu / peer["limit"], f"{peer['limit']} tests/s wanted"
    return peer["ms_file"] * files / 1e3 / cpu, f"{peer['ms_file']:.2f} ms a file"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keel", default=str(ROOT / "build/release/keel"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--row", action="append", help="only folders whose name has this (may be repeated)")
    options = parser.parse_args()
    fixtures = pathlib.Path(os.environ.get("KEEL_FIXTURES", pathlib.Path.home() / ".cache/keel-fixtures"))
    print(f"{'command':10} {'folder':56} {'tests':>6} {'cpu ms':>8} {'tests/s':>8} {'MB/s':>6} {'peer':>22} {'of peer':>7} {'target':>6} "
          f"{'two workers: wall':>17} {'cpu':>5} {'target':>6}", flush=True)
    for command, name, peer in ROWS:
        folder = fixtures / name
        if options.row and not any(part in name for part in options.row):
            continue
        if not folder.is_dir():
            print(f"{command:10} {name}: LEFT OUT, not there", flush=True)
            continue
        sizes = [path.stat().st_size for path in folder.rglob("*.json") if not any(p.startswith(".") for p in path.relative_to(folder).parts)]
        one, two = [], []
        for _ in range(options.rounds):
            one.append(once(options.keel, command, folder, 1))
            two.append(once(options.keel, command, folder, 2))
        cpu, tests = min(run[0] for run in one), one[0][2]
        ratio, text = peer_ratio(peer, tests, len(sizes), sum(sizes), cpu)
        scaling_wall = min(run[1] for run in one) / min(run[1] for run in two)
        scaling_cpu = 2 * cpu / min(run[0] for run in two)
        target = 1.0 if "limit" in peer else TARGET
        print(f"{command:10} {name:56} {tests:6} {cpu * 1e3:8.0f} {tests / cpu:8.0f} {sum(sizes) / cpu / 1e6:6.0f} {text:>22} {ratio:7.2f} "
              f"{target:6.1f} {scaling_wall:17.2f} {scaling_cpu:5.2f} {TARGET_TWO:6.1f}", flush=True)


if __name__ == "__main__":
    main()
