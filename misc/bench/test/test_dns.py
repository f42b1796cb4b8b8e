"""The comparison of DNS servers: what dnsperf prints, dnsmasq's files, the table."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import dns
from systems import Failure

OUTPUT = """
Statistics:

  Queries sent:         1000
  Queries completed:    998 (99.80%)
  Queries lost:         2 (0.20%)

  Response codes:       NOERROR 998 (100.00%)
  Average packet size:  request 45, response 365
  Run time (s):         2.000000
  Queries per second:   499.000000
"""


class FiguresTest(unittest.TestCase):
    def test_answers_are_divided_by_cpu_and_by_time(self):
        figures = dns.figures(OUTPUT, "NOERROR", 0.1)
        self.assertEqual(figures, {"perCpuSecond": 9_980, "perSecond": 499, "cpuPercent": 5, "lost": 2})

    def test_another_code_is_a_failure(self):
        with self.assertRaisesRegex(Failure, "expected only NXDOMAIN"):
            dns.figures(OUTPUT, "NXDOMAIN", 0.1)
        with self.assertRaisesRegex(Failure, "expected only NOERROR"):
            dns.figures(OUTPUT.replace("998 (100.00%)", "990 (99.20%), SERVFAIL 8 (0.80%)"), "NOERROR", 0.1)

    def test_output_that_cannot_be_read_is_a_failure(self):
        with self.assertRaisesRegex(Failure, "cannot read"):
            dns.figures("Error: nobody answers", "NOERROR", 0.1)


class DnsmasqTest(unittest.TestCase):
    def test_hosts_have_the_addresses_that_are_registered(self):
        hosts = list(dns.Dnsmasq.hosts())
        self.assertEqual(hosts[0], "10.0.0.0 single-0.waymark.internal\n")
        self.assertIn("10.0.4.7 many-1.waymark.internal\n", hosts)
        self.assertEqual(len(hosts), 21_200 + 200)

    def test_services_have_targets_with_addresses(self):
        services = dns.Dnsmasq.services()
        self.assertEqual(len(services), 200)
        name = services[0].split(",")[1]
        self.assertTrue(any(line.endswith(f" {name}\n") for line in dns.Dnsmasq.hosts()))


class TableTest(unittest.TestCase):
    def test_ratios_are_taken_within_a_round(self):
        def line(system, number, value):
            return {"case": "a", "system": system, "round": number, "perCpuSecond": value, "perSecond": 1, "cpuPercent": 1, "lost": 0}

        lines = [line("dnsmasq", 1, 100), line("waymark", 1, 150), line("waymark", 2, 300), line("dnsmasq", 2, 150)]
        rows = dns.table(lines).splitlines()
        self.assertIn("| a | waymark | 2 | 225 (150–300) | 1.75 (1.50–2.00) |", rows[3])


if __name__ == "__main__":
    unittest.main()
