#!/usr/bin/env python3
"""Import of chains of our own: a file of blocks to durable state, signature recovery, roots and disk included.

Chains of full blocks (testdata/make/import_cases.cpp):
  transfers  transfers between 8192 accounts that all send: signatures decide
  spread     transfers to any of all accounts: tries and store decide
  tokens     transfers of a token that every account holds
  storage    loads and stores at random in one large storage

Each row is the median of several rounds in turns over both stores, with and without state roots. `wall` is the whole
of opening, import and close. A machine that others use shows little by it; so there is also what two idle processors
would give, if the disk were no hindrance: the processor time of the executing thread, or half of that of all threads,
whichever is longer. The ratio is to the target, by wall time and by that bound. The head that is reached must have the
hash that the maker of the chain computed, state root included: a run that ends elsewhere ends the benchmark.

The chains are made once and kept in build/bench-import (KEEL_BENCH_DIR), by number of accounts
(KEEL_BENCH_ACCOUNTS, default 1000000).
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BACKENDS = ("mem", "lmdb")
TARGETS = {"transfers": 650, "tokens": 300}  # Mgas/s with roots; docs/performance.md


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def chains(options):
    """The folder of the chains, made anew when its maker is newer."""
    folder = options.cache / str(options.accounts)
    manifest = folder / "manifest.json"
    if not manifest.exists() or manifest.stat().st_mtime < options.maker.stat().st_mtime:
        print(f"making chains on {options.accounts} accounts in {folder}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        run(options.maker, "--import", folder, options.accounts)
    return folder, json.loads(manifest.read_text())["cases"]


class Row:
    def __init__(self, case, backend, roots):
        self.case, self.backend, self.roots = case, backend, roots
        self.runs = []

    def once(self, options, stored, folder):
        work = stored.parent / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(stored, work)
        flags = [] if self.roots else ["--without-roots"]
        result = json.loads(run(options.bench, work, self.backend, folder / (self.case["name"] + ".rlp"), *flags))
        for ours, theirs in (("head", "head"), ("gas", "gasUsed"), ("blocks", "blocks"), ("transactions", "transactions")):
            if result[ours] != self.case[theirs]:
                sys.exit(f"{self.case['name']}: {ours} is {result[ours]}, its maker computed {self.case[theirs]}")
        self.runs.append(result)
        shutil.rmtree(work)

    def median(self, value):
        return statistics.median(map(value, self.runs))

    def text(self):
        gas, blocks = self.case["gasUsed"] / 1e6, self.case["blocks"]
        wall = self.median(lambda r: r["wall"])
        bound = self.median(lambda r: max(r["executing"], r["cpu"] / 2))
        target = TARGETS.get(self.case["name"]) if self.roots else None
        ratios = f"{gas / wall / target:6.2f} {gas / bound / target:6.2f} {target:6}" if target else f"{'':6} {'':6} {'':6}"
        return (f"{self.case['name']:10} {self.backend:5} {'roots' if self.roots else 'none':6} {gas / wall:8.0f} {blocks / wall:8.1f} "
                f"{gas / bound:8.0f} {blocks / bound:8.1f} {ratios} {wall * 1e3:9.0f} {self.median(lambda r: r['cpu']) * 1e3:9.0f} "
                f"{self.median(lambda r: r['executing']) * 1e3:9.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keel", type=pathlib.Path, default=ROOT / "build/release/keel")
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/release/bench/keel_import_bench")
    parser.add_argument("--maker", type=pathlib.Path, default=ROOT / "build/release/testdata/make/keel_testdata")
    parser.add_argument("--cache", type=pathlib.Path, default=os.environ.get("KEEL_BENCH_DIR", ROOT / "build/bench-import"))
    parser.add_argument("--accounts", type=int, default=int(os.environ.get("KEEL_BENCH_ACCOUNTS", "1000000")))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", action="append", help="only this chain (may be repeated)")
    options = parser.parse_args()
    folder, cases = chains(options)
    print(f"{'':10} {'':5} {'':6} {'wall':>17} {'two idle cores':>17} {'of target':>13} {'target':>6} {'ms':>9} {'cpu ms':>9} {'executing':>9}")
    print(f"{'chain':10} {'store':5} {'roots':6} {'Mgas/s':>8} {'blocks/s':>8} {'Mgas/s':>8} {'blocks/s':>8} {'wall':>6} {'idle':>6} {'Mgas/s':>6}", flush=True)
    for case in cases:
        if options.case and case["name"] not in options.case:
            continue
        with tempfile.TemporaryDirectory(prefix="import-", dir=options.cache) as scratch:
            stored = {}
            for backend in BACKENDS:
                stored[backend] = pathlib.Path(scratch) / backend
                made = run(options.keel, "init", folder / (case["name"] + ".json"), "--datadir", stored[backend], "--db", backend)
                if made.strip() != case["genesisHash"]:
                    sys.exit(f"{case['name']}: genesis {made.strip()}, its maker computed {case['genesisHash']}")
            rows = [Row(case, backend, roots) for roots in (True, False) for backend in BACKENDS]
            for _ in range(options.rounds):
                for row in rows:
                    row.once(options, stored[row.backend], folder)
            for row in rows:
                print(row.text(), flush=True)


if __name__ == "__main__":
    main()
