#!/usr/bin/env python3
"""What a consensus client waits for: calls of the Engine API over HTTP with JWT, on both stores.

Rows (figures and targets: docs/performance.md, Engine API over HTTP):
  empty block     newPayload + forkchoiceUpdated of an empty block, together
  workload block  the same of the workloads' blocks; `again` is newPayload once more, which executes nothing, so that
                  again + forkchoiceUpdated is what comes on top of execution
  shared tests    engine tests on one daemon a genesis, tests a second with one worker
  scenarios       keel init, keel daemon, a few blocks built from the pool, SIGTERM: whole processes, start to stop

A round is a token, two requests and two answers; the socket stays open, bodies are made before. The clock is that of
the client and has its own part in each figure (a few tens of microseconds a call in this interpreter). Needs the
fixtures workloads and eest-engine for two rows and says what it leaves out.
"""

import argparse
import collections
import json
import os
import pathlib
import socket
import subprocess
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "hive" / "checks"))
sys.dont_write_bytecode = True

import consume_engine  # noqa: E402
import fixtures  # noqa: E402
import harness  # noqa: E402
from engine_mock import ACCOUNTS, ZERO, Forks, genesis  # noqa: E402
from ethereum import Tx, hex_of, keccak256, rlp  # noqa: E402

BACKENDS = ("mem", "lmdb")
# Targets, and figures elsewhere (docs/performance.md).
KNOWN = {
    "empty block": "target: 400 us together, p99 2 ms (mem)",
    "workload block": "target: execution + 1 ms",
    "scenarios": "MDBX, then a store in memory elsewhere: 180-230 ms a run; target: 60 ms mem, 90 ms lmdb",
    "shared tests": "geth: 22 tests/s with 4 workers; target: 300 tests/s",
}


class Wire:
    """One connection, as thin as it gets."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, body):
        token = harness.jwt(harness.HIVE_SECRET).encode()
        self.socket.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer "
                            + token + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        received = self.socket.recv(1 << 16)
        while b"\r\n\r\n" not in received:
            received += self.more()
        head, body = received.split(b"\r\n\r\n", 1)
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        while len(body) < length:
            body += self.more()
        return body

    def more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise harness.Unreachable("the connection was closed")
        return data

    def call(self, method, *params):
        answer = json.loads(self.post(request(method, *params)))
        if "result" not in answer:
            raise harness.Failure(f"{method}: {answer}")
        return answer["result"]

    def close(self):
        self.socket.close()


def request(method, *params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def head_request(version, head):
    state = {"headBlockHash": head, "safeBlockHash": ZERO, "finalizedBlockHash": ZERO}
    return request(f"engine_forkchoiceUpdatedV{version}", state, None)


def cpu_seconds(process):
    """Processor time of all threads of the daemon, which other load does not stretch."""
    total = 0
    for thread in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def timed(wire, body):
    began = time.perf_counter()
    answer = wire.post(body)
    seconds = time.perf_counter() - began
    if b'"VALID"' not in answer:
        raise harness.Failure(answer[:300].decode(errors="replace"))
    return seconds


def start(launch, text, environment):
    return harness.Client(launch, {"genesis.json": text}, environment, watch="engine", poll_seconds=0.002)


# ---- Rows ---------------------------------------------------------------------------------------


def empty_blocks(launch, rounds):
    """Seconds of newPayload, of forkchoiceUpdated and of the daemon's processor for both, round by round."""
    forks = Forks(0, 0)
    pairs = []
    with start(launch, genesis(forks), forks.environment()) as client:
        head = client.rpc().call("eth_getBlockByNumber", "0x0", False)
        hash_, timestamp = head["hash"], int(head["timestamp"], 16)
        wire = Wire(client.engine)
        for _ in range(rounds):
            timestamp += 12
            attributes = {"timestamp": hex(timestamp), "prevRandao": ZERO, "suggestedFeeRecipient": "0x" + 40 * "0",
                          "withdrawals": [], "parentBeaconBlockRoot": ZERO}
            state = {"headBlockHash": hash_, "safeBlockHash": ZERO, "finalizedBlockHash": ZERO}
            identifier = wire.call("engine_forkchoiceUpdatedV3", state, attributes)["payloadId"]
            payload = wire.call("engine_getPayloadV3", identifier)["executionPayload"]
            hash_ = payload["blockHash"]
            bodies = request("engine_newPayloadV3", payload, [], ZERO), head_request(3, hash_)
            cpu = cpu_seconds(client.process)
            times = [timed(wire, body) for body in bodies]
            pairs.append((*times, cpu_seconds(client.process) - cpu))
        wire.close()
    return pairs


def engine_fixtures(folder, limit):
    files = [path for path in fixtures.files_under([folder])]
    # The smallest files, spread over the folder: large ones are few tests of many megabytes.
    files = [path for path in files if path.stat().st_size < 2 << 20]
    for path in files[::max(1, len(files) // limit)][:limit]:
        yield from list(fixtures.fixtures_of(path, "engineNewPayloads"))[-1:]


def workload_blocks(launch, folder, limit):
    """(first, again, forkchoiceUpdated) in seconds of each last block."""
    rows = []
    for fixture in engine_fixtures(folder, limit):
        group = consume_engine.group_of(fixture)
        text = fixtures.genesis_text(group.header, group.accounts)
        with start(launch, text, group.environment) as client:
            wire = Wire(client.engine)
            wire.post(head_request(3, group.genesis_hash))
            for payload in fixture.test["engineNewPayloads"]:
                body = request(f"engine_newPayloadV{payload['newPayloadVersion']}", *payload["params"])
                head = head_request(payload["forkchoiceUpdatedVersion"], payload["params"][0]["blockHash"])
                times = timed(wire, body), timed(wire, body), timed(wire, head)
            rows.append(times)
            wire.close()
    return rows


def shared_tests(launch, folder, groups_max):
    """Tests a second of the largest groups of tests on one genesis; starts are not counted."""
    by_genesis = collections.defaultdict(list)
    for path in fixtures.files_under([folder]):
        for fixture in fixtures.fixtures_of(path, "engineNewPayloads"):
            key = (fixture.test["genesisBlockHeader"]["hash"], fixture.test["network"])
            if not any(each.get("errorCode") for each in fixture.test["engineNewPayloads"]):
                by_genesis[key].append(fixture)
    tests, seconds = 0, 0.0
    for members in sorted(by_genesis.values(), key=len)[-groups_max:]:
        group = consume_engine.group_of(members[0])
        text = fixtures.genesis_text(group.header, group.accounts)
        with start(launch, text, group.environment) as client:
            wire = Wire(client.engine)
            calls = []
            for fixture in members:
                bodies = [head_request(3, group.genesis_hash)]
                for payload in fixture.test["engineNewPayloads"]:
                    bodies.append(request(f"engine_newPayloadV{payload['newPayloadVersion']}", *payload["params"]))
                    if not payload.get("validationError"):
                        bodies.append(head_request(3, payload["params"][0]["blockHash"]))
                calls.append(bodies)
            began = time.perf_counter()
            for bodies in calls:
                for body in bodies:
                    wire.post(body)
            seconds += time.perf_counter() - began
            tests += len(calls)
            wire.close()
    return tests, seconds


# ---- Scenarios: name, transactions, transactions of each block ----------------------------------

GAS_LIMIT = 0x2FEFD8  # of the simulator's genesis, to which every block holds
ENDED_BY_SIGTERM = 143
# Runs until 100,000 gas are left, then ends well: JUMPDEST GAS PUSH3 100000 LT PUSH1 0 JUMPI.
BURNER = bytes.fromhex("5b5a620186a010600057")
# Returns the call's value doubled: the runtime code, and what deploys it.
DOUBLER = bytes.fromhex("34600202" "600052" "60206000f3")


def deploying(code):
    return bytes.fromhex(f"60{len(code):02x}600c60003960{len(code):02x}6000f3") + code


def transfers(count):
    return [Tx(ACCOUNTS[0], nonce=nonce, gas=21000, to=ACCOUNTS[1].address, value=1) for nonce in range(count)]


def burners(counts_and_gas):
    return [Tx(ACCOUNTS[0], nonce=nonce, gas=gas, data=BURNER) for nonce, gas in enumerate(counts_and_gas)]


DOUBLER_ADDRESS = keccak256(rlp([ACCOUNTS[0].address, b""]))[12:]


def deploy_and_call():
    return [Tx(ACCOUNTS[0], nonce=0, gas=100000, data=deploying(DOUBLER)),
            Tx(ACCOUNTS[0], nonce=1, gas=50000, to=DOUBLER_ADDRESS, value=21)]


def scenarios():
    third = GAS_LIMIT // 3 - 1000
    return (
        ("empty block", [], [0]),
        ("sequential nonces", transfers(10), [10]),
        ("contracts that fill a block", burners([third] * 3), [3]),
        ("overflow into the next", burners([third] * 5), [3, 2]),
        ("deploy and call", deploy_and_call(), [2]),
    )


def run_scenario(keel, backend, text, environment, txs, counts):
    """Seconds from the start of the first process to the end of the last."""
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        (base / "genesis.json").write_text(text)
        (base / "secret").write_text(harness.HIVE_SECRET.hex())
        common = ["--datadir", str(base / "data"), "--db", backend]
        began = time.perf_counter()
        subprocess.run([keel, "init", "--hive", *common, str(base / "genesis.json")], check=True, capture_output=True,
                       env={**os.environ, **environment})
        daemon = subprocess.Popen([keel, "daemon", *common, "--http.port", "0", "--authrpc.port", "0",
                                   "--authrpc.jwtsecret", str(base / "secret")],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = dict(word.split("=", 1) for word in daemon.stdout.readline().split()[1:])
        wire = Wire(int(ready["engine"].rsplit(":", 1)[1]))
        for tx in txs:
            wire.call("eth_sendRawTransaction", hex_of(tx.raw))
        head, timestamp = ready["hash"], int(json.loads(text)["timestamp"], 16)
        for count in counts:
            timestamp += 12
            attributes = {"timestamp": hex(timestamp), "prevRandao": ZERO, "suggestedFeeRecipient": "0x" + 40 * "0",
                          "withdrawals": [], "parentBeaconBlockRoot": ZERO}
            state = {"headBlockHash": head, "safeBlockHash": ZERO, "finalizedBlockHash": ZERO}
            identifier = wire.call("engine_forkchoiceUpdatedV3", state, attributes)["payloadId"]
            payload = wire.call("engine_getPayloadV3", identifier)["executionPayload"]
            if len(payload["transactions"]) != count:
                raise harness.Failure(f"{len(payload['transactions'])} transactions in a block where {count} are wanted")
            timed(wire, request("engine_newPayloadV3", payload, [], ZERO))
            head = payload["blockHash"]
            timed(wire, head_request(3, head))
        if txs and txs[0].fields["data"] == deploying(DOUBLER):
            answer = wire.call("eth_call", {"to": hex_of(DOUBLER_ADDRESS), "value": "0x15"}, "latest")
            if int(answer, 16) != 42:
                raise harness.Failure(f"the deployed contract answers {answer}")
        wire.close()
        daemon.terminate()
        if daemon.wait() != ENDED_BY_SIGTERM:
            raise harness.Failure(f"the daemon ended with {daemon.returncode}")
        return time.perf_counter() - began


# ---- Report -------------------------------------------------------------------------------------


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(row, backend, text):
    print(f"{row:15} {backend:5} {text}    [{KNOWN[row]}]", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keel", metavar="BIN", default=str(ROOT / "build" / "keel"), help="the program (default: build/keel)")
    parser.add_argument("--rounds", metavar="N", type=int, default=2000, help="empty blocks")
    parser.add_argument("--runs", metavar="N", type=int, default=9, help="of each scenario")
    parser.add_argument("--blocks", metavar="N", type=int, default=20, help="workload blocks")
    parser.add_argument("--fixtures", metavar="DIR", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("KEEL_FIXTURES", pathlib.Path.home() / ".cache/keel-fixtures")))
    options = parser.parse_args()
    os.environ["KEEL_BIN"] = os.path.abspath(options.keel)
    launch = harness.default_launcher()
    for backend in BACKENDS:
        os.environ["KEEL_DB"] = backend
        pairs = empty_blocks(launch, options.rounds)[options.rounds // 10:]  # the first ones warm up
        sums = [sum(pair[:2]) * 1e6 for pair in pairs]
        report("empty block", backend,
               f"median {statistics.median(sums):.0f} us (newPayload {statistics.median(p[0] for p in pairs) * 1e6:.0f}, "
               f"forkchoiceUpdated {statistics.median(p[1] for p in pairs) * 1e6:.0f}), "
               f"least {min(sums):.0f}, p99 {percentile(sums, 0.99):.0f} us of {len(sums)}; "
               f"the daemon's processor time: median {statistics.median(p[2] for p in pairs) * 1e6:.0f} us")
    forks = Forks(0, 0)
    for backend in BACKENDS:
        medians = []
        for name, txs, counts in scenarios():
            runs = [run_scenario(os.environ["KEEL_BIN"], backend, genesis(forks), forks.environment(), txs, counts)
                    for _ in range(options.runs)]
            medians.append(f"{name} {statistics.median(runs) * 1e3:.1f}")
        report("scenarios", backend, "median ms of " + str(options.runs) + ": " + ", ".join(medians))
    folder = options.fixtures / "workloads" / "blockchain_tests_engine"
    if folder.is_dir():
        for backend in BACKENDS:
            os.environ["KEEL_DB"] = backend
            rows = workload_blocks(launch, folder, options.blocks)
            first, again, head = (statistics.median(row[i] * 1e3 for row in rows) for i in range(3))
            on_top = [(row[1] + row[2]) * 1e3 for row in rows]
            report("workload block", backend, f"median newPayload {first:.2f} ms, again {again:.2f} ms, forkchoiceUpdated "
                   f"{head:.2f} ms; on top of execution: median {statistics.median(on_top):.2f}, most {max(on_top):.2f} ms "
                   f"of {len(rows)} blocks")
    else:
        print(f"workload block: left out, no {folder}")
    folder = options.fixtures / "eest-engine" / "blockchain_tests_engine"
    if folder.is_dir():
        for backend in BACKENDS:
            os.environ["KEEL_DB"] = backend
            tests, seconds = shared_tests(launch, folder, 12)
            report("shared tests", backend, f"{tests / seconds:.0f} tests/s, {seconds * 1e3 / tests:.2f} ms a test ({tests} tests)")
    else:
        print(f"shared tests: left out, no {folder}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (harness.Failure, harness.Unreachable) as error:
        sys.exit(str(error))
