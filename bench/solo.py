#!/usr/bin/env python3
"""A chain for people without a consensus client: keel daemon --dev on both stores, and anvil where it is installed.

Rows, each on a fresh chain of each program, which take turns:
  start            the program's start to its first answer
  a block a tx     raw transfers one after the other until the last is mined; keel makes a block for each before it
                   answers, anvil some time later for those that have come: `blocks` says how many they became
  a block of 200   raw transfers in batches of 100 without mining, then a block for each 200
  mined one by one empty blocks, a call for each
  mined at once    10,000 empty blocks by one call

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
IN_BLOCK = 200
BATCH = 100
EMPTY_CALLS = 1000
EMPTY_AT_ONCE = 10_000


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
    """Name and start of each; a start takes a number that makes its directory new."""
    def start_keel(backend):
        def start(round_):
            port = free_port()
            return Node([keel, "daemon", "--dev", "--datadir", f"{folder}/{backend}-{round_}", "--db", backend,
                         "--http.port", str(port)], port)
        return start

    def start_anvil(_):
        port = free_port()
        return Node([anvil, "--quiet", "--port", str(port)], port)

    found = {"keel mem": start_keel("mem"), "keel lmdb": start_keel("lmdb")}
    if os.access(anvil, os.X_OK):
        found["anvil"] = start_anvil
    return found


def signed_transfers(start):
    """TXS transfers of the first account, in the order of their nonces."""
    with start("signing") as node:
        sender, receiver = node.call("eth_accounts")[:2]
        raws = []
        for nonce in range(TXS):
            tx = {"from": sender, "to": receiver, "value": "0x1", "gas": "0x5208", "nonce": hex(nonce),
                  "maxFeePerGas": hex(10**11), "maxPriorityFeePerGas": hex(10**9)}
            signed = node.call("eth_signTransaction", tx)
            raws.append(signed if isinstance(signed, str) else signed["raw"])
        return raws, receiver


def rate(count, work):
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def measure(start, round_, raws, receiver):
    rows = {}
    with start(f"{round_}a") as node:
        rows["start"] = node.start_s * 1e3
        before = int(node.call("eth_getBalance", receiver, "latest"), 16)
        bodies = [request("eth_sendRawTransaction", [raw]) for raw in raws]

        def send_each():
            for body in bodies:
                node.post(body)
            await_all(node, receiver, before)
        rows["a block a tx"] = rate(TXS, send_each)
        rows["blocks"] = int(node.call("eth_blockNumber"), 16)
        rows["mined one by one"] = rate(EMPTY_CALLS, lambda: [node.call("evm_mine") for _ in range(EMPTY_CALLS)])
        height = int(node.call("eth_blockNumber"), 16)
        rows["mined at once"] = rate(EMPTY_AT_ONCE, lambda: node.call("anvil_mine", hex(EMPTY_AT_ONCE)))
        if int(node.call("eth_blockNumber"), 16) != height + EMPTY_AT_ONCE:
            sys.exit("blocks are missing")
    with start(f"{round_}b") as node:
        node.call("evm_setAutomine", False)
        before = int(node.call("eth_getBalance", receiver, "latest"), 16)
        bodies = []
        for first in range(0, TXS, BATCH):
            calls = [request("eth_sendRawTransaction", [raw], i) for i, raw in enumerate(raws[first:first + BATCH])]
            bodies.append("[" + ",".join(calls) + "]")

        def send_batches():
            for i, body in enumerate(bodies):
                node.post(body)
                if (i + 1) * BATCH % IN_BLOCK == 0:
                    node.call("evm_mine")
            await_all(node, receiver, before)
        rows["a block of 200"] = rate(TXS, send_batches)
    return rows


def arrived(node, receiver, before):
    return int(node.call("eth_getBalance", receiver, "latest"), 16) - before


def await_all(node, receiver, before):
    """Until every transfer is mined: anvil answers before that."""
    deadline = time.perf_counter() + 600
    while (got := arrived(node, receiver, before)) != TXS:
        time.sleep(0.001)
        if time.perf_counter() > deadline:
            sys.exit(f"{got} of {TXS} transfers arrived")


UNITS = {"start": "ms", "a block a tx": "tx/s", "blocks": "", "a block of 200": "tx/s", "mined one by one": "blocks/s", "mined at once": "blocks/s"}


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
                for row, figure in measure(start, round_, raws, receiver).items():
                    figures[name][row].append(figure)
    print(f"{'':17}{'':9}" + "".join(f"{name:>20}" for name in starts))
    for row, unit in UNITS.items():
        medians = {name: statistics.median(figures[name][row]) for name in starts}
        cells = []
        for name, median in medians.items():
            over = ""
            if "anvil" in medians and name != "anvil" and unit:
                ratio = medians["anvil"] / median if unit == "ms" else median / medians["anvil"]
                over = f" ({ratio:.1f} x)"
            cells.append(f"{median:,.0f}{over}" if median >= 100 else f"{median:.1f}{over}")
        print(f"{row:17}{unit:9}" + "".join(f"{cell:>20}" for cell in cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
