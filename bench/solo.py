#!/usr/bin/env python3
"""A chain for people without a consensus client: keel daemon --dev on both stores, and anvil where it is installed.

Rows, each on a fresh chain of each program, which take turns:
  start            the program's start to its first answer
  a block a tx     raw transfers one after the other until the last is mined; keel makes a block for each before it
                   answers, anvil some time later for those that have come: `blocks` says how many they became
  a block of 200   raw transfers in batches of 100 without mining, then a block for each 200
  a block a second with --dev.period 1 (anvil: --block-time 1): raw transfers in batches of 100, sent from the first
                   block on, until the last is mined; the blocks have room for all of them
  its blocks       seconds between the blocks that came meanwhile, at most
  mined one by one empty blocks, a call for each, on a fresh chain
  mined at once    1,000 empty blocks by one call, on a fresh chain
  10,000 at once   the same of 10,000, of keel alone: anvil keeps the state of each block, and its time for the next one
                   grows with those before it (1,000 behind 1,400 blocks took 6 s, 10,000 did not end in minutes)

Transfers are signed once, by keel, and the same for all. Figures are medians of the rounds; `x` is the rate over
anvil's. keel writes everything to its directory with `group`, anvil keeps all in memory and nothing afterwards.
"""

import argparse
import http.client
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ANVIL = ROOT / "tests/clients/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
TXS = 400
PERIOD_TXS = 4000
PERIOD_GAS_LIMIT = 200_000_000  # of a block: room for all of them
IN_BLOCK = 200
BATCH = 100
EMPTY_CALLS = 1000
EMPTY_AT_ONCE = 1000
MANY_AT_ONCE = 10_000
WAIT_S = 120  # for what was sent to be mined


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    """A started program; `start_s` is the time to its first answer."""

    def __init__(self, command, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        began = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.call("eth_blockNumber")
                break
            except ConnectionError:
                self.connection.close()
                if self.process.poll() is not None or time.perf_counter() - began > 30:
                    sys.exit(f"{command[0]} does not answer")
                time.sleep(0.001)
        self.start_s = time.perf_counter() - began

    def post(self, body):
        """The answers, of which none may be an error."""
        self.connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        for each in answer if isinstance(answer, list) else [answer]:
            if "result" not in each:
                sys.exit(f"{body[:200]}: {each}")
        return answer

    def call(self, method, *params):
        return self.post(request(method, params))["result"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.terminate()
        self.process.wait()


def request(method, params, identifier=1):
    return json.dumps({"jsonrpc": "2.0", "id": identifier, "method": method, "params": params})


def programs(keel, anvil, folder):
    """Name and start of each; a start takes a word that makes its directory new, and whether a block comes each second."""
    def start_keel(backend):
        def start(word, periodic=False):
            port = free_port()
            more = ["--dev.period", "1", "--dev.gaslimit", str(PERIOD_GAS_LIMIT)] if periodic else []
            return Node([keel, "daemon", "--dev", "--datadir", f"{folder}/{backend}-{word}", "--db", backend,
                         "--http.port", str(port), *more], port)
        return start

    def start_anvil(_, periodic=False):
        port = free_port()
        more = ["--block-time", "1", "--gas-limit", str(PERIOD_GAS_LIMIT)] if periodic else []
        return Node([anvil, "--quiet", "--port", str(port), *more], port)

    found = {"keel mem": start_keel("mem"), "keel lmdb": start_keel("lmdb")}
    if os.access(anvil, os.X_OK):
        found["anvil"] = start_anvil
    return found


def signed_transfers(start):
    """PERIOD_TXS transfers of the first account, in the order of their nonces."""
    with start("signing") as node:
        sender, receiver = node.call("eth_accounts")[:2]
        raws = []
        for nonce in range(PERIOD_TXS):
            tx = {"from": sender, "to": receiver, "value": "0x1", "gas": "0x5208", "nonce": hex(nonce),
                  "maxFeePerGas": hex(10**11), "maxPriorityFeePerGas": hex(10**9)}
            signed = node.call("eth_signTransaction", tx)
            raws.append(signed if isinstance(signed, str) else signed["raw"])
        return raws, receiver


def rate(count, work):
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def batches(raws):
    for first in range(0, len(raws), BATCH):
        calls = [request("eth_sendRawTransaction", [raw], i) for i, raw in enumerate(raws[first:first + BATCH])]
        yield "[" + ",".join(calls) + "]"


def height(node):
    return int(node.call("eth_blockNumber"), 16)


def mine_at_once(node, count):
    before = height(node)
    blocks_a_second = rate(count, lambda: node.call("anvil_mine", hex(count)))
    if height(node) != before + count:
        sys.exit("blocks are missing")
    return blocks_a_second


def a_block_a_tx(node, raws, receiver, rows):
    rows["start"] = node.start_s * 1e3
    before = balance(node, receiver)
    bodies = [request("eth_sendRawTransaction", [raw]) for raw in raws]

    def send_each():
        for body in bodies:
            node.post(body)
        await_all(node, receiver, before + len(raws))
    rows["a block a tx"] = rate(len(raws), send_each)
    rows["blocks"] = height(node)


def a_block_of_many(node, raws, receiver, rows):
    node.call("evm_setAutomine", False)
    before = balance(node, receiver)

    def send_batches():
        for i, body in enumerate(batches(raws), 1):
            node.post(body)
            if i * BATCH % IN_BLOCK == 0:
                node.call("evm_mine")
        await_all(node, receiver, before + len(raws))
    rows[f"a block of {IN_BLOCK}"] = rate(len(raws), send_batches)


def a_block_a_second(node, raws, receiver, rows):
    before = balance(node, receiver)
    bodies = list(batches(raws))
    first = height(node)
    while height(node) == first:
        time.sleep(0.002)
    first = height(node)
    seen = []  # when the height was asked, and what it was

    def send_batches():
        for body in bodies:
            node.post(body)
            seen.append((time.perf_counter(), height(node)))
        await_all(node, receiver, before + len(raws), lambda: seen.append((time.perf_counter(), height(node))))
    began = time.perf_counter()
    rows["a block a second"] = rate(len(raws), send_batches)
    comings = [began] + [at for (_, earlier), (at, later) in zip([(0, first)] + seen, seen) if later > earlier]
    rows["its blocks"] = max(later - earlier for earlier, later in zip(comings, comings[1:]))


def measure(start, round_, raws, receiver, is_anvil):
    rows = {}
    few = raws[:TXS]
    with start(f"{round_}a") as node:
        a_block_a_tx(node, few, receiver, rows)
    with start(f"{round_}b") as node:
        a_block_of_many(node, few, receiver, rows)
    with start(f"{round_}c", True) as node:
        a_block_a_second(node, raws, receiver, rows)
    with start(f"{round_}d") as node:
        rows["mined one by one"] = rate(EMPTY_CALLS, lambda: [node.call("evm_mine") for _ in range(EMPTY_CALLS)])
    with start(f"{round_}e") as node:
        rows["mined at once"] = mine_at_once(node, EMPTY_AT_ONCE)
    if not is_anvil:
        with start(f"{round_}f") as node:
            rows["10,000 at once"] = mine_at_once(node, MANY_AT_ONCE)
    return rows


def balance(node, account):
    return int(node.call("eth_getBalance", account, "latest"), 16)


def await_all(node, receiver, wanted, meanwhile=lambda: None):
    """Until every transfer is mined: anvil answers before that."""
    deadline = time.perf_counter() + WAIT_S
    while (has := balance(node, receiver)) != wanted:
        meanwhile()
        time.sleep(0.001)
        if time.perf_counter() > deadline:
            sys.exit(f"{wanted - has} transfers are not mined after {WAIT_S} s, at block {height(node)}; "
                     f"the pool: {node.call('txpool_status')}")
    meanwhile()


UNITS = {"start": "ms", "a block a tx": "tx/s", "blocks": "", f"a block of {IN_BLOCK}": "tx/s", "a block a second": "tx/s",
         "its blocks": "s", "mined one by one": "blocks/s", "mined at once": "blocks/s", "10,000 at once": "blocks/s"}
LESS_IS_BETTER = ("ms", "s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keel", metavar="BIN", default=str(ROOT / "build" / "keel"), help="the program (default: build/keel)")
    parser.add_argument("--rounds", metavar="N", type=int, default=5)
    options = parser.parse_args()
    anvil = os.environ.get("KEEL_PEER", str(ANVIL))
    with tempfile.TemporaryDirectory() as folder:
        starts = programs(os.path.abspath(options.keel), anvil, folder)
        if "anvil" not in starts:
            print(f"anvil is left out: no {anvil} (make clients installs it; KEEL_PEER names another one)")
        raws, receiver = signed_transfers(starts["keel mem"])
        figures = {name: {row: [] for row in UNITS} for name in starts}
        for round_ in range(options.rounds):
            for name, start in starts.items():
                for row, figure in measure(start, round_, raws, receiver, name == "anvil").items():
                    figures[name][row].append(figure)
    print(f"{'':17}{'':9}" + "".join(f"{name:>20}" for name in starts))
    for row, unit in UNITS.items():
        medians = {name: statistics.median(figures[name][row]) for name in starts if figures[name][row]}
        cells = []
        for name in starts:
            if name not in medians:
                cells.append("-")
                continue
            over = ""
            if "anvil" in medians and name != "anvil" and unit:
                mine, other = medians[name], medians["anvil"]
                over = f" ({other / mine if unit in LESS_IS_BETTER else mine / other:.1f} x)"
            cells.append(f"{medians[name]:,.{0 if medians[name] >= 100 else 1}f}{over}")
        print(f"{row:17}{unit:9}" + "".join(f"{cell:>20}" for cell in cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
