"""What consume_engine.py and consume_rlp.py share: thousands of fixtures, read as they are needed, several at a time,
and a report of what failed."""

import collections
import concurrent.futures
import json
import pathlib
import re
import statistics
import sys
import time

import fixtures
import harness

POLL_SECONDS = 0.002  # a start takes some tens of milliseconds here


def arguments(description, suite):
    parser = harness.arguments(description, suite)
    parser.add_argument("--every", metavar="N", type=int, default=1, help="only each N-th test, for a sample")
    parser.add_argument("--max", metavar="N", type=int, default=0, help="at most so many tests")
    parser.add_argument("--known", metavar="FILE", type=pathlib.Path, default=harness.HERE / "known_failures.txt",
                        help="tests that must fail, by folder (default: known_failures.txt)")
    parser.add_argument("--verbose", action="store_true", help="a line for each test, not only for the failed ones")
    parser.add_argument("paths", type=pathlib.Path, nargs="+", metavar="FIXTURES", help="files and folders")
    return parser


def selected(options, suite, key):
    """Fixtures that the flags leave, read file by file."""
    missing = [str(path) for path in options.paths if not path.exists()]
    if missing:
        print(f"no such file or folder: {', '.join(missing)}", file=sys.stderr)
        return
    wanted = re.compile(options.limit)
    seen = taken = 0
    for file in fixtures.files_under(options.paths):
        for fixture in fixtures.fixtures_of(file, key):
            if not wanted.search(f"{suite}/{fixture.name}"):
                continue
            seen += 1
            if (seen - 1) % options.every != 0:
                continue
            yield fixture
            taken += 1
            if options.max and taken == options.max:
                return


def known_failures(path):
    """{name: folders}: the tests that must fail where their file lies in one of the folders, since the same name is
    another test in another set. Lines are `[folder]` and the names below it; `#` begins a comment."""
    known = collections.defaultdict(set)
    folder = None
    for number, line in enumerate(path.read_text().splitlines() if path else (), 1):
        line = line.strip()
        heading = re.fullmatch(r"\[([^/\[\]]+)\]", line)
        if heading:
            folder = heading[1]
        elif line and not line.startswith("#"):
            if folder is None:
                sys.exit(f"{path}:{number}: a test before the first [folder]")
            known[line].add(folder)
    return known


def matching(cases, options, suite):
    """[(name, function)] whose suite/name --limit matches."""
    wanted = re.compile(options.limit)
    return [case for case in cases if wanted.search(f"{suite}/{case[0]}")]


class Report:
    """One thread. A known failure counts as neither; one that passes has failed."""

    def __init__(self, suite, options):
        self.suite, self.options = suite, options
        self.outcomes = []
        self.skipped = collections.Counter()
        self.known = known_failures(options.known)
        self.began = time.monotonic()

    def add(self, outcome):
        if outcome.file is not None and self.known.get(outcome.name, set()) & set(outcome.file.resolve().parts):
            if not outcome.passed:
                self.skip("that fail as known")
                return
            outcome.passed, outcome.details = False, "passes, and is listed as a known failure"
        self.outcomes.append(outcome)
        if self.options.json or (outcome.passed and not self.options.verbose):
            return
        print(f"{'ok    ' if outcome.passed else 'FAILED'} {self.suite}/{outcome.name} ({outcome.seconds * 1000:.1f} ms)")
        if not outcome.passed:
            print("       " + outcome.details.replace("\n", "\n       "), flush=True)

    def skip(self, why):
        self.skipped[why] += 1

    def end(self, extra=""):
        """Prints the counts; the exit code."""
        failed = sum(not outcome.passed for outcome in self.outcomes)
        wall = time.monotonic() - self.began
        count = len(self.outcomes)
        if self.options.json:
            print(json.dumps({
                "suite": self.suite, "version": getattr(self.options, "client_version", ""),
                "cases": [{"name": o.name, "pass": o.passed, "seconds": round(o.seconds, 4), "details": o.details}
                          for o in self.outcomes]}, indent=1))
        else:
            for why, times in sorted(self.skipped.items()):
                print(f"left out: {times} {why}")
            if count:
                each = [outcome.seconds * 1000 for outcome in self.outcomes]
                print(f"{self.suite}: {wall * 1000 / count:.2f} ms a test with -j {self.options.jobs} ({wall:.1f} s in all); "
                      f"one test: mean {statistics.fmean(each):.1f} ms, median {statistics.median(each):.1f} ms{extra}")
            print(f"{self.suite}: {count - failed} passed, {failed} failed")
        if not count:
            print("no test was run", file=sys.stderr)
            return harness.UNUSABLE
        return harness.FAILED if failed else harness.PASSED


def run_all(items, work, report, jobs):
    """Calls work(item), which returns a list of outcomes, in `jobs` threads; never more than a few items wait."""
    waiting = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            while len(waiting) > 4 * jobs:
                for outcome in waiting.popleft().result():
                    report.add(outcome)
        while waiting:
            for outcome in waiting.popleft().result():
                report.add(outcome)


def timed(name, function, file=None):
    """Outcome of function(), which returns details or none, or raises Failure. `file`: of the fixture."""
    began = time.monotonic()
    try:
        details = function() or ""
        return harness.Outcome(name, True, time.monotonic() - began, details, file)
    except (harness.Failure, harness.Unreachable) as failure:
        return harness.Outcome(name, False, time.monotonic() - began, str(failure), file)
