#!/usr/bin/env python3
"""The rpc-compat suite against a running client, or one that is started for it.

  rpc_compat.py --launch launch/keel FIXTURES
  rpc_compat.py --url http://127.0.0.1:8545 --engine http://127.0.0.1:8551 [--jwt FILE] FIXTURES

FIXTURES holds genesis.json, chain.rlp, forkenv.json, headfcu.json and <method>/<case>.io. First the head is set
by headfcu.json, which fails everything if it is answered by an error; then each case is sent in the order of the paths.
Cases marked `speconly` are validated against the schema of their method where --schema gives the OpenRPC document.
"""

import json
import pathlib
import sys
import threading

import harness
import io_file
import schema

SUITE = "rpc-compat"
ANSWER_SECONDS = 5  # hive's limit for one exchange


class SpecOnly:
    """Result schemas by method."""

    def __init__(self, path):
        self.methods, self.validator = None, None
        if path is not None:
            document = json.loads(pathlib.Path(path).read_text())
            self.methods = {method["name"]: method["result"]["schema"]
                            for method in document["methods"] if "result" in method}
            self.validator = schema.Validator(document)

    def check(self, method, result):
        if self.methods is None:
            raise harness.Failure("speconly, and no --schema was given")
        if method not in self.methods:
            raise harness.Failure(f"the OpenRPC document has no result schema for {method}")
        try:
            errors = self.validator.errors(result, self.methods[method])
        except schema.SchemaError as error:
            raise harness.Failure(f"schema of {method}: {error}") from error
        if errors:
            raise harness.Failure("\n".join(errors[:12]))


def check_answer(case, method, expected_text, answer_text, spec):
    """One expected answer against one answer."""
    try:
        answer = io_file.load(answer_text)
    except ValueError as error:
        raise harness.Failure(f"answer is not JSON: {error}: {answer_text[:200]!r}") from error
    if case.speconly and isinstance(answer, dict) and "error" not in answer:
        if "result" not in answer:
            raise harness.Failure(f"neither result nor error: {answer_text[:200]!r}")
        spec.check(method, answer["result"])
        return
    expected, answer = io_file.without_messages(io_file.load(expected_text), answer)
    found = io_file.differences(expected, answer)
    if found:
        raise harness.Failure("\n".join(found))


def run_case(path, rpc, spec):
    try:
        case = io_file.parse(path.read_text())
    except io_file.BrokenCase as error:
        raise harness.Failure(f"{path}: {error}") from error
    method, answer = None, None
    for kind, text in case.messages:
        if kind == "request":
            if answer is not None:
                raise harness.Failure("an answer is not compared with anything")
            method = json.loads(text).get("method")
            answer = rpc.post(text.encode()).decode(errors="replace").strip()
        else:
            if answer is None:
                raise harness.Failure("no answer is left to compare")
            check_answer(case, method, text, answer, spec)
            answer = None
    if answer is not None:
        raise harness.Failure("the last answer is not compared with anything")


def set_head(engine, directory):
    """headfcu.json as it stands; an error of the call ends everything."""
    path = directory / "headfcu.json"
    answer = json.loads(engine.post(path.read_bytes()))
    if "error" in answer:
        raise harness.Unreachable(f"{path.name}: {json.dumps(answer['error'])}")
    return answer.get("result", {}).get("payloadStatus", {}).get("status")


def run(url, engine_url, secret, directory, options):
    engine = harness.Rpc(engine_url, secret) if engine_url else None
    if engine is not None:
        status = set_head(engine, directory)
        print(f"head set: {status}", file=sys.stderr)
    first = harness.Rpc(url, None, ANSWER_SECONDS)
    try:
        options.client_version = first.call("web3_clientVersion")
    except harness.Failure:
        options.client_version = ""
    spec = SpecOnly(options.schema)
    own = threading.local()

    def rpc():
        if not hasattr(own, "rpc"):
            own.rpc = harness.Rpc(url, None, ANSWER_SECONDS)
        return own.rpc

    paths = sorted(directory.glob("*/*.io"))
    if not paths:
        print(f"{directory}: no .io files", file=sys.stderr)
        return harness.UNUSABLE
    cases = [(f"{path.parent.name}/{path.stem}", lambda path=path: run_case(path, rpc(), spec)) for path in paths]
    return harness.run_cases(SUITE, cases, options)


def main():
    parser = harness.arguments(__doc__, SUITE)
    parser.add_argument("--url", help="JSON-RPC of a running client")
    parser.add_argument("--engine", metavar="URL", help="Engine API of that client; without it no head is set")
    parser.add_argument("--no-engine", action="store_true",
                        help="with --launch: leave the head where the import has left it (a client without Engine API)")
    parser.add_argument("--jwt", metavar="FILE", help="secret of the Engine API (hive's without it)")
    parser.add_argument("--schema", metavar="FILE", help="openrpc.json, for the cases marked speconly")
    parser.add_argument("directory", type=pathlib.Path, metavar="FIXTURES")
    options = parser.parse_args()
    if not options.directory.is_dir():
        parser.error(f"{options.directory}: no such folder")
    try:
        if options.url:
            return run(options.url, options.engine, harness.read_secret(options.jwt), options.directory, options)
        environment = json.loads((options.directory / "forkenv.json").read_text())
        files = {name: options.directory / name for name in ("genesis.json", "chain.rlp")}
        with harness.Client(options.launch or harness.default_launcher(), files, environment) as client:
            print(f"started in {client.start_seconds:.2f} s", file=sys.stderr)
            engine = None if options.no_engine else f"http://127.0.0.1:{client.engine}"
            return run(f"http://127.0.0.1:{client.http}", engine, harness.HIVE_SECRET, options.directory, options)
    except harness.Unreachable as error:
        print(f"client not reachable: {error}", file=sys.stderr)
        return harness.UNUSABLE
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return harness.UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
