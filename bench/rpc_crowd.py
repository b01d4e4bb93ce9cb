#!/usr/bin/env python3
"""Many clients at once: idle WebSockets, subscribers, readers while the chain grows.

Figures and targets: docs/performance.md. A solo daemon makes the blocks. Needs wrk for the readers.
"""

import argparse
import json
import os
import pathlib
import resource
import select
import shutil
import statistics
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import rpc  # noqa: E402


def start(options, directory, core, *flags):
    ready = directory / "ready.json"
    ready.unlink(missing_ok=True)
    port = rpc.free_port()
    server = rpc.Server([options.keel, "daemon", "--dev", "--datadir", str(directory / "keel"), "--db", options.db, "--http.port", str(port),
                         "--ws", "--ws.port", "0", "--ipcdisable", "--rpc.max-connections", "20000", "--ready-file", str(ready), "-q", *flags],
                        port, core)
    server.wait(ask=True)
    return server


def frame_of(text):
    body = text.encode()
    return bytes([0x81, 0x80 | len(body)]) + bytes(4) + body


def idle(server, count):
    before = rpc.resident_mib(server.pid)
    sockets = [rpc.websocket(server.port) for _ in range(count)]
    time.sleep(1)
    after = rpc.resident_mib(server.pid)
    spent = rpc.cpu_seconds(server.pid)
    time.sleep(5)
    spent = rpc.cpu_seconds(server.pid) - spent
    probe = statistics.median(timed(lambda: rpc.call(server.port, "eth_blockNumber")) for _ in range(50))
    print(f"idle WebSockets: {count}, {after - before:.1f} MiB for all of them (target: 10000 in 100), {spent / 5 * 100:.1f} % of a core, "
          f"eth_blockNumber meanwhile {probe * 1e3:.1f} ms")
    for each in sockets:
        each.close()
    for _ in range(100):
        if rpc.resident_mib(server.pid) < after:
            break
        time.sleep(0.1)


def timed(action):
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def subscribers(server, count, heads):
    sockets = {}
    poll = select.epoll()
    for _ in range(count):
        sock = rpc.websocket(server.port)
        sock.sendall(frame_of('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}'))
        sock.recv(4096)
        sockets[sock.fileno()] = sock
        poll.register(sock, select.EPOLLIN)
    spreads, delays = [], []
    for _ in range(heads):
        began = time.perf_counter()
        done = threading.Thread(target=rpc.call, args=(server.port, "evm_mine"))
        done.start()
        waiting, first, last = set(sockets), None, None
        while waiting:
            events = poll.poll(20)
            if not events:
                raise rpc.Failed(f"{len(waiting)} subscribers were not told of a head")
            for descriptor, _ in events:
                sockets[descriptor].recv(65536)
                last = time.perf_counter()
                first = first or last
                waiting.discard(descriptor)
        done.join()
        spreads.append((last - first) * 1e3)
        delays.append((first - began) * 1e3)
    print(f"newHeads to {count} subscribers: the last one {statistics.median(spreads):.1f} ms behind the first, median of {heads} heads "
          f"(target: 10 ms; this script's own reading included), the first {statistics.median(delays):.1f} ms after the call")
    for each in sockets.values():
        each.close()


def readers(server, directory, core, seconds):
    chain = {"token": rpc.call(server.port, "eth_accounts")[1]}
    body, script = directory / "body", directory / "load.lua"
    body.write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [
        {"to": chain["token"], "data": "0x70a08231" + "00" * 32}, "latest", {chain["token"]: {"code": "0x60006000f3"}}]}))
    script.write_text(rpc.LUA % body)
    rpc.load(server, str(script), 1, 16, core)
    ratios, tails, mined = [], [], 0
    for _ in range(3):
        quiet = rpc.load(server, str(script), seconds, 16, core)
        stop, count = threading.Event(), [0]

        def mine():
            while not stop.is_set():
                rpc.call(server.port, "hardhat_mine", "0x10")
                count[0] += 16

        writer = threading.Thread(target=mine)
        writer.start()
        busy = rpc.load(server, str(script), seconds, 16, core)
        stop.set()
        writer.join()
        mined += count[0]
        ratios.append(busy[0] / quiet[0])
        tails.append(busy[3] / quiet[3])
    print(f"readers during writes: eth_call at {statistics.median(ratios) * 100:.0f} % of its idle rate (target: 85 with a core of its own for the "
          f"writer), p99 {statistics.median(tails):.1f} times the idle one (target: 3), {mined / (3 * seconds):.0f} blocks a second meanwhile")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keel", required=True)
    parser.add_argument("--db", default="mem", choices=("mem", "lmdb"))
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--heads", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(options.idle, hard - 1000)
    if count < options.idle:
        print(f"only {count} idle connections: the limit of descriptors is {hard}")
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        directory = pathlib.Path(folder)
        server = start(options, directory, f"{cores[0]}-{cores[-1]}")
        try:
            idle(server, count)
            subscribers(server, options.subscribers, options.heads)
            if shutil.which("wrk"):
                readers(server, directory, cores[-1], options.seconds)
        finally:
            server.stop()


if __name__ == "__main__":
    try:
        main()
    except rpc.Failed as error:
        sys.exit(f"rpc_crowd: {error}")
