"""Known failures of the consume simulators: per set, and an error where one passes."""

import contextlib
import io
import pathlib
import tempfile
import types
import unittest

from context import CHECKS

import consume
import harness


class KnownFailures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.list = self.folder / "known.txt"
        self.list.write_text("# words\n\n[old-set]\n# why\ntest[a]\n")

    def report_of(self, *outcomes):
        report = consume.Report("suite", types.SimpleNamespace(known=self.list, json=True, verbose=False, jobs=1))
        for outcome in outcomes:
            report.add(outcome)
        return report

    def outcome(self, folder, passed, name="test[a]"):
        return harness.Outcome(name, passed, 0.0, "why", self.folder / folder / "more" / "file.json")

    def test_a_failure_that_is_listed_counts_as_neither(self):
        report = self.report_of(self.outcome("old-set", False))
        self.assertEqual((report.outcomes, sum(report.skipped.values())), ([], 1))

    def test_one_that_passes_where_it_is_listed_is_an_error(self):
        report = self.report_of(self.outcome("old-set", True))
        self.assertEqual([o.passed for o in report.outcomes], [False])
        self.assertIn("known failure", report.outcomes[0].details)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(report.end(), harness.FAILED)

    def test_the_same_name_in_another_set_is_another_test(self):
        report = self.report_of(self.outcome("new-set", True), self.outcome("new-set", False),
                                self.outcome("old-set-2", True))
        self.assertEqual([o.passed for o in report.outcomes], [True, False, True])
        self.assertEqual(sum(report.skipped.values()), 0)

    def test_a_name_without_a_set_is_refused(self):
        self.list.write_text("test[a]\n[old-set]\n")
        with self.assertRaises(SystemExit):
            self.report_of()

    def test_the_list_of_this_folder_is_read(self):
        known = consume.known_failures(CHECKS / "known_failures.txt")
        self.assertEqual({folder for folders in known.values() for folder in folders}, {"eest-engine"})


if __name__ == "__main__":
    unittest.main()
