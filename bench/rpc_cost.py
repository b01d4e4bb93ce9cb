#!/usr/bin/env python3
"""Instructions that a request costs (bench/rpc_cost.cpp), counted by valgrind and compared with a stored table.

Time is no measure on a machine that others use; counts under valgrind are the same to a few per cent wherever the
compiler is the same, as it offers the program the same processor everywhere. A row that costs more than `--margin`
times what is stored fails; one that costs much less should be stored anew: --write.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys

STORED = pathlib.Path(__file__).parent / "data" / "rpc_cost.json"


def instructions(program, row, count):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, row, str(count)]
    run = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"rpc-cost: {' '.join(command)}:\n{run.stderr[-2000:]}")
    return int(found[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="keel_rpc_cost")
    parser.add_argument("--margin", type=float, default=1.3)
    parser.add_argument("--write", action="store_true", help="store what is measured")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("rpc-cost: valgrind is not installed")
    rows = subprocess.run([options.program], capture_output=True, text=True, check=True).stdout.split()
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    costs, dear = {}, []
    print("| request | instructions | stored | ratio |\n|---|---|---|---|")
    for row in rows:
        few, many = 5, 25
        costs[row] = (instructions(options.program, row, many) - instructions(options.program, row, few)) // (many - few)
        ratio = costs[row] / stored[row] if row in stored else None
        print(f"| {row} | {costs[row]} | {stored.get(row, '')} | {'' if ratio is None else f'{ratio:.2f}'} |", flush=True)
        if ratio is not None and ratio > options.margin:
            dear.append(row)
    if options.write:
        STORED.write_text(json.dumps(costs, indent=2) + "\n")
    elif dear or set(rows) != set(stored):
        sys.exit(f"rpc-cost: dearer than {options.margin} times what {STORED.name} says: {', '.join(dear) or 'none'}; "
                 f"rows that are in one of them only: {', '.join(sorted(set(rows) ^ set(stored))) or 'none'}")


if __name__ == "__main__":
    main()
