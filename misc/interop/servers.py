"""The upstreams and proxies: what each needs, how it is built, started and told to leave."""

import os
import shutil
import signal
import subprocess
import sys
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
MISC = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(MISC, "bench"))

from systems import Failure, Process  # noqa: E402

NOT_AVAILABLE = 69
DRAIN_TIMEOUT_S = 20


class Missing(Failure):
    """Something that this machine lacks."""


def find(program, package):
    path = shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")
    if not path:
        raise Missing(f"no {program}: apt-get install {package}")
    return path


def run(*command, **options):
    """Runs a command; returns its standard output."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode == NOT_AVAILABLE:
        raise Missing(last_line(done.stderr))
    if done.returncode != 0:
        raise Failure(f"{os.path.basename(command[0])}: {last_line(done.stderr)}")
    return done.stdout


def last_line(text):
    return (text.strip() or "no output").splitlines()[-1]


class Upstream:
    """A process on one port. Programs other than the stub take SIGTERM as "drain", SIGUSR1 and SIGUSR2 as health."""

    def __init__(self, folder, name, port, command, environment=None):
        self.folder, self.name, self.port, self.command, self.environment = folder, name, port, command, environment

    def start(self):
        self.process = Process(self.folder, self.name, self.command, self.environment)
        self.process.await_open(self.port)

    def kill(self):
        self.process.process.kill()
        self.process.process.wait()

    def drain(self):
        """Returns when it has handed over its connections and is gone."""
        self.process.process.terminate()
        try:
            code = self.process.process.wait(DRAIN_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"does not drain; see {self.process.log}") from None
        if code != 0:
            raise Failure(f"drained with exit code {code}; see {self.process.log}")

    def set_serving(self, serving):
        self.process.process.send_signal(signal.SIGUSR2 if serving else signal.SIGUSR1)

    def version(self):
        """What it said of its version, if anything."""
        with open(self.process.log) as log:
            lines = [line for line in log if "upstream on" in line]
        return lines[0].split(", ", 1)[-1].strip() if lines else ""

    def complaint(self):
        with open(self.process.log) as log:
            return next((line.strip() for line in log if "BROKEN" in line or "Traceback" in line), None)

    def stop(self):
        if hasattr(self, "process"):
            self.kill()


class Stub(Upstream):
    """Java: the stub, on grpc-java."""

    def __init__(self, waymark, folder, name, port):
        self.admin = port + 10
        command = [waymark, "stub", "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{self.admin}"]
        super().__init__(folder, name, port, command)

    def set_serving(self, serving):
        url = f"http://127.0.0.1:{self.admin}/health?status={'SERVING' if serving else 'NOT_SERVING'}"
        urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10).close()


class Programs:
    """Builds each program once."""

    def __init__(self, waymark, folder):
        self.waymark, self.folder = waymark, folder

    def java(self, folder, name, port):
        return Stub(self.waymark, folder, name, port)

    def go(self, folder, name, port, *age):
        find("go", "golang-go")
        find("protoc", "protobuf-compiler")
        find("protoc-gen-go", "golang-goprotobuf-dev golang-google-grpc-dev")
        find("protoc-gen-go-grpc", "protoc-gen-go-grpc")
        return Upstream(folder, name, port, [self.built("go"), f"127.0.0.1:{port}", *age])

    def go_age(self, folder, name, port):
        return self.go(folder, name, port, "1500ms")

    def cpp(self, folder, name, port):
        find("g++", "g++")
        find("pkg-config", "pkg-config")
        find("protoc", "protobuf-compiler")
        find("grpc_cpp_plugin", "protobuf-compiler-grpc")
        if subprocess.run(["pkg-config", "--exists", "grpc++"]).returncode != 0:
            raise Missing("no gRPC C++: apt-get install libgrpc++-dev")
        return Upstream(folder, name, port, [self.built("cpp"), f"127.0.0.1:{port}"])

    def built(self, language):
        program = os.path.join(self.folder, language + "-upstream")
        if not os.path.exists(program):
            run(os.path.join(HERE, language, "build.sh"), program)
        return program

    def python(self, kind, folder, name, port):
        example = os.path.join(MISC, "examples", "python")
        generated = os.environ.get("GENERATED", os.path.join(example, "generated"))
        run(os.path.join(example, "run.sh"), "--check")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((generated, example))}
        for python in (os.environ.get("PYTHON"), "python3", "/usr/bin/python3"):
            check = [python, "-c", "from waymark.v1 import attach_pb2_grpc"]
            if python and subprocess.run(check, env=environment, capture_output=True).returncode == 0:
                command = [python, "-B", os.path.join(HERE, "python", "server.py"), kind, f"127.0.0.1:{port}"]
                return Upstream(folder, name, port, command, environment)
        raise Missing("no python3 with grpc: apt-get install python3-grpcio")

    def python_asyncio(self, folder, name, port):
        return self.python("asyncio", folder, name, port)

    def python_sync(self, folder, name, port):
        return self.python("sync", folder, name, port)

    def node(self, folder, name, port):
        run(os.path.join(MISC, "examples", "node", "run.sh"), "--check")
        return Upstream(folder, name, port, ["node", os.path.join(HERE, "node", "upstream.js"), f"127.0.0.1:{port}"])


class Proxy:
    """One port for each upstream, or with `balanced` one for all of them."""

    def __init__(self, folder, ports, backends, balanced, idle_s):
        self.folder, self.ports = folder, ports
        with open(os.path.join(HERE, self.template)) as template:
            text = template.read()
        behind = [backends] if balanced else [[each] for each in backends]
        servers = "\n".join(self.servers(f"p{port}", port, to) for port, to in zip(ports, behind))
        self.config = os.path.join(folder, self.template)
        with open(self.config, "w") as config:
            config.write(text.format(folder=folder, idle_s=idle_s, servers=servers))

    def start(self):
        self.process = Process(self.folder, self.name, self.command(), None)
        for port in self.ports:
            self.process.await_open(port)

    def stop(self):
        if hasattr(self, "process"):
            self.process.stop()


# A health Watch says nothing for as long as nothing changes.
NGINX_SERVER = """  upstream {name} {{
{to}  }}
  server {{
    listen 127.0.0.1:{port} http2;
    location /waymark.v1.Upstream/ {{
      grpc_pass grpc://{name};
    }}
    location /grpc.health.v1.Health/ {{
      grpc_read_timeout 365d;
      grpc_pass grpc://{name};
    }}
  }}
"""
HAPROXY_SERVER = """listen {name}
  bind 127.0.0.1:{port} proto h2
  http-request set-timeout server 86400s if {{ path_beg /grpc.health.v1.Health/ }}
{to}"""


class Nginx(Proxy):
    name, template = "nginx", "nginx.conf"

    @staticmethod
    def version():
        return subprocess.run([find("nginx", "nginx"), "-v"], capture_output=True, text=True).stderr.strip().removeprefix("nginx version: ")

    def servers(self, name, port, backends):
        to = "".join(f"    server 127.0.0.1:{backend};\n" for backend in backends)
        return NGINX_SERVER.format(name=name, port=port, to=to)

    def command(self):
        return [find("nginx", "nginx"), "-p", self.folder, "-c", self.config]

    def reload(self):
        self.process.process.send_signal(signal.SIGHUP)


class HAProxy(Proxy):
    name, template = "haproxy", "haproxy.cfg"

    @staticmethod
    def version():
        return " ".join(run(find("haproxy", "haproxy"), "-v").splitlines()[0].split()[:3])

    def servers(self, name, port, backends):
        to = "".join(f"  server u{backend} 127.0.0.1:{backend} proto h2 check inter 200ms rise 1\n" for backend in backends)
        return HAPROXY_SERVER.format(name=name, port=port, to=to)

    def command(self):
        return [find("haproxy", "haproxy"), "-W", "-f", self.config]

    def reload(self):
        self.process.process.send_signal(signal.SIGUSR2)


PROXIES = {"nginx": Nginx, "haproxy": HAProxy}
LANGUAGES = ["java", "go", "go-age", "cpp", "python-asyncio", "python-sync", "node"]
