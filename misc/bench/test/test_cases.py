"""Reading a JVM's pauses from its safepoint log."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import cases
from systems import Failure

# The format of JDK 25.0.3.
LINE = (
    '[{}ms][info][safepoint] Safepoint "G1CollectForAllocation", Time since last: 4947853951 ns, Reaching safepoint: 95893 ns, '
    "At safepoint: 1791412 ns, Leaving safepoint: 1882185 ns, Total: {} ns, Threads: 1 runnable, 17 total\n"
)
MEASURED = {"endUnixMs": 20_000, "seconds": 5.0}


class PausesTest(unittest.TestCase):
    def pauses(self, log):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "pauses-7.log"), "w") as file:
                file.write(log)
            return cases.pauses_ms(folder, 7, MEASURED)

    def test_pauses_that_ended_in_the_measured_time_count(self):
        log = "".join(LINE.format(at_ms, at_ms * 1_000) for at_ms in (14_999, 15_000, 17_500, 20_000, 20_001))
        self.assertEqual(self.pauses(log), [15.0, 17.5, 20.0])

    def test_a_log_of_another_format_fails(self):
        with self.assertRaisesRegex(Failure, "pauses-7.log"):
            self.pauses("[1.0s] Total: 5 ns\n")


if __name__ == "__main__":
    unittest.main()
