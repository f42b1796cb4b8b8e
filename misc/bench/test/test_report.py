"""Rounds of several runs, and their table. The figures are made up (figures.jsonl)."""

import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.dirname(HERE)
FIGURES = os.path.join(HERE, "figures.jsonl")
sys.path.insert(0, BENCH)

import report

ABOUT = {"run": {"version": "1"}}


def rounds(*files):
    return [line["round"] for line in report.rounds_apart(files) if "round" in line]


def line(system, round_, per_second):
    return {"case": "a", "system": system, "round": round_, "perSecond": per_second}


class ReportTest(unittest.TestCase):
    def test_runs_in_one_file_have_separate_rounds(self):
        one, other = rounds([ABOUT, {"round": 1}, {"round": 1}, {"round": 2}]), rounds([ABOUT, {"round": 1}, ABOUT, {"round": 1}])
        self.assertEqual((len(one), len(set(one))), (3, 2))
        self.assertEqual(len(set(other)), 2)

    def test_files_without_a_first_line_have_separate_rounds(self):
        self.assertEqual(len(set(rounds([{"round": 1}], [{"round": 1}], [ABOUT, {"round": 1}]))), 3)

    def test_other_lines_stay_as_they_are(self):
        self.assertEqual(list(report.rounds_apart([[ABOUT]])), [ABOUT])

    def test_ratios_are_taken_within_a_run(self):
        first = [ABOUT, line("haproxy", 1, 10), line("waymark", 1, 20)]
        second = [ABOUT, line("haproxy", 1, 1000), line("waymark", 1, 3000)]
        for files in ([first + second], [first, second], [first[1:], second[1:]]):
            lines = [each for each in report.rounds_apart(files) if "case" in each]
            self.assertIn("2.50 (2.00–3.00)", report.table(lines))

    def test_another_checkout_has_a_column_of_its_own(self):
        lines = [line("haproxy", 1, 10), line("before", 1, 20), line("waymark", 1, 30)]
        self.assertNotIn("x before", report.table(lines[::2]))
        table = report.table(lines)
        self.assertIn("| per s | x HAProxy | x before |", table)
        self.assertIn("| waymark | 1 | 30 | 3.00 | 1.50 |", table)
        self.assertIn("| before | 1 | 20 | 2.00 |  |", table)

    def test_systems_that_did_not_run_have_no_column(self):
        table = report.table([line("waymark", 1, 30)])
        self.assertIn("| rounds | per s |\n", table)
        self.assertIn("| waymark | 1 | 30 |\n", table)

    def test_files_given_on_the_command_line_are_one_table(self):
        command = [sys.executable, "-B", os.path.join(BENCH, "report.py"), FIGURES, FIGURES]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("| 64x1000 | waymark | 6 | 2,000 (1,000–3,000) | 1.00 (1.00–1.00) |", done.stdout)


if __name__ == "__main__":
    unittest.main()
