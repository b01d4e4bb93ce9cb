"""The scripts against a made-up client: reports, exit codes, head, speconly, JWT."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

from context import CHECKS

import harness


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers by method from `server.results`; a value that is an exception's text is an error."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((request["method"], self.headers.get("Authorization")))
        answer = {"jsonrpc": "2.0", "id": request["id"]}
        result = self.server.results.get(request["method"])
        answer.update(result if isinstance(result, dict) and "error" in result else {"result": result})
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class MadeUpClient:
    def __init__(self, results):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.results, self.server.seen = results, []
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"


def run(script, *arguments, env=None):
    return subprocess.run([sys.executable, str(CHECKS / script), *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})})


SPEC = {"methods": [{"name": "m_spec", "result": {"schema": {"type": "string", "pattern": "^0x"}}}]}


class RpcCompat(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write("m_plain/same.io", '// same\n>> {"jsonrpc":"2.0","id":1,"method":"m_plain"}\n'
                                      '<< {"jsonrpc":"2.0","id":1,"result":"0x1"}\n')
        self.write("m_spec/shape.io", '// speconly: shape\n>> {"jsonrpc":"2.0","id":1,"method":"m_spec"}\n'
                                      '<< {"jsonrpc":"2.0","id":1,"result":"0xother"}\n')
        self.write("headfcu.json", '{"jsonrpc":"2.0","id":"fcu","method":"engine_forkchoiceUpdatedV3","params":[]}')
        self.write("openrpc.json", json.dumps(SPEC))

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def check(self, results, *flags):
        with MadeUpClient(results) as client:
            done = run("rpc_compat.py", "--url", client.url, "--engine", client.url, "--json",
                       "--schema", str(self.folder / "openrpc.json"), *flags, str(self.folder))
            return done, client.server.seen

    GOOD = {"m_plain": "0x1", "m_spec": "0x5", "web3_clientVersion": "made-up/1",
            "engine_forkchoiceUpdatedV3": {"payloadStatus": {"status": "VALID"}}}

    def test_a_good_client_passes_and_gets_a_token_and_the_head_first(self):
        done, seen = self.check(self.GOOD)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["suite"], report["version"]), ("rpc-compat", "made-up/1"))
        self.assertEqual([(c["name"], c["pass"]) for c in report["cases"]],
                         [("m_plain/same", True), ("m_spec/shape", True)])
        self.assertEqual(seen[0][0], "engine_forkchoiceUpdatedV3")
        token = seen[0][1].removeprefix("Bearer ")
        signed, signature = token.rsplit(".", 1)
        expected = hmac.new(b"secretsecretsecretsecretsecretse", signed.encode(), hashlib.sha256).digest()
        self.assertEqual(base64.urlsafe_b64decode(signature + "="), expected)
        self.assertIsNone(seen[-1][1])

    def test_a_wrong_answer_is_a_failure_with_its_place(self):
        done, _ = self.check({**self.GOOD, "m_plain": "0x2"})
        self.assertEqual(done.returncode, 1)
        case = json.loads(done.stdout)["cases"][0]
        self.assertFalse(case["pass"])
        self.assertIn("$.result", case["details"])

    def test_speconly_validates_a_result_and_compares_an_error(self):
        done, _ = self.check({**self.GOOD, "m_spec": "5"})
        self.assertEqual(done.returncode, 1)
        done, _ = self.check({**self.GOOD, "m_spec": {"error": {"code": 1, "message": "x"}}})
        self.assertEqual(done.returncode, 1)

    def test_an_error_of_the_head_ends_everything(self):
        done, _ = self.check({**self.GOOD, "engine_forkchoiceUpdatedV3": {"error": {"code": -38002, "message": "x"}}})
        self.assertEqual(done.returncode, 2)

    def test_the_limit_is_on_suite_and_name(self):
        done, _ = self.check(self.GOOD, "--limit", "^rpc-compat/m_spec/")
        self.assertEqual([c["name"] for c in json.loads(done.stdout)["cases"]], ["m_spec/shape"])

    def test_nobody_there_is_exit_2(self):
        port = harness.Ports(1)[0]
        done = run("rpc_compat.py", "--url", f"http://127.0.0.1:{port}", str(self.folder))
        self.assertEqual(done.returncode, 2)

    def test_a_broken_case_fails_alone(self):
        self.write("m_plain/broken.io", "what\n")
        done, _ = self.check(self.GOOD, "-j", "2")
        self.assertEqual([c["pass"] for c in json.loads(done.stdout)["cases"]], [False, True, True])


class Ports(unittest.TestCase):
    def test_they_are_free_differ_and_lie_below_those_of_connections(self):
        ports = harness.Ports(20)
        self.addCleanup(ports.release)
        self.assertEqual(len(set(ports)), 20)
        self.assertLess(max(ports), harness.ephemeral_ports()[0])
        for port in ports:
            self.assertFalse(harness.accepts(port))


    def test_what_one_has_no_other_gets_until_it_is_released(self):
        ports = harness.Ports(1)
        other = harness.Ports(0)
        other.take(ports[0])
        self.assertEqual(other, [])
        ports.release()
        other.take(ports[0])
        self.assertEqual(other, ports)
        other.release()


class Launching(unittest.TestCase):
    def test_a_client_that_ends_before_its_port_opens_is_exit_2_with_its_words(self):
        done = run("genesis_smoke.py", "--launch", "sh -c 'echo some reason; exit 3'", "--limit", "empty$")
        self.assertEqual(done.returncode, 2)
        self.assertIn("some reason", done.stderr)
        self.assertIn("ended with 3", done.stderr)

    def test_a_limit_that_is_no_expression_is_exit_2(self):
        for script in ("engine_suite.py", "genesis_smoke.py"):
            done = run(script, "--limit", "(")
            self.assertEqual(done.returncode, 2)
            self.assertIn("no regular expression", done.stderr)

    def test_every_script_explains_itself(self):
        for script in ("rpc_compat.py", "genesis_smoke.py", "sync_source.py", "consume_engine.py", "consume_rlp.py",
                       "engine_suite.py"):
            with self.subTest(script):
                done = run(script, "--help")
                self.assertEqual(done.returncode, 0)
                for flag in ("--json", "--limit", "-j", "--launch"):
                    self.assertIn(flag, done.stdout)
        done = subprocess.run([str(CHECKS / "run_like_hive.sh"), "--help"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
