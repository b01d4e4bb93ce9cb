#!/usr/bin/env python3
"""JSON-RPC beside its floor and, where there is one, beside anvil: one table, one run.

The chain is 200 blocks of 100 token transfers, made by each server itself from its ten known accounts. Each request is
asked of keel, of a server that answers as many bytes without a look (bench/rpc_floor.cpp) and of the peer, one after
the other in each pass: compare the ratios, not the rates. Server and load (wrk, 16 connections) have a core each.
"""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

BLOCKS, TXS, RECEIVERS = 200, 100, 5000
TICKS = os.sysconf("SC_CLK_TCK")
TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # keccak256 of Transfer(address,address,uint256)


def token():
    """Creation code of a token: balanceOf, and transfer with its event; balances wrap around."""
    balance = "5b 6004 35 54 6000 52 6020 6000 f3"
    transfer = ("5b 6024 35 80 33 54 03 33 55 80 6004 35 54 01 6004 35 55 6000 52 6004 35 33 7f" + TOPIC +
                " 6020 6000 a3 6001 6000 52 6020 6000 f3")
    start = "6000 35 60e0 1c 80 63 70a08231 14 60{:02x} 57 63 a9059cbb 14 60{:02x} 57 6000 6000 fd"
    size = len(bytes.fromhex(start.format(0, 0)))
    runtime = bytes.fromhex(start.format(size, size + len(bytes.fromhex(balance))) + balance + transfer)
    return "0x" + (bytes.fromhex(f"60{len(runtime):02x} 80 600b 6000 39 6000 f3") + runtime).hex()


class Failed(Exception):
    pass


def post(port, body, timeout=60):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.read()


def call(port, method, *params):
    answer = json.loads(post(port, json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()))
    if "error" in answer:
        raise Failed(f"{method}: {answer['error']}")
    return answer["result"]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def receiver(index):
    return "0x" + f"{0xbe000000 + index:040x}"


def word(address):
    return "00" * 12 + address[2:]


def make_chain(port):
    """The token's address, the hash of a transfer in the middle, and transactions a second."""
    accounts = call(port, "eth_accounts")
    deployed = call(port, "eth_sendTransaction", {"from": accounts[0], "data": token(), "gas": "0x7a120"})
    with contextlib.suppress(Failed):
        call(port, "evm_setAutomine", False)
    if call(port, "eth_blockNumber") == "0x0":
        call(port, "evm_mine")
    address = call(port, "eth_getTransactionReceipt", deployed)["contractAddress"]
    nonces = [int(call(port, "eth_getTransactionCount", account, "latest"), 16) for account in accounts]
    began, sent = time.monotonic(), 0
    for _ in range(BLOCKS):
        batch = []
        for i in range(TXS):
            sender = i % len(accounts)
            batch.append({"jsonrpc": "2.0", "id": i, "method": "eth_sendTransaction", "params": [{
                "from": accounts[sender], "to": address, "gas": "0x186a0", "maxFeePerGas": "0x77359400",
                "maxPriorityFeePerGas": "0x3b9aca00" if i % 2 else "0x1dcd6500", "nonce": hex(nonces[sender]),
                "data": "0xa9059cbb" + word(receiver(sent % RECEIVERS)) + f"{1 + i:064x}"}]})
            nonces[sender] += 1
            sent += 1
        for answer in json.loads(post(port, json.dumps(batch).encode())):
            if "error" in answer:
                raise Failed(f"sending: {answer['error']}")
        call(port, "evm_mine")
    rate = sent / (time.monotonic() - began)
    block = call(port, "eth_getBlockByNumber", hex(BLOCKS // 2), False)
    if len(block["transactions"]) != TXS:
        raise Failed(f"block {BLOCKS // 2} has {len(block['transactions'])} transactions")
    return {"token": address, "tx": block["transactions"][TXS // 2], "block": block["number"], "from": accounts[0], "rate": rate}


class Row:
    """`cpu`, `floor`, `peer`: targets of CPU over the floor's, rate over the floor's, rate over the peer's."""

    def __init__(self, name, method, params, check, cpu=None, floor=None, peer=None, batch=1):
        self.name, self.method, self.params, self.check, self.batch = name, method, params, check, batch
        self.cpu, self.floor, self.peer = cpu, floor, peer

    def body(self):
        one = [{"jsonrpc": "2.0", "id": i + 1, "method": self.method,
                "params": [p.replace("INDEX", receiver(i)) if isinstance(p, str) else p for p in self.params]}
               for i in range(self.batch)]
        return json.dumps(one if self.batch > 1 else one[0], separators=(",", ":"))


def rows(chain):
    holder = receiver(7)
    block = chain["block"]
    first = int(block, 16)
    balance_of = {"to": chain["token"], "data": "0x70a08231" + word(holder)}
    transfer = {"from": chain["from"], "to": chain["token"], "data": "0xa9059cbb" + word(holder) + f"{5:064x}"}
    logs = {"fromBlock": hex(first), "toBlock": hex(first + 9), "address": chain["token"]}
    none = {"fromBlock": "0x0", "toBlock": "latest", "address": "0x" + "77" * 20}
    is_text = lambda result: isinstance(result, str)
    many = lambda count: lambda result: len(result) == count
    return [
        Row("eth_blockNumber", "eth_blockNumber", [], is_text, 1.25, 0.8, 1.7),
        Row("eth_chainId", "eth_chainId", [], is_text, 1.25, 0.8, 1.7),
        Row("eth_getBalance", "eth_getBalance", [chain["from"], "latest"], is_text, 1.45, 0.7, 1.5),
        Row("eth_getTransactionCount", "eth_getTransactionCount", [chain["from"], "latest"], is_text, 1.45, 0.7, 1.5),
        Row("eth_getBlockByNumber, hashes", "eth_getBlockByNumber", [block, False], lambda r: len(r["transactions"]) == TXS, 1.7, 0.6, 10),
        Row("eth_getBlockByNumber, 100 full", "eth_getBlockByNumber", [block, True], lambda r: len(r["transactions"]) == TXS, 3, 0.33, 270),
        Row("eth_getTransactionReceipt", "eth_getTransactionReceipt", [chain["tx"]], lambda r: len(r["logs"]) == 1, 1.6, 0.62, 5),
        Row("eth_getTransactionByHash", "eth_getTransactionByHash", [chain["tx"]], lambda r: r["hash"] == chain["tx"], 1.6, 0.62, 5),
        Row("eth_getBlockReceipts, 100", "eth_getBlockReceipts", [block], many(TXS), 3, 0.33, 23),
        Row("eth_call balanceOf", "eth_call", [balance_of, "latest"], lambda r: int(r, 16) > 0, 2, 0.5, 3.9),
        Row("eth_estimateGas transfer", "eth_estimateGas", [transfer], is_text, 4, 0.25, 6),
        Row("eth_feeHistory 20", "eth_feeHistory", ["0x14", "latest", [25, 75]], lambda r: len(r["reward"]) == 20, 1.7, 0.6, 2.4),
        Row("eth_getLogs, 1000 logs", "eth_getLogs", [logs], many(1000), 3, 0.33, 6),
        Row("eth_getLogs, no match, all blocks", "eth_getLogs", [none], many(0)),
        Row("batch of 100 getBalance", "eth_getBalance", ["INDEX", "latest"], None, None, 0.14, 4.5, batch=100),
        Row("eth_getProof, account + slot", "eth_getProof", [chain["token"], ["0x" + word(holder)], "latest"], lambda r: len(r["storageProof"]) == 1),
    ]


def validated(port, row):
    """Bytes of an answer that is as it should be."""
    text = post(port, row.body().encode())
    answer = json.loads(text)
    for one in answer if row.batch > 1 else [answer]:
        if "error" in one or (row.check and not row.check(one["result"])):
            raise Failed(f"{row.name}: {text[:300]!r}")
    return len(text)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


class Server:
    def __init__(self, command, port, core, environment=None):
        self.port = port
        self.process = subprocess.Popen(["taskset", "-c", str(core), *command], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=environment)
        self.began = time.monotonic()

    def wait(self, ask):
        while True:
            with contextlib.suppress(OSError):
                if ask:
                    post(self.port, b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}')
                else:
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                return time.monotonic() - self.began
            if self.process.poll() is not None:
                raise Failed(f"{self.process.args}: ended with {self.process.returncode}")
            time.sleep(0.002)

    @property
    def pid(self):
        return self.process.pid  # taskset becomes the program

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("%s", "rb")
wrk.body = file:read("*a")
file:close()
done = function(summary, latency, requests)
  io.write(string.format("RESULT %%d %%d %%d %%f %%f\\n", summary.requests, summary.duration,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def load(server, script, seconds, connections, core):
    """Rate, CPU microseconds a request, p50 and p99 in microseconds."""
    before = cpu_seconds(server.pid)
    out = subprocess.run(["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script,
                          f"http://127.0.0.1:{server.port}/"], capture_output=True, text=True, check=True).stdout
    spent = cpu_seconds(server.pid) - before
    found = re.search(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)", out)
    if not found or int(found[1]) == 0 or int(found[3]) > 0:
        raise Failed(f"wrk: {out}")
    requests, duration = int(found[1]), int(found[2]) / 1e6
    return requests / duration, spent / requests * 1e6, float(found[4]), float(found[5])


def websocket(port, path="/"):
    sock = socket.create_connection(("127.0.0.1", port), 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head:
        more = sock.recv(4096)
        if not more:
            raise Failed("the WebSocket was refused")
        head += more
    if b" 101 " not in head:
        raise Failed(f"no WebSocket: {head[:100]!r}")
    return sock


def round_trips(port, seconds):
    """p50 in microseconds of one question after the other on one WebSocket."""
    sock = websocket(port)
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
    frame = bytes([0x81, 0x80 | len(body)]) + bytes(4) + body
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        sock.sendall(frame)
        sock.recv(4096)
        times.append(time.perf_counter() - began)
    sock.close()
    return statistics.median(times) * 1e6


def keel_servers(options, directory, core):
    """A solo daemon that makes the chain; then the same directory served plainly."""
    data, ready = directory / "keel", directory / "ready.json"

    def start(*flags):
        ready.unlink(missing_ok=True)
        port = free_port()
        server = Server([options.keel, "daemon", "--datadir", str(data), "--db", options.db, "--http.port", str(port), "--ipcdisable",
                         "--authrpc.port", "0", "--ready-file", str(ready), "-q", *flags], port, core)
        return server, server.wait(ask=True)

    maker, _ = start("--dev")
    try:
        chain = make_chain(maker.port)
    finally:
        maker.stop()
    starts = []
    for _ in range(5):
        server, seconds = start("--ws", "--ws.port", "0")
        starts.append(seconds)
        server.stop()
    server, _ = start("--ws", "--ws.port", "0")
    return server, chain, statistics.median(starts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keel", required=True)
    parser.add_argument("--floor", required=True, help="keel_rpc_floor")
    parser.add_argument("--peer", default=os.environ.get("KEEL_PEER"), help="anvil (default: $KEEL_PEER; none: no column)")
    parser.add_argument("--db", default="mem", choices=("mem", "lmdb"))
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rows", default="", help="only rows whose name has this in it")
    parser.add_argument("--json", metavar="FILE", help="append a line of results to it")
    options = parser.parse_args()
    for tool in ("wrk", "taskset"):
        if not shutil.which(tool):
            sys.exit(f"bench-rpc: {tool} is not installed")
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        directory = pathlib.Path(folder)
        keel, chain, start_seconds = keel_servers(options, directory, server_core)
        stack.callback(keel.stop)
        print(f"keel: {chain['rate']:.0f} transactions a second made and mined; start to first answer {start_seconds * 1e3:.0f} ms; "
              f"{resident_mib(keel.pid):.0f} MiB resident with the chain")
        peer = peer_chain = None
        if options.peer:
            port = free_port()
            peer = Server([options.peer, "--port", str(port), "--hardfork", "prague", "--gas-limit", "60000000", "--base-fee", "1",
                           "--no-mining", "-q"], port, server_core)
            stack.callback(peer.stop)
            seconds = peer.wait(ask=True)
            peer_chain = make_chain(port)
            print(f"peer: {peer_chain['rate']:.0f} transactions a second; start {seconds * 1e3:.0f} ms (empty); {resident_mib(peer.pid):.0f} MiB with the chain")
        print("| request | bytes | req/s | p50 us | p99 us | CPU us | floor req/s | floor CPU | CPU ÷ floor (target) | rate ÷ floor (target) | rate ÷ peer (target) | CPU of the peer ÷ ours |")
        print("|---|---|---|---|---|---|---|---|---|---|---|---|")
        results = []
        for index, row in enumerate(rows(chain)):
            if options.rows not in row.name:
                continue
            size = validated(keel.port, row)
            floor = Server([options.floor, str(free_port()), str(size)], 0, server_core)
            floor.port = int(floor.process.args[4])
            floor.wait(ask=False)
            servers = {"keel": (keel, row), "floor": (floor, row)}
            if peer:
                peer_row = rows(peer_chain)[index]
                try:
                    validated(peer.port, peer_row)
                    servers["peer"] = (peer, peer_row)
                except Failed as error:
                    print(f"peer left out: {error}", file=sys.stderr)
            scripts = {}
            for name, (_, its) in servers.items():
                body, script = directory / f"{name}.body", directory / f"{name}.lua"
                body.write_text(its.body())
                script.write_text(LUA % body)
                scripts[name] = str(script)
            measured = {name: [] for name in servers}
            load(keel, scripts["keel"], 1, options.connections, load_core)
            for _ in range(options.passes):
                for name, (server, _) in servers.items():
                    measured[name].append(load(server, scripts[name], options.seconds, options.connections, load_core))
            floor.stop()
            median = {name: [statistics.median(column) for column in zip(*each)] for name, each in measured.items()}
            ratio = lambda name, part: statistics.median(k[part] / o[part] for k, o in zip(measured["keel"], measured[name]))
            target = lambda value: f" ({value})" if value else ""
            cpu, rate = ratio("floor", 1), ratio("floor", 0)
            to_peer = ratio("peer", 0) if "peer" in measured else None
            peer_cpu = 1 / ratio("peer", 1) if "peer" in measured else None
            print(f"| {row.name} | {size} | {median['keel'][0]:.0f} | {median['keel'][2]:.0f} | {median['keel'][3]:.0f} | {median['keel'][1]:.1f} "
                  f"| {median['floor'][0]:.0f} | {median['floor'][1]:.1f} | {cpu:.2f}{target(row.cpu)} | {rate:.2f}{target(row.floor)} "
                  f"| {'' if to_peer is None else f'{to_peer:.1f}'}{target(row.peer)} "
                  f"| {'' if peer_cpu is None else f'{peer_cpu:.1f}'} |", flush=True)
            results.append({"row": row.name, "bytes": size, "cpu_us": median["keel"][1], "cpu_ratio": cpu, "rate_ratio": rate, "peer_ratio": to_peer, "peer_cpu_ratio": peer_cpu})
        if options.rows in "WebSocket":
            floor = Server([options.floor, str(free_port()), "40"], 0, server_core)
            floor.port = int(floor.process.args[4])
            floor.wait(ask=False)
            trips = [(round_trips(keel.port, options.seconds), round_trips(floor.port, options.seconds)) for _ in range(options.passes)]
            floor.stop()
            ours, theirs = (statistics.median(column) for column in zip(*trips))
            print(f"WebSocket round trip, one connection: p50 {ours:.0f} us, floor {theirs:.0f} us (target: floor + 5 us)")
        print(f"keel after all: {resident_mib(keel.pid):.0f} MiB resident (target with the chain: 60)")
        if options.json:
            with open(options.json, "a", encoding="utf-8") as file:
                file.write(json.dumps({"time": int(time.time()), "rows": results}) + "\n")


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"bench-rpc: {error}")
