"""Which figures are recorded, and which are refused. They are made up (figures.jsonl)."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.dirname(HERE)
FIGURES = os.path.join(HERE, "figures.jsonl")
sys.path.insert(0, BENCH)

import chart
import history
import machine
import report


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class HistoryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.history, self.chart = self.path("history/releases.jsonl"), self.path("images/chart.svg")
        self.figures = [json.loads(line) for line in read(FIGURES).splitlines()]

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_history(self, *args):
        command = [os.path.join(BENCH, "history.sh"), "--history", self.history, "--chart", self.chart, *args]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)

    def add(self, *args):
        done = self.run_history(*args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return self.releases()

    def releases(self):
        return [json.loads(line) for line in read(self.history).splitlines()]

    def assert_refused(self, words, *args):
        """Expects one line, exit code 2, and no change."""
        before = read(self.history) if os.path.exists(self.history) else None
        done = self.run_history(*args)
        self.assertEqual(done.returncode, 2, done)
        self.assertRegex(done.stderr, f"^history: [^\n]*{words}[^\n]*\n$")
        self.assertEqual(read(self.history) if os.path.exists(self.history) else None, before)

    def written(self, lines, name="changed.jsonl"):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        return path

    def test_release_says_what_was_measured_and_has_spreads(self):
        [release] = self.add(FIGURES)
        self.assertEqual(release["version"], "9.9.9")
        self.assertEqual((release["date"], release["commit"], release["machine"]["cores"]), ("2001-02-03", "0123456789ab", 2))
        waymark = release["cases"]["64x1000"]["waymark"]
        self.assertEqual(waymark["rounds"], 3)
        self.assertEqual(waymark["perCpuSecond"], {"median": 6000, "min": 2900, "max": 9300})
        self.assertEqual(waymark["ratios"]["perCpuSecond"], {"median": 3, "min": 2.9, "max": 3.1})
        self.assertEqual(waymark["rssMiB"][1], {"median": 40, "min": 20, "max": 60})
        self.assertNotIn("ratios", release["cases"]["64x1000"]["haproxy"])
        self.assertEqual(release["cases"]["start"]["waymark"]["startMs"]["median"], 200)

    def test_second_release_is_added_after_the_first(self):
        first = self.add(FIGURES)
        both = self.add(FIGURES, "--version", "9.10.0")
        self.assertEqual([each["version"] for each in both], ["9.9.9", "9.10.0"])
        self.assertEqual(both[:1], first)

    def test_existing_version_is_refused_or_replaced_in_place(self):
        self.add(FIGURES)
        self.add(FIGURES, "--version", "9.10.0")
        self.assert_refused("9.9.9 is already there; --replace", FIGURES)
        changed = self.written([{**line, "perCpuSecond": 1.0} for line in self.figures if "case" in line] + self.figures[:1])
        releases = self.add(changed, "--replace")
        self.assertEqual([each["version"] for each in releases], ["9.9.9", "9.10.0"])
        self.assertEqual(releases[0]["cases"]["64x1"]["waymark"]["perCpuSecond"]["median"], 1)

    def test_missing_case_is_named(self):
        lines = [line for line in self.figures if (line.get("case"), line.get("system")) != ("64x1", "haproxy")]
        self.assert_refused("needs 64x1 of haproxy", self.written(lines))

    def test_case_may_come_from_another_file_of_the_same_commit(self):
        rest = self.written([line for line in self.figures if line.get("case") != "64x1"])
        missing = self.path("missing.jsonl")
        with open(missing, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in self.figures if line.get("case", "64x1") == "64x1")
        [release] = self.add(rest, missing)
        self.assertEqual(release["cases"]["64x1"]["waymark"]["ratios"]["perCpuSecond"]["median"], 0.5)

    def test_rounds_of_two_runs_in_one_file_are_kept_apart(self):
        [release] = self.add(self.written(self.figures + self.figures))
        self.assertEqual(release["cases"]["64x1"]["waymark"]["rounds"], 6)
        self.assertEqual(release["cases"]["64x1"]["waymark"]["ratios"]["perCpuSecond"], {"median": 0.5, "min": 0.4, "max": 0.6})

    def test_runs_of_different_commits_are_refused(self):
        other = {"run": {**self.figures[0]["run"], "commit": "ba9876543210"}}
        self.assert_refused("different commits", self.written([*self.figures, other]))

    def test_errors_are_refused(self):
        self.figures[-2]["errors"] = 3
        self.assert_refused("openhalf of echo has errors", self.written(self.figures))

    def test_figures_that_do_not_say_what_was_measured_are_refused(self):
        self.assert_refused("does not say what was measured; use --here", self.written(self.figures[1:]))

    def test_other_files_are_refused(self):
        self.assert_refused("no-such-file: No such file", self.path("no-such-file"))
        self.assert_refused("test.sh:1: not a JSON object", os.path.join(BENCH, "test.sh"))
        self.assert_refused("changed.jsonl:1: neither figures", self.written([{"requestsPerSecond": 1}]))
        self.assert_refused("changed.jsonl: no figures", self.written(self.figures[:1]))

    def test_invalid_version_is_refused(self):
        self.assert_refused("soon is not a version", FIGURES, "--version", "soon")

    def test_without_figures_the_chart_is_drawn_again(self):
        self.assert_refused("no release yet")
        self.add(FIGURES)
        picture = read(self.chart)
        os.remove(self.chart)
        self.add()
        self.assertEqual(read(self.chart), picture)

    def test_chart_in_the_documents_is_up_to_date(self):
        releases = history.read_history(history.HISTORY)
        self.assertTrue(releases)
        self.assertEqual(read(history.CHART), chart.draw(releases), "misc/bench/history.sh redraws it")

    def test_measured_in_a_changed_tree_is_refused(self):
        changed = {"run": {**self.figures[0]["run"], "commit": "0123456789ab-dirty"}}
        self.assert_refused("commit first", self.written([changed, *self.figures[1:]]))

    def test_systems_never_side_by_side_are_refused(self):
        head, lines = self.figures[0], self.figures[1:]
        files = [self.written([head, *[each for each in lines if (each["system"] == "haproxy") == base]], name) for base, name in ((True, "a"), (False, "b"))]
        self.assert_refused("no ratios", *files)


class RunTest(unittest.TestCase):
    def test_versions_are_found_in_what_java_and_waymark_print(self):
        java = "openjdk 25 2025-09-16\nOpenJDK Runtime Environment X (build 25+36-LTS)\nY (build 25+36-LTS, mixed)\n"
        about = machine.about(java + "waymark 1.2 (Java 25)\n")
        self.assertEqual((about["version"], about["machine"]["java"]), ("1.2", "25+36-LTS"))
        self.assertGreater(about["machine"]["cores"], 0)

    def test_table_is_printed_from_figures_that_say_what_was_measured(self):
        command = [sys.executable, "-B", os.path.join(BENCH, "report.py"), FIGURES]
        table = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn("| 64x1000 | waymark | 3 | 2,000 (1,000–3,000) | 1.00 (1.00–1.00) | 6,000 (2,900–9,300) | 3.00 (2.90–3.10) |", table)

    def test_every_needed_case_is_drawn(self):
        drawn = {case for group in chart.BARS for case, _ in group}
        self.assertLessEqual({case for case, _ in history.NEEDED}, drawn)
        self.assertEqual(report.BASE, chart.SYSTEMS[0][0])


if __name__ == "__main__":
    unittest.main()
