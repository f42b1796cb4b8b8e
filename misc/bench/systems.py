"""The measured systems: each has one or more processes on loopback ports, and one port that echoes."""

import collections
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WAYMARK = os.path.join(ROOT, "waymark")
OPEN_TIMEOUT_S = 60
BENCH_TIMEOUT_S = 300
STOP_TIMEOUT_S = 20


class Failure(Exception):
    """An error for the user; one line."""


def check():
    """Checks the requirements."""
    if not find_haproxy():
        raise Failure("haproxy is missing: apt-get install haproxy (or run without it: --systems waymark,echo)")


def find_haproxy():
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/local/sbin:/usr/sbin:/sbin")


def build(launcher=WAYMARK):
    """Builds ./waymark and returns the versions that Java and waymark print."""
    environment = with_java_options("--show-version")
    try:
        done = subprocess.run([launcher, "--version"], stdout=subprocess.PIPE, text=True, env=environment)
    except OSError as error:
        raise Failure(f"{launcher}: {error.strerror}; --before takes the folder of a checkout") from error
    if done.returncode != 0:
        raise Failure(f"{launcher} does not run; its messages are above")
    return done.stdout


def with_java_options(options):
    """The environment with these options appended to those that ./waymark already has."""
    return {**os.environ, "WAYMARK_JAVA_OPTS": f"{os.environ.get('WAYMARK_JAVA_OPTS', '')} {options}"}


class Process:
    """A process whose output goes to a file."""

    def __init__(self, folder, name, command, environment):
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        self.started = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
        self.pid = self.process.pid

    def await_open(self, port):
        """Returns the seconds from the start until the port accepted a connection."""
        deadline = self.started + OPEN_TIMEOUT_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return time.monotonic() - self.started
            if self.process.poll() is not None:
                break
            time.sleep(0.001)
        raise Failure(f"{self.name} does not listen on {port}; its output: {self.log}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def rss_bytes(self):
        with open(f"/proc/{self.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) * 1024

    def collect_garbage(self):
        java = os.readlink(f"/proc/{self.pid}/exe")
        jcmd = os.path.join(os.path.dirname(java), "jcmd")
        if os.path.exists(jcmd):
            subprocess.run([jcmd, str(self.pid), "GC.run"], stdout=subprocess.DEVNULL, check=False)


class System:
    """Some processes and the port for clients. `needs_warm_up`: it gets faster as it runs. `client_flags`: how bench talks to it."""

    needs_warm_up = False
    client_flags = ()

    def __init__(self, name, folder, first_port):
        self.name, self.folder, self.port, self.processes = name, folder, first_port, []

    def start(self):
        raise NotImplementedError

    def pids(self):
        return ",".join(str(process.pid) for process in self.processes)

    def run(self, name, port, command, environment=None):
        process = Process(self.folder, name, command, environment)
        self.processes.append(process)
        process.started_s = process.await_open(port)
        return process

    def stop(self):
        for process in reversed(self.processes):
            process.stop()
        self.processes = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()


class Echo(System):
    """The plain echo, without a proxy."""

    def start(self):
        self.run(self.name, self.port, echo_command(self.port))


class HAProxy(System):
    """HAProxy with one thread in front of a plain echo."""

    def __init__(self, name, folder, first_port, tls=False):
        super().__init__(name, folder, first_port)
        self.bind = ""
        if tls:
            self.bind = f" ssl crt {certificate(folder).both}"
            self.client_flags = ["--tls"]

    def start(self):
        config = os.path.join(self.folder, f"haproxy-{self.port}.cfg")
        with open(config, "w") as file:
            file.write(self.config())
        self.run("haproxy-echo", self.port + 1, echo_command(self.port + 1))
        self.run("haproxy", self.port, [find_haproxy(), "-f", config, "-db"])

    def config(self):
        return HAPROXY.format(port=self.port, echo=self.port + 1, bind=self.bind)


class Waymark(System):
    """A bridge in front of a Java stub, which may serve many ports."""

    needs_warm_up = True

    def __init__(self, name, folder, first_port, bridge_args=(), stub_args=(), upstreams=1, java_options="", launcher=WAYMARK, tls=False):
        super().__init__(name, folder, first_port)
        self.launcher = launcher
        self.admin = first_port + 1
        self.upstreams = [f"127.0.0.1:{first_port + 10 + i}" for i in range(upstreams)]
        self.bridge_args, self.stub_args = list(bridge_args), list(stub_args)
        self.environment = with_java_options(java_options)
        if tls:
            files = certificate(folder)
            self.bridge_args += ["--tls-certificate", files.certificate, "--tls-key", files.key]
            self.client_flags = ["--tls"]

    def start(self):
        listen = ",".join(self.upstreams)
        stub = [self.launcher, "stub", "--listen", listen, "--admin", f"127.0.0.1:{self.port + 2}"]
        self.run(self.name + "-stub", self.port + 10, stub + self.stub_args, self.environment)
        bridge = [self.launcher, "bridge", "--listen", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin}"]
        bridge += ["--upstream", "static:///" + listen] + self.bridge_args
        self.bridge = self.run(self.name + "-bridge", self.port, bridge, self.environment)
        self.await_ready()

    def await_ready(self):
        deadline = time.monotonic() + OPEN_TIMEOUT_S
        while self.metric("waymark_pool_upstreams_serving", default=len(self.upstreams)) < len(self.upstreams):
            if time.monotonic() > deadline:
                raise Failure(f"the upstreams are not SERVING; see {self.bridge.log}")
            time.sleep(0.1)

    def metric(self, name, labels="", default=None):
        """The sum of a metric over all labels that contain the given text."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        found = [line for line in lines if re.match(re.escape(name) + r"[ {]", line) and labels in line]
        if not found and default is not None:
            return default
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)


Certificate = collections.namedtuple("Certificate", "certificate key both")


def certificate(folder):
    """The files of a self-signed ECDSA certificate, the same for all systems of a run; `both` has the key too."""
    files = Certificate(*(os.path.join(folder, name) for name in ("tls.crt", "tls.key", "tls.pem")))
    if os.path.exists(files.both):
        return files
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    command += ["-subj", "/CN=localhost", "-out", files.certificate, "-keyout", files.key]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise Failure("openssl is missing, which makes the certificate for TLS: apt-get install openssl") from error
    if done.returncode != 0:
        raise Failure(f"openssl made no certificate: {done.stdout.strip()}")
    os.chmod(files.key, 0o600)
    with open(files.both, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as both:
        for path in files.certificate, files.key:
            with open(path) as part:
                both.write(part.read())
    return files


def speaks_tls(launcher):
    """Whether this checkout's bridge, perhaps an old one, has TLS on listeners."""
    done = subprocess.run([launcher, "bridge", "--help"], stdout=subprocess.PIPE, text=True, check=True)
    return "--tls-certificate" in done.stdout


def echo_command(port):
    return [WAYMARK, "bench", "--serve-echo", f"127.0.0.1:{port}"]


HAPROXY = """global
  nbthread 1
  maxconn 9980
  ulimit-n 20000
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen bench
  bind 127.0.0.1:{port} backlog 4096{bind}
  server echo 127.0.0.1:{echo}
"""
