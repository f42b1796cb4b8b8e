"""Reading a JVM's pauses from its safepoint log, and what is kept of a case with TLS."""

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


class TlsTest(unittest.TestCase):
    def test_the_share_of_resumed_handshakes_is_kept(self):
        kept = cases.tls_figures({"negotiated": "TLSv1.3 TLS_AES_128_GCM_SHA256", "handshakes": 400, "resumed": 350})
        self.assertEqual(kept, {"resumedPercent": 87.5})

    def test_another_cipher_fails(self):
        for negotiated in "TLSv1.3 TLS_AES_256_GCM_SHA384", "":
            with self.assertRaisesRegex(Failure, "instead of TLSv1.3 TLS_AES_128_GCM_SHA256"):
                cases.tls_figures({"negotiated": negotiated, "handshakes": 0, "resumed": 0})

    def test_any_load_can_be_had_with_tls(self):
        self.assertEqual(cases.chosen(["tls-1KiBx50w8"]), ["tls-1KiBx50w8"])
        self.assertEqual(cases.load_flags("tls-1KiBx50w8"), cases.load_flags("1KiBx50w8"))

    def test_all_cases_with_tls_have_one_pattern(self):
        self.assertEqual(cases.chosen(["tls-*"]), ["tls-64x1000", "tls-16KiBx100", "tls-handshakes", "tls-resumed", "tls-idle"])


if __name__ == "__main__":
    unittest.main()
