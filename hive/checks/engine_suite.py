#!/usr/bin/env python3
"""The suites of hive's engine simulator that need no p2p: engine-api, engine-auth, engine-exchange-capabilities,
engine-withdrawals and engine-cancun: 307 cases. Besides a suite of our own, more.

  engine_suite.py --launch launch/keel -j 2
  engine_suite.py --launch launch/geth --build-seconds 1 --limit 'engine-cancun/.*Versioned Hashes'

Cases that need p2p are listed as left out with --list-out, and counted always; they never count as passed.
"""

import sys
import time

import consume
import engine_cancun
import engine_cases
import engine_more
import engine_withdrawals
import harness
from engine_mock import Environment, Forks, expect

SUITE = "engine"

# Families that fetch over p2p or speak it: suite, name, number of runs.
LEFT_OUT = (
    *((suite, f"Invalid Missing Ancestor Syncing ReOrg, … ({fork})", 24)
      for suite, fork in (("engine-api", "Paris"), ("engine-cancun", "Cancun"))),
    ("engine-api", "Fork ID: Genesis=…, Paris=… (Paris)", 6),
    ("engine-cancun", "Fork ID: Genesis=…, Cancun=…, Shanghai=… (Cancun)", 24),
    ("engine-withdrawals", "Sync after 2 blocks - … (Shanghai)", 5),
    ("engine-withdrawals", "Sync after 128 blocks - … (Shanghai)", 1),
    ("engine-withdrawals", "Withdrawals Fork on … Re-Org Sync (Shanghai)", 4),
    ("engine-cancun", "Blob Transaction Ordering, Multiple Clients (Cancun)", 1),
    ("engine-cancun", "Request Blob Pooled Transactions Single (Cancun)", 1),
    ("engine-cancun", "Request Blob Pooled Transactions Multiple (Cancun)", 1),
)


# ---- engine-auth --------------------------------------------------------------------------------


def auth(start, accepted, secret=harness.HIVE_SECRET, drift_seconds=0):
    with start() as env:
        rpc = harness.Rpc(f"http://127.0.0.1:{env.node.client.engine}")
        tries = 5 if drift_seconds else 1  # a slow machine may eat the second to the limit
        for again in range(tries):
            token = harness.jwt(secret, time.time() + drift_seconds)
            body = rpc.post_with_token('{"jsonrpc":"2.0","id":1,"method":"engine_exchangeCapabilities","params":[[]]}', token)
            if (b'"result"' in body) == accepted:
                return
        expect(False, f"{'refused' if accepted else 'accepted'}: {body[:200]!r}")


def auth_cases():
    secret = harness.HIVE_SECRET
    rows = (
        ("No time drift, correct secret", True, secret, 0),
        ("No time drift, incorrect secret (shorter)", False, secret[:-1], 0),
        ("No time drift, incorrect secret (longer)", False, b"\0" + secret, 0),
        ("Negative time drift, exceeding limit", False, secret, -61),
        ("Negative time drift, within limit", True, secret, -59),
        ("Positive time drift, exceeding limit", False, secret, 61),
        ("Positive time drift, within limit", True, secret, 59),
    )
    for name, accepted, key, drift in rows:
        yield f"JWT Authentication: {name}", lambda start, a=accepted, k=key, d=drift: auth(start, a, k, d)


# ---- engine-exchange-capabilities ---------------------------------------------------------------


def capabilities(start, forks, versions):
    with start(forks=forks) as env:
        answer = env.node.engine.call("engine_exchangeCapabilities", [])
        for version in versions:
            for method in ("newPayload", "forkchoiceUpdated", "getPayload"):
                expect(f"engine_{method}V{version}" in answer, f"engine_{method}V{version} is not among {answer}")


def capability_cases():
    far = 1 << 40
    for name, forks, versions in (
            ("Shanghai (Active)", Forks(0), (1, 2)), ("Shanghai (Not active)", Forks(far), (1, 2)),
            ("Cancun (Active)", Forks(0, 0), (1, 2, 3)), ("Cancun (Not active)", Forks(0, far), (1, 2, 3))):
        yield f"Exchange Capabilities - {name}", lambda start, f=forks, v=versions: capabilities(start, f, v)


# ---- All ----------------------------------------------------------------------------------------

SUITES = (
    ("engine-api", "Paris", Forks(), lambda: engine_cases.cases(on_cancun=False)),
    ("engine-auth", "Paris", Forks(), auth_cases),
    ("engine-exchange-capabilities", "Paris", Forks(), capability_cases),
    ("engine-withdrawals", "Shanghai", Forks(0), engine_withdrawals.cases),
    ("engine-cancun", "Cancun", Forks(0, 0), engine_cancun.cases),
    ("more", "Cancun", Forks(0, 0), engine_more.cases),
)


def all_cases(options):
    for suite, fork, forks, make in SUITES:
        def start(default=forks, **more):
            return Environment(options.launch, **{"forks": default, "build_seconds": options.build_seconds, **more})

        for name, function in make():
            yield f"{suite}/{name} ({fork})", lambda function=function, start=start: function(start)


def main():
    parser = harness.arguments(__doc__, SUITE)
    parser.add_argument("--build-seconds", metavar="S", type=float, default=0.0,
                        help="time between the start of a payload and its fetching; hive's mock waits 1 (default: 0)")
    parser.add_argument("--every", metavar="N", type=int, default=1, help="only each N-th case, for a sample")
    parser.add_argument("--list", action="store_true", help="names of the cases, and nothing more")
    parser.add_argument("--list-out", action="store_true", help="names of the cases that need p2p")
    parser.add_argument("--verbose", action="store_true", help="a line for each case, not only for the failed ones")
    options = parser.parse_args()
    options.launch = options.launch or harness.default_launcher()
    options.known = None
    cases = consume.matching(all_cases(options), options, SUITE)[::options.every]
    if options.list or options.list_out:
        for name in [name for name, _ in cases] if options.list else [f"{s}/{n}: {c}" for s, n, c in LEFT_OUT]:
            print(name)
        return harness.PASSED
    report = consume.Report(SUITE, options)
    consume.run_all(cases, lambda case: [consume.timed(*case)], report, options.jobs)
    if not options.json and not options.limit:
        print(f"{SUITE}: {sum(count for _, _, count in LEFT_OUT)} cases need p2p and are left out")
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
