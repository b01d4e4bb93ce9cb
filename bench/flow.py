#!/usr/bin/env python3
"""The flow as a user sees it: whole processes of keel, timed from outside.

Rows (targets: the flow table of docs/performance.md):
  first answer   init + import of the 54-block chain + daemon + one JSON-RPC answer, three processes
  many files     300 one-block files in one import, against the same blocks in one file
  sync chain     import of 3000 blocks, every root checked, and the head it must reach
  restart        daemon on an imported chain to its first answer
  large genesis  init of a genesis with many accounts

Each figure is the median of several rounds, with the fastest in brackets; processor time is that of
the children. Backends take turns, so that a slow moment of the machine hits both. Needs the
fixtures rpc-compat and hive-chains for three of the rows and says which rows it leaves out.
"""

import argparse
import http.client
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BACKENDS = ("mem", "lmdb")


class Keel:
    """One data directory and the program that works on it."""

    def __init__(self, program, directory, backend, flags=()):
        self.common = ["--datadir", str(directory), "--db", backend, *flags]
        self.program = program

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments, *self.common], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"keel {arguments[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done

    def daemon(self):
        process = subprocess.Popen(
            [self.program, "daemon", "--http.port", "0", "--authrpc.port", "0", *self.common],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = process.stdout.readline()
        fields = dict(word.split("=", 1) for word in line.split()[1:])
        return process, int(fields["http"].rsplit(":", 1)[1])


def ask(port, method, *parameters):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
    connection.request("POST", "/", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer["result"]


def stop(process):
    process.terminate()
    process.wait()
    process.stdout.close()


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Column:
    """Times of one row on one backend."""

    def __init__(self):
        self.wall = []
        self.cpu = []

    def time(self, work):
        cpu, wall = cpu_seconds(), time.perf_counter()
        result = work()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(cpu_seconds() - cpu)
        return result

    def median(self):
        return statistics.median(self.wall)

    def text(self):
        return (f"{self.median() * 1e3:9.1f} ms (min {min(self.wall) * 1e3:.1f}, "
                f"cpu {statistics.median(self.cpu) * 1e3:.1f})")


class Bench:
    def __init__(self, options):
        self.program = str(pathlib.Path(options.keel).resolve())
        self.rounds = options.rounds
        self.flags = ["--durability", options.durability] if options.durability else []
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="keel-flow-", dir=options.directory))
        self.number = 0

    def fresh(self, backend):
        self.number += 1
        return Keel(self.program, self.root / str(self.number), backend, self.flags_of(backend))

    def flags_of(self, backend):
        return self.flags if backend == "lmdb" else []

    def row(self, name, work, prepare=None, rounds=None):
        """work(keel, prepared) is timed on a fresh directory of each backend in turn."""
        columns = {backend: Column() for backend in BACKENDS}
        for _ in range(rounds or self.rounds):
            for backend in BACKENDS:
                keel = self.fresh(backend)
                prepared = prepare(keel) if prepare else None
                finish = columns[backend].time(lambda: work(keel, prepared))
                if finish:
                    finish()
                shutil.rmtree(self.root / str(self.number), ignore_errors=True)
        for backend in BACKENDS:
            print(f"{name:14} {backend:5} {columns[backend].text()}", flush=True)
        return columns


def split_blocks(data):
    """The RLP items of a chain file."""
    at = 0
    while at < len(data):
        first = data[at]
        if first < 0xF8:
            sys.exit("not a chain file")
        size_bytes = first - 0xF7
        size = 1 + size_bytes + int.from_bytes(data[at + 1:at + 1 + size_bytes], "big")
        yield data[at:at + size]
        at += size


def first_answer(bench, fixtures):
    genesis, chain = fixtures / "genesis.json", fixtures / "chain.rlp"

    def work(keel, _):
        keel.run("init", str(genesis))
        keel.run("import", str(chain))
        process, port = keel.daemon()
        if ask(port, "eth_blockNumber") != "0x36":
            sys.exit("the daemon does not serve block 54")
        return lambda: stop(process)

    bench.row("first answer", work, rounds=bench.rounds * 2)


def restart(bench, fixtures):
    genesis, chain = fixtures / "genesis.json", fixtures / "chain.rlp"

    def prepare(keel):
        keel.run("init", str(genesis))
        keel.run("import", str(chain))

    def work(keel, _):
        process, port = keel.daemon()
        ask(port, "eth_blockNumber")
        return lambda: stop(process)

    bench.row("restart", work, prepare, rounds=bench.rounds * 2)


def many_files(bench, fixtures):
    genesis = fixtures / "genesis.json"
    blocks = list(split_blocks((fixtures / "chain.rlp").read_bytes()))[:300]
    folder = bench.root / "files"
    folder.mkdir()
    names = []
    for index, block in enumerate(blocks):
        names.append(str(folder / f"{index + 1:04}.rlp"))
        pathlib.Path(names[-1]).write_bytes(block)
    joined = bench.root / "joined.rlp"
    joined.write_bytes(b"".join(blocks))

    def prepare(keel):
        keel.run("init", str(genesis))

    def one(keel, _):
        keel.run("import", str(joined))

    def many(keel, _):
        keel.run("import", *names)

    single = bench.row("one file", one, prepare)
    several = bench.row("300 files", many, prepare)
    for backend in BACKENDS:
        ratio = several[backend].median() / single[backend].median()
        print(f"{'':14} {backend:5} 300 files / one file: {ratio:.2f} (at most 1.5)")


def sync_chain(bench, fixtures):
    genesis, chain = fixtures / "genesis.json", fixtures / "chain.rlp"
    head = json.loads((fixtures / "headfcu.json").read_text())["params"][0]["headBlockHash"]

    def prepare(keel):
        keel.run("init", str(genesis))

    def work(keel, _):
        done = keel.run("import", str(chain), "--json")
        if head not in done.stdout:
            sys.exit(f"import does not end at {head}: {done.stdout}")

    columns = bench.row("sync chain", work, prepare)
    for backend in BACKENDS:
        rate = 3000 / columns[backend].median()
        print(f"{'':14} {backend:5} {rate:.0f} blocks/s")


def large_genesis(bench, accounts):
    path = bench.root / "genesis.json"
    with open(path, "w") as file:
        file.write('{"config":{"chainId":7},"gasLimit":"0x2fefd8","difficulty":"0x1","alloc":{')
        for index in range(accounts):
            # Spread over the key space, the same in every run.
            address = (index * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276B) % (1 << 160)
            file.write(("" if index == 0 else ",") + f'"{address:040x}":{{"balance":"{index + 1}"}}')
        file.write("}}")

    def work(keel, _):
        keel.run("init", str(path))

    bench.row(f"genesis {accounts}", work, rounds=min(bench.rounds, 3))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keel", default="build/keel", help="the program (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--durability", default="group", help="of lmdb (default: %(default)s)")
    parser.add_argument("--directory", help="where the data directories are made (default: the system's)")
    parser.add_argument("--accounts", type=int, default=1_000_000, help="of the large genesis; 0: leave it out")
    parser.add_argument("--row", action="append", help="only this row (may be repeated)")
    options = parser.parse_args()
    fixtures = pathlib.Path(os.environ.get("KEEL_FIXTURES", pathlib.Path.home() / ".cache/keel-fixtures"))
    compat = fixtures / "rpc-compat"
    sync = fixtures / "hive-chains/ethereum/sync/chain"
    rows = {
        "first-answer": (compat, first_answer),
        "restart": (compat, restart),
        "many-files": (sync, many_files),
        "sync-chain": (sync, sync_chain),
    }
    bench = Bench(options)
    try:
        for name, (needs, work) in rows.items():
            if options.row and name not in options.row:
                continue
            if not needs.is_dir():
                print(f"{name}: LEFT OUT, no fixtures in {needs}")
                continue
            work(bench, needs)
        if options.accounts and (not options.row or "large-genesis" in options.row):
            large_genesis(bench, options.accounts)
    finally:
        shutil.rmtree(bench.root, ignore_errors=True)


if __name__ == "__main__":
    main()
