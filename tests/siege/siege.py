#!/usr/bin/env python3
"""A daemon under attack from its own machine: every attack ends as the limits say, and others are served meanwhile.

Attacks come one after the other, each with several clients; a process of its own asks for eth_blockNumber all the
while. Printed: how each attack ended, the quantiles of those answers, memory. Ends with 1 when an attack ended
otherwise, or when the p99 over all is above the limit (--p99).
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import resource
import socket
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.dont_write_bytecode = True
import rpc  # noqa: E402

PLACE = "0xc0de00000000000000000000000000000000c0de"
LOOP = "0x5b600056"  # for ever
# KECCAK256 of 64 KiB again and again: much work for its gas.
HASHES = "0x5b62010000600020505b600056"


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 60)


def head(length, extra=""):
    return (f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{extra}Content-Length: {length}\r\n\r\n").encode()


def status_of(sock):
    """Status line of what comes, or `closed`."""
    text = b""
    try:
        while b"\r\n" not in text:
            more = sock.recv(4096)
            if not more:
                return "closed"
            text += more
    except (ConnectionError, TimeoutError):
        return "closed"
    return text.split(b"\r\n")[0].decode()


def answer_to(port, body, timeout=120):
    try:
        return json.loads(rpc.post(port, body, timeout))
    except (OSError, ValueError) as error:
        return {"error": {"code": 0, "message": repr(error)}}


def ask(port, method, *params, timeout=120):
    return answer_to(port, json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode(), timeout)


def prober(port, pipe):
    """Latencies in milliseconds until told to stop; one connection, as a balancer has it."""
    sock = connect(port)
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
    request = head(len(body)) + body
    times = []
    while not pipe.poll():
        began = time.perf_counter()
        sock.sendall(request)
        got = b""
        while b"}" not in got:
            more = sock.recv(4096)
            if not more:
                raise SystemExit("the prober was cut off")
            got += more
        times.append((time.perf_counter() - began) * 1e3)
        time.sleep(0.005)
    pipe.send(times)


class Siege:
    def __init__(self, server, options):
        self.server, self.port, self.options = server, server.port, options
        self.failed, self.all_times, self.peak = [], [], 0

    def attack(self, name, action):
        """Runs the action, which returns what happened and whether it should."""
        ours, theirs = multiprocessing.Pipe()
        probe = multiprocessing.Process(target=prober, args=(self.port, theirs))
        probe.start()
        time.sleep(0.3)
        began = time.monotonic()
        try:
            said, is_right = action()
        except (OSError, rpc.Failed, AssertionError) as error:
            said, is_right = repr(error), False
        seconds = time.monotonic() - began
        time.sleep(max(0.0, 0.5 - seconds))
        ours.send("stop")
        times = ours.recv() if ours.poll(60) else []
        probe.join(10)
        if probe.is_alive():
            probe.kill()
        if not times:
            said, is_right = said + "; nobody else was served", False
            times = [60e3]
        self.all_times += times
        memory = rpc.resident_mib(self.server.pid)
        self.peak = max(self.peak, memory)
        quantiles = statistics.quantiles(times, n=100) if len(times) > 1 else times * 99
        print(f"{'ok  ' if is_right else 'FAIL'} {name:<34} {seconds:6.1f} s  p50 {quantiles[49]:6.1f}  p99 {quantiles[98]:7.1f} ms  {memory:6.0f} MiB  {said}", flush=True)
        if not is_right:
            self.failed.append(name)

    def clients(self, count, action):
        """The answers of so many clients at once, each counted."""
        said = [None] * count

        def run(i):
            try:
                said[i] = action()
            except (OSError, rpc.Failed) as error:
                said[i] = repr(error)[:60]

        threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        counted = {}
        for each in said:
            counted[each] = counted.get(each, 0) + 1
        return counted

    # Connections.

    def idle_connections(self):
        sockets = []
        for _ in range(self.options.connections + 50):
            with contextlib.suppress(OSError):
                sockets.append(connect(self.port))
        time.sleep(1)
        refused = 0
        for each in sockets:
            each.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                refused += b" 503 " in each.recv(100)
        for each in sockets:
            each.close()
        return f"{len(sockets)} came, {refused} were told 503", refused >= 45

    def slow_headers(self):
        def one():
            sock = connect(self.port)
            for byte in b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 60:
                try:
                    sock.sendall(bytes([byte]))
                except OSError:
                    return "closed"
                time.sleep(self.options.limit / 40)
            return status_of(sock)

        said = self.clients(50, one)
        return str(said), set(said) == {"closed"}

    def slow_bodies(self):
        def one():
            sock = connect(self.port)
            sock.sendall(head(1000))
            for _ in range(60):
                try:
                    sock.sendall(b" ")
                except OSError:
                    return "closed"
                time.sleep(self.options.limit / 40)
            return status_of(sock)

        said = self.clients(50, one)
        return str(said), set(said) == {"closed"}

    def slow_readers(self):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockReceipts", "params": [self.block]}).encode()

        def one():
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(60)
            sock.connect(("127.0.0.1", self.port))
            try:
                for _ in range(200):
                    sock.sendall(head(len(body)) + body)
            except OSError:
                return "cut off"
            time.sleep(self.options.limit * 1.3 + 2)
            with contextlib.suppress(OSError):
                while sock.recv(1 << 20):
                    pass
                return "cut off"
            return "cut off"

        said = self.clients(30, one)
        return str(said), set(said) == {"cut off"}

    # Bodies.

    def large_bodies(self):
        def one():
            sock = connect(self.port)
            with contextlib.suppress(OSError):
                sock.sendall(head(100 << 20))
                for _ in range(100):
                    sock.sendall(b" " * (1 << 20))
            return status_of(sock)

        said = self.clients(8, one)
        return str(said), all(each.startswith("HTTP/1.1 413") or each == "closed" for each in said)

    def nested(self):
        said = {}
        for depth in (100, 1_000, 10_000, 100_000, 1_000_000, 2_600_000):
            for opening, closing in (("[", "]"), ('{"a":', "}")):
                text = opening * depth + ("1" if opening != "[" else "") + closing * depth
                if len(text) > 5 << 20:
                    text = text[: 5 << 20]
                code = answer_to(self.port, text.encode()).get("error", {}).get("code")
                said[code] = said.get(code, 0) + 1
        return str(said), set(said) <= {-32600, -32700}

    def huge_batches(self):
        def one():
            answer = answer_to(self.port, b"[" + b",".join([b"{}"] * 280_000) + b"]")
            return answer[0]["error"]["message"] if isinstance(answer, list) else answer["error"]["message"]

        said = self.clients(6, one)
        return str(said), all("batch too large" in each or "values" in each for each in said)

    # Work.

    def bombs(self, endings, method, code, **call):
        """What eight clients are told whose call of `code` never ends by itself."""
        def one():
            answer = ask(self.port, method, {"to": PLACE, **call}, "latest", {PLACE: {"code": code}})
            return answer.get("error", {}).get("message", "a result")

        said = self.clients(8, one)
        return str(said), all(any(ending in each for ending in endings) for each in said)

    def call_bombs(self):
        return self.bombs(("out of gas", "execution aborted"), "eth_call", LOOP, gas="0xffffffffff")

    def hash_bombs(self):
        return self.bombs(("out of gas", "execution aborted"), "eth_call", HASHES, gas="0xffffffffff")

    def estimate_bombs(self):
        return self.bombs(("gas required exceeds allowance", "execution aborted"), "eth_estimateGas", LOOP)

    def all_logs(self):
        def one():
            answer = ask(self.port, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
            return answer["error"]["message"] if "error" in answer else f"{len(answer['result'])} logs"

        said = self.clients(8, one)
        return str(said), all("query returned more than" in each or each.endswith("logs") for each in said)

    def traces(self):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "debug_traceBlockByNumber", "params": [self.heavy, {"timeout": "60s"}]}).encode()

        def one():
            sock = connect(self.port)
            sock.sendall(head(len(body), "Connection: close\r\n") + body)
            total, last = 0, b""
            while True:
                part = sock.recv(1 << 20)
                if not part:
                    break
                total, last = total + len(part), (last + part)[-20:]
            self.traced = max(self.traced, total)
            return "whole" if last.endswith(b"0\r\n\r\n") else f"ends with {last!r}"

        self.traced = 0
        before = rpc.resident_mib(self.server.pid)
        said = self.clients(3, one)
        more = rpc.resident_mib(self.server.pid) - before
        return f"{said}, {self.traced >> 20} MiB each, {more:+.0f} MiB of memory", set(said) == {"whole"} and more < 64

    def prepare(self):
        """Blocks of transfers, and one that is full of work."""
        rpc.BLOCKS = self.options.blocks
        chain = rpc.make_chain(self.port)
        self.block = chain["block"]
        rpc.call(self.port, "hardhat_setCode", PLACE, "0x5b6103e85a11600057" + "00")  # until a thousand gas is left
        rpc.call(self.port, "eth_sendTransaction", {"from": chain["from"], "to": PLACE, "gas": hex(self.options.heavy_gas)})
        rpc.call(self.port, "evm_mine")
        self.heavy = rpc.call(self.port, "eth_blockNumber")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keel", required=True)
    parser.add_argument("--db", default="mem", choices=("mem", "lmdb"))
    parser.add_argument("--blocks", type=int, default=210, help="of 100 transfers each")
    parser.add_argument("--heavy-gas", type=int, default=16_000_000, help="gas of the transaction that is traced")
    parser.add_argument("--p99", type=float, default=50, help="milliseconds that eth_blockNumber may take")
    parser.add_argument("--only", default="", help="attacks whose name has this in it")
    options = parser.parse_args()
    options.limit = 30  # seconds for headers, bodies and the reading of an answer (docs/rpc.md)
    options.connections = 1024
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    with tempfile.TemporaryDirectory() as folder:
        port = rpc.free_port()
        cores = sorted(os.sched_getaffinity(0))
        server = rpc.Server([options.keel, "daemon", "--dev", "--datadir", folder + "/keel", "--db", options.db, "--http.port", str(port), "--ipcdisable",
                             "--http.api", "eth,net,web3,debug,txpool", "-q"], port, f"{cores[0]}-{cores[-1]}")
        siege = Siege(server, options)
        try:
            server.wait(ask=True)
            siege.prepare()
            attacks = (
                ("nothing", lambda: (time.sleep(2), ("", True))[1]), ("idle connections", siege.idle_connections), ("slow headers", siege.slow_headers),
                ("slow bodies", siege.slow_bodies), ("slow readers", siege.slow_readers), ("bodies of 100 MB", siege.large_bodies),
                ("JSON nested 10^2..2.6*10^6", siege.nested), ("batches of 280000", siege.huge_batches), ("eth_call bombs", siege.call_bombs),
                ("eth_call bombs of hashes", siege.hash_bombs), ("estimateGas bombs", siege.estimate_bombs), ("getLogs over everything", siege.all_logs),
                ("traces of the heaviest block", siege.traces))
            for name, action in attacks:
                if options.only in name:
                    siege.attack(name, action)
            if len(siege.all_times) < 2:
                sys.exit(f"siege: no attack is named {options.only}")
            alive = server.process.poll() is None
            p99 = statistics.quantiles(siege.all_times, n=100)[98]
            print(f"over all: {len(siege.all_times)} answers, p99 {p99:.1f} ms (limit {options.p99:.0f}), at most {siege.peak:.0f} MiB resident, "
                  f"{'alive' if alive else 'the daemon is gone'}")
        finally:
            server.stop()
    if siege.failed or not alive or p99 > options.p99:
        sys.exit("siege: " + (", ".join(siege.failed) or ("p99" if alive else "the daemon is gone")))


if __name__ == "__main__":
    main()
