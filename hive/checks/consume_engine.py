#!/usr/bin/env python3
"""The consume-engine and consume-enginex simulators: payloads over HTTP with JWT, answers as the tests say.

  consume_engine.py --launch launch/keel -j 2 ~/.cache/keel-fixtures/eest-engine
  consume_engine.py --launch launch/keel --shared ~/.cache/keel-fixtures/workloads
  consume_engine.py --url http://127.0.0.1:8545 --engine http://127.0.0.1:8551 [--jwt FILE] FIXTURES

Engine tests get a client each; with --shared one client serves all tests on the same genesis, as for engine-x tests
always: each test begins by setting the head back to genesis. With --url the tests on the genesis of a client that runs
already are sent to it, and the others left out.
"""

import json
import pathlib
import sys
import time

import consume
import fixtures
import harness

SUITE = "consume-engine"
FIRST_HEAD_TRIES = 30  # a second apart, as the simulator does
STATUS_KEYS = {"status", "latestValidHash", "validationError"}


class Group:
    """Tests on one genesis."""

    def __init__(self, header, accounts, environment, genesis_hash):
        self.header, self.accounts, self.environment, self.genesis_hash = header, accounts, environment, genesis_hash
        self.fixtures = []


def group_of(fixture):
    """A new group for the test; of an engine-x test its pre-allocation's."""
    test = fixture.test
    environment = fixtures.environment_of(test["network"], test.get("config"))
    environment["HIVE_CHECK_LIVE_PORT"] = "8551"
    if "preHash" in test:
        content = json.loads(fixtures.find_group(fixture.file, test["preHash"]).read_text())
        environment |= {"HIVE_FORK": test["network"], "HIVE_EXPECT_DEEP_REORGS": "1"}
        genesis_hash = test["engineNewPayloads"][0]["params"][0]["parentHash"]
        return Group(fixtures.header_of_group(content), content["pre"], environment, genesis_hash)
    return Group(test["genesisBlockHeader"], test["pre"], environment, test["genesisBlockHeader"]["hash"])


def groups(items, options, report):
    """Single tests as they come; shared ones, which need all their tests, at the end."""
    shared = {}
    for fixture in items:
        test = fixture.test
        try:
            if "preHash" not in test and not options.shared:
                group = group_of(fixture)
                group.fixtures.append(fixture)
                yield group
                continue
            key = (test.get("preHash") or test["genesisBlockHeader"]["hash"], test["network"],
                   json.dumps(test.get("config"), sort_keys=True))
            if key not in shared:
                shared[key] = group_of(fixture)
            for name in ("pre", "postState", "genesisBlockHeader", "_info"):
                test.pop(name, None)
            shared[key].fixtures.append(fixture)
        except fixtures.UnknownNetwork as error:
            report.skip(f"of network {error}")
    yield from sorted(shared.values(), key=lambda group: -len(group.fixtures))


def check_shape(status, method):
    if not isinstance(status, dict) or set(status) != STATUS_KEYS:
        raise harness.Failure(f"{method}: members are {sorted(status) if isinstance(status, dict) else status}")


def set_head(rpc, version, hash_):
    zero = "0x" + 64 * "0"
    method = f"engine_forkchoiceUpdatedV{version}"
    state = {"headBlockHash": hash_, "safeBlockHash": zero, "finalizedBlockHash": zero}
    answer = rpc.call(method, state, None)
    if set(answer) != {"payloadStatus", "payloadId"}:
        raise harness.Failure(f"{method}: members are {sorted(answer)}")
    check_shape(answer["payloadStatus"], method)
    return answer["payloadStatus"]


def check_payload(rpc, payload, place, mapper, unexplained):
    params = payload["params"]
    answer = rpc.answer(f"engine_newPayloadV{payload['newPayloadVersion']}", *params)
    if payload.get("errorCode") is not None:
        code = answer.get("error", {}).get("code")
        if code != int(payload["errorCode"]):
            raise harness.Failure(f"{place}: want error {payload['errorCode']}, have {json.dumps(answer)[:400]}")
        return
    if "error" in answer:
        raise harness.Failure(f"{place}: {json.dumps(answer['error'])}")
    status = answer["result"]
    check_shape(status, place)
    hash_, expected = params[0]["blockHash"], payload.get("validationError")
    if expected is None:
        if status["status"] != "VALID" or status["latestValidHash"] != hash_:
            raise harness.Failure(f"{place}: want VALID {hash_}, have {json.dumps(status)}")
        head = set_head(rpc, payload["forkchoiceUpdatedVersion"], hash_)
        if head["status"] != "VALID" or head["latestValidHash"] != hash_:
            raise harness.Failure(f"{place}: forkchoiceUpdated: want VALID {hash_}, have {json.dumps(head)}")
        return
    if status["status"] != "INVALID" or status["validationError"] is None:
        raise harness.Failure(f"{place}: want INVALID ({expected}), have {json.dumps(status)}")
    if isinstance(expected, list):
        expected = "|".join(expected)
    explained = fixtures.explains(expected, status["validationError"], mapper)
    if explained is None:
        unexplained.add(expected)
    elif not explained:
        raise harness.Failure(f"{place}: {status['validationError']!r} does not stand for {expected}")


def check_test(rpc, group, test, options, unexplained):
    payloads = test["engineNewPayloads"]
    version = payloads[0]["forkchoiceUpdatedVersion"]
    for again in range(FIRST_HEAD_TRIES):
        status = set_head(rpc, version, group.genesis_hash)
        if status["status"] == "VALID":
            break
        if again == FIRST_HEAD_TRIES - 1:
            raise harness.Failure(f"genesis as head: {json.dumps(status)}")
        time.sleep(1)
    for index, payload in enumerate(payloads):
        check_payload(rpc, payload, f"payload {index}", fixtures.MAPPERS[options.mapper], unexplained)


def client_of(group, options):
    """Not yet started, or the one that runs."""
    if options.url is not None:
        return harness.Running(options.url, options.engine, options.secret)
    files = {"genesis.json": fixtures.genesis_text(group.header, group.accounts)}
    return harness.Client(options.launch, files, group.environment, watch="engine", poll_seconds=consume.POLL_SECONDS)


def run_group(group, options, unexplained):
    """Outcomes of the group's tests on one client. The start counts to its first test."""
    outcomes = []
    began = time.monotonic()
    try:
        with client_of(group, options) as client:
            rpc = client.engine_rpc(timeout_seconds=300)
            genesis = client.rpc().call("eth_getBlockByNumber", "0x0", False)["hash"]
            if genesis != group.genesis_hash:
                raise harness.Failure(f"genesis hash {genesis}, want {group.genesis_hash}")
            for fixture in group.fixtures:
                outcome = consume.timed(fixture.name,
                                        lambda: check_test(rpc, group, fixture.test, options, unexplained),
                                        fixture.file)
                if not outcomes:
                    outcome.seconds = time.monotonic() - began
                outcomes.append(outcome)
            rpc.close()
    except (harness.Failure, harness.Unreachable) as failure:
        outcomes += [harness.Outcome(fixture.name, False, 0.0, str(failure), fixture.file)
                     for fixture in group.fixtures[len(outcomes):]]
    return outcomes


def main():
    parser = consume.arguments(__doc__, SUITE)
    parser.add_argument("--shared", action="store_true", help="one client for all tests on one genesis")
    parser.add_argument("--mapper", choices=sorted(fixtures.MAPPERS), default="geth", help="whose texts to expect")
    parser.add_argument("--url", metavar="URL", help="JSON-RPC of a client that runs, on one of the geneses")
    parser.add_argument("--engine", metavar="URL", help="Engine API of that client")
    parser.add_argument("--jwt", metavar="FILE", type=pathlib.Path, help="its secret (hive's without it)")
    options = parser.parse_args()
    if (options.url is None) != (options.engine is None) or (options.url and options.launch):
        parser.error("either --launch, or --url and --engine")
    only = None  # the genesis that tests must have
    if options.url is not None:
        options.shared, options.jobs, options.secret = True, 1, harness.read_secret(options.jwt)
        try:
            only = harness.Rpc(options.url).call("eth_getBlockByNumber", "0x0", False)["hash"]
        except (harness.Unreachable, harness.Failure) as error:
            print(f"client not reachable: {error}", file=sys.stderr)
            return harness.UNUSABLE
    options.launch = options.launch or harness.default_launcher()
    report = consume.Report(SUITE, options)
    unexplained, clients = set(), [0]

    def counted():
        for group in groups(consume.selected(options, SUITE, "engineNewPayloads"), options, report):
            if only is not None and group.genesis_hash != only:
                for _ in group.fixtures:
                    report.skip("of another genesis")
                continue
            clients[0] += 1
            yield group

    consume.run_all(counted(), lambda group: run_group(group, options, unexplained), report, options.jobs)
    if unexplained and options.mapper != "none" and not options.json:
        print(f"exceptions without a pattern of {options.mapper}: {', '.join(sorted(unexplained))}")
    return report.end(f"; {clients[0]} clients")


if __name__ == "__main__":
    sys.exit(main())
