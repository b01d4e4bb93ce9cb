"""What the check scripts share: JSON-RPC over HTTP, JWT, starting a client, and the report.

Nothing here knows keel: a client is a program that follows the launcher contract (see launch/).
"""

import argparse
import base64
import concurrent.futures
import dataclasses
import fcntl
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

PASSED, FAILED, UNUSABLE = 0, 1, 2  # exit codes
HERE = pathlib.Path(__file__).resolve().parent

# The secret that hive gives to every client.
HIVE_SECRET = b"secretsecretsecretsecretsecretse"

START_SECONDS = 180  # hive's limit for the start of a client
POLL_SECONDS = 0.1   # and how often it tries


class Unreachable(Exception):
    """The client is not there; nothing can be said about it."""


class Failure(Exception):
    """A case did not pass; the message says why."""


# ---- JSON-RPC ---------------------------------------------------------------------------------


def jwt(secret, issued_at=None):
    """Token of the Engine API: HS256 over a claim `iat`."""

    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    head = part(b'{"alg":"HS256","typ":"JWT"}')
    claims = part(json.dumps({"iat": int(time.time() if issued_at is None else issued_at)}).encode())
    signed = head + b"." + claims
    return (signed + b"." + part(hmac.new(secret, signed, hashlib.sha256).digest())).decode()


def read_secret(path):
    """32 bytes from a file of hex digits, with or without 0x and newline; none: hive's secret."""
    if path is None:
        return HIVE_SECRET
    text = pathlib.Path(path).read_text().strip()
    secret = bytes.fromhex(text[2:] if text.startswith("0x") else text)
    if len(secret) != 32:
        raise ValueError(f"{path}: {len(secret)} bytes, want 32")
    return secret


class Rpc:
    """One client over one kept connection. One thread."""

    def __init__(self, url, secret=None, timeout_seconds=30):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.path = parts.hostname, parts.port or 80, parts.path or "/"
        self.secret = secret
        self.timeout_seconds = timeout_seconds
        self.connection = None
        self.last_id = 0

    def post(self, body):
        """Answer to a request as bytes; the HTTP status is not looked at."""
        return self.post_with_token(body, None if self.secret is None else jwt(self.secret))

    def post_with_token(self, body, token):
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = "Bearer " + token
        for again in (True, False):
            kept = self.connection is not None
            if not kept:
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout_seconds)
            try:
                self.connection.request("POST", self.path, body, headers)
                return self.connection.getresponse().read()
            except (ConnectionError, http.client.HTTPException) as error:
                self.close()
                # The other side may close a connection that idles; only then is once more right.
                if not (kept and again):
                    raise Unreachable(f"{self.host}:{self.port}: {error!r}") from error
            except OSError as error:
                self.close()
                raise Unreachable(f"{self.host}:{self.port}: {error!r}") from error
        raise AssertionError("not reached")

    def call(self, method, *params):
        """The result; an error of the call is a Failure."""
        answer = self.answer(method, *params)
        if "error" in answer:
            raise Failure(f"{method}: {json.dumps(answer['error'])}")
        if "result" not in answer:
            raise Failure(f"{method}: neither result nor error: {json.dumps(answer)[:500]}")
        return answer["result"]

    def answer(self, method, *params):
        """The whole answer."""
        self.last_id += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params})
        answer = self.post(body)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise Failure(f"{method}: answer is not JSON: {error}: {answer[:200]!r}") from error

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


# ---- Clients ----------------------------------------------------------------------------------


def ephemeral_ports():
    """First and last port that the system gives to connections."""
    try:
        first, last = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
        return first, last
    except (OSError, ValueError):
        return 32768, 60999


class Ports(list):
    """Ports that nobody listens on, and that no other check on this machine has, until release().

    Below those of connections: there a port that is only asked whether it answers may be given to the
    question itself, which then answers. A file a port, locked while it is taken, keeps checks that run at
    the same time apart between this question and the client's start."""

    LOCKS = pathlib.Path(tempfile.gettempdir()) / "keel-check-ports"

    def __init__(self, count):
        super().__init__()
        self.files = []
        self.LOCKS.mkdir(exist_ok=True)
        candidates = range(10000, ephemeral_ports()[0]) or range(1024, 10000)
        # From anywhere on, so that checks rarely ask for the same ones.
        begin = random.SystemRandom().randrange(len(candidates))
        for i in range(len(candidates)):
            if len(self) == count:
                return
            self.take(candidates[(begin + i) % len(candidates)])

    def take(self, port):
        file = os.open(self.LOCKS / str(port), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(file)
            return
        self.append(port)
        self.files.append(file)

    def release(self):
        for file in self.files:
            os.close(file)
        self.files.clear()


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Client:
    """A client started as hive starts it: files in a directory, HIVE_ variables, three ports.

    with Client("launch/keel", files={"genesis.json": path}, environment={...}) as client:
        client.rpc().call("eth_blockNumber")
    """

    def __init__(self, launcher, files, environment, watch="http", poll_seconds=POLL_SECONDS):
        self.command = shlex.split(launcher)
        # The client runs in another directory than the one that paths were given in.
        if os.sep in self.command[0]:
            self.command[0] = os.path.abspath(self.command[0])
        self.files = files
        self.environment = environment
        self.watch = watch
        self.poll_seconds = poll_seconds
        self.directory = None
        self.process = None
        self.ports = None
        self.start_seconds = None

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hive-check-"))
        for name, source in self.files.items():
            target = self.directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(source, (bytes, str)):
                target.write_bytes(source if isinstance(source, bytes) else source.encode())
            else:
                shutil.copyfile(source, target)
        self.log = open(self.directory / "client.log", "wb")
        self.start()
        return self

    def start(self):
        """In the directory as it is."""
        self.release_ports()
        self.ports = Ports(3)
        self.http, self.ws, self.engine = self.ports
        inherited = {k: os.path.abspath(v) if k.endswith("_BIN") and os.sep in v else v
                     for k, v in os.environ.items() if not k.startswith("HIVE_")}
        ports = {"PORT_HTTP": str(self.http), "PORT_WS": str(self.ws), "PORT_ENGINE": str(self.engine)}
        began = time.monotonic()
        try:
            self.process = subprocess.Popen(
                self.command, cwd=self.directory, env={**inherited, **self.environment, **ports},
                stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as error:
            self.__exit__(None, None, None)
            raise Unreachable(f"{self.command[0]}: {error}") from error
        watched = self.http if self.watch == "http" else self.engine
        while not accepts(watched):
            if self.process.poll() is not None:
                tail = self.log_tail()
                code = self.process.returncode
                self.__exit__(None, None, None)
                raise Unreachable(f"{self.command[0]} ended with {code} before its port opened:\n{tail}")
            if time.monotonic() - began > START_SECONDS:
                tail = self.log_tail()
                self.__exit__(None, None, None)
                raise Unreachable(f"{self.command[0]}: no port after {START_SECONDS} s:\n{tail}")
            time.sleep(self.poll_seconds)
        self.start_seconds = time.monotonic() - began

    def release_ports(self):
        if self.ports is not None:
            self.ports.release()

    def kill(self):
        """As hive removes a container."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def kill_and_start(self):
        """What the client has stored must be there again; the ports are others."""
        self.kill()
        self.start()

    def log_tail(self, lines=30):
        self.log.flush()
        text = (self.directory / "client.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def rpc(self, timeout_seconds=30):
        return Rpc(f"http://127.0.0.1:{self.http}", None, timeout_seconds)

    def engine_rpc(self, timeout_seconds=30):
        return Rpc(f"http://127.0.0.1:{self.engine}", HIVE_SECRET, timeout_seconds)

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()
        self.release_ports()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Running:
    """A client that somebody else has started, in place of Client."""

    def __init__(self, url, engine, secret):
        self.url, self.engine, self.secret = url, engine, secret

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def rpc(self, timeout_seconds=30):
        return Rpc(self.url, None, timeout_seconds)

    def engine_rpc(self, timeout_seconds=30):
        return Rpc(self.engine, self.secret, timeout_seconds)


# ---- Cases and report -------------------------------------------------------------------------


@dataclasses.dataclass
class Outcome:
    name: str
    passed: bool
    seconds: float
    details: str = ""
    file: pathlib.Path | None = None  # the fixture's


def pattern(text):
    """A regular expression, as an argument."""
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error
    return text


def arguments(description, suite, launcher=True):
    """Parser with the flags that every script has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="exit codes: 0 all passed, 1 failures, 2 usage or client not reachable")
    parser.add_argument("--json", action="store_true", help="report as one JSON document on stdout")
    parser.add_argument("--limit", metavar="REGEX", type=pattern, default="", help=f"only cases whose name {suite}/… matches")
    parser.add_argument("-j", metavar="N", type=int, default=1, dest="jobs", help="cases at the same time")
    if launcher:
        parser.add_argument("--launch", metavar="CMD", help="starts the client (launch/keel, launch/geth, …)")
    return parser


def run_cases(suite, cases, options):
    """Runs [(name, function)]: a function returns (details or none) or raises Failure. Order of the report
    is that of the cases, whatever -j is. Returns the exit code."""
    wanted = re.compile(options.limit)
    cases = [(name, function) for name, function in cases if wanted.search(f"{suite}/{name}")]

    def run(case):
        name, function = case
        began = time.monotonic()
        try:
            details = function() or ""
            return Outcome(name, True, time.monotonic() - began, details)
        except Failure as failure:
            return Outcome(name, False, time.monotonic() - began, str(failure))

    outcomes = []
    version = ""
    try:
        with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, options.jobs)) as pool:
            for outcome in pool.map(run, cases):
                outcomes.append(outcome)
                if not options.json:
                    print(f"{'ok    ' if outcome.passed else 'FAILED'} {suite}/{outcome.name} ({outcome.seconds:.3f} s)")
                    if not outcome.passed:
                        print("       " + outcome.details.replace("\n", "\n       "))
    except Unreachable as error:
        print(f"client not reachable: {error}", file=sys.stderr)
        return UNUSABLE
    version = getattr(options, "client_version", "")
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if options.json:
        print(json.dumps({
            "suite": suite, "version": version,
            "cases": [{"name": o.name, "pass": o.passed, "seconds": round(o.seconds, 4), "details": o.details}
                      for o in outcomes]}, indent=1))
    else:
        print(f"{suite}: {len(outcomes) - len(failed)} passed, {len(failed)} failed" + (f" ({version})" if version else ""))
    return FAILED if failed else PASSED


def default_launcher():
    return str(HERE / "launch" / "keel")
