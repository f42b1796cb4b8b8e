"""What is made before the systems start: the certificate, and HAProxy's configuration."""

import os
import shutil
import stat
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import systems


def read(path):
    with open(path) as file:
        return file.read()


class ConfigurationTest(unittest.TestCase):
    def bind(self, **options):
        """The bind line of HAProxy's configuration."""
        with tempfile.TemporaryDirectory() as folder:
            haproxy = systems.HAProxy("haproxy", folder, 20_000, **options)
            return next(line.strip() for line in haproxy.config().splitlines() if "bind " in line), haproxy.client_flags

    def test_without_tls_haproxy_and_bench_know_nothing_of_it(self):
        self.assertEqual(self.bind(), ("bind 127.0.0.1:20000 backlog 4096", ()))

    @unittest.skipUnless(shutil.which("openssl"), "openssl is missing")
    def test_with_tls_haproxy_has_the_certificate_and_bench_the_flag(self):
        bind, flags = self.bind(tls=True)
        self.assertRegex(bind, r"^bind 127.0.0.1:20000 backlog 4096 ssl crt /.*/tls\.pem$")
        self.assertEqual(flags, ["--tls"])


@unittest.skipUnless(shutil.which("openssl"), "openssl is missing")
class CertificateTest(unittest.TestCase):
    def test_certificate_and_key_are_also_in_one_file_and_only_their_owner_reads_the_key(self):
        with tempfile.TemporaryDirectory() as folder:
            files = systems.certificate(folder)
            both = read(files.certificate) + read(files.key)
            self.assertEqual(read(files.both), both)
            for path in files.key, files.both:
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_all_systems_of_a_run_have_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            first = read(systems.certificate(folder).certificate)
            self.assertEqual(read(systems.certificate(folder).certificate), first)


if __name__ == "__main__":
    unittest.main()
