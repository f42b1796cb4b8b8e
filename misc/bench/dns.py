"""DNS answers per second of CPU: `waymark directory` beside dnsmasq, asked by dnsperf. Standard library only. See README.md."""

import argparse
import getpass
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import machine
import report
from systems import ROOT, STOP_TIMEOUT_S, WAYMARK, Failure, Process, build

ZONE = "waymark.internal"
SERVICES = 1_000
INSTANCES = 20
# dnsmasq looks through all SRV records that it has for each answer, so it gets those of few services.
SRV_SERVICES = 10
SINGLE, MANY, FEW = "single", "many", "few"
REGISTERED = [(SINGLE, SERVICES, 1), (MANY, SERVICES, INSTANCES), (FEW, SRV_SERVICES, INSTANCES)]
PACED_PER_SECOND = 5_000
# Case: what is asked for, how many names of that kind there are, the type, the code of the answers, and dnsperf's flags.
CASES = {
    "a": (SINGLE, SERVICES, "A", "NOERROR", []),
    "a20": (MANY, SERVICES, "A", "NOERROR", []),
    "srv20": (FEW, SRV_SERVICES, "SRV", "NOERROR", []),
    "none": ("none", SERVICES, "A", "NXDOMAIN", []),
    "a20paced": (MANY, SERVICES, "A", "NOERROR", ["-Q", str(PACED_PER_SECOND)]),
}
COLUMNS = [("perCpuSecond", "answers per CPU-s"), ("perSecond", "answers per s"), ("cpuPercent", "CPU %"), ("lost", "lost")]
BASE = "dnsmasq"
TTL_SECONDS = 2
DNSPERF_TIMEOUT_S = 120


def check():
    """Checks the requirements."""
    for program, package in ("dnsperf", "dnsperf"), ("dnsmasq", "dnsmasq-base"):
        if not find(program):
            raise Failure(f"{program} is missing: apt-get install {package}")


def find(program):
    return shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")


def addresses():
    """(service, [address, ...]) of all services, as RegisteredServices registers them."""
    number = 0
    for kind, services, instances in REGISTERED:
        for service in range(services):
            ips = [ip(number + i) for i in range(instances)]
            number += instances
            yield f"{kind}-{service}", ips


def ip(number):
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


class Directory:
    """A directory in which the services are registered."""

    name = "waymark"
    needs_warm_up = True

    def __init__(self, folder, port):
        self.folder, self.port = folder, port

    def start(self):
        registry = f"127.0.0.1:{self.port + 1}"
        command = [WAYMARK, "directory", "--listen", registry, "--admin", f"127.0.0.1:{self.port + 2}", "--dns", f"127.0.0.1:{self.port}"]
        self.process = Process(self.folder, self.name, command, None)
        self.process.await_open(self.port + 2)
        line = [os.path.join(ROOT, "misc", "bench", "jmh.sh"), "services", "127.0.0.1", str(self.port + 1)]
        line += [str(each) for entry in REGISTERED for each in entry]
        self.nodes = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if "registered" not in self.nodes.stdout.readline():
            raise Failure("the services could not be registered; the messages are above")

    def stop(self):
        self.nodes.stdin.close()
        self.nodes.wait(STOP_TIMEOUT_S)
        self.process.stop()


class Dnsmasq:
    """dnsmasq with the same names in a hosts file."""

    name = BASE
    needs_warm_up = False

    def __init__(self, folder, port):
        self.folder, self.port = folder, port

    def start(self):
        hosts = os.path.join(self.folder, "hosts")
        with open(hosts, "w") as file:
            file.writelines(self.hosts())
        flags = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file", "--log-facility=-"]
        flags += ["--bind-interfaces", "--listen-address=127.0.0.1", f"--port={self.port}", f"--user={getpass.getuser()}"]
        flags += [f"--addn-hosts={hosts}", f"--local=/{ZONE}/", f"--local-ttl={TTL_SECONDS}"]
        self.process = Process(self.folder, self.name, [find("dnsmasq"), *flags, *self.services()], None)
        # It serves TCP as well.
        self.process.await_open(self.port)

    @staticmethod
    def hosts():
        for service, ips in addresses():
            for each in ips:
                yield f"{each} {service}.{ZONE}\n"
                if service.startswith(FEW):
                    yield f"{each} {target(each, service)}\n"

    @staticmethod
    def services():
        return [f"--srv-host={service}.{ZONE},{target(each, service)},4770,0,1" for service, ips in addresses() if service.startswith(FEW) for each in ips]

    def stop(self):
        self.process.stop()


def target(address, service):
    return f"ip-{address.replace('.', '-')}.{service}.{ZONE}"


def cpu_seconds(pid):
    """CPU that all threads of a process have used, in user and kernel mode."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_queries(folder, case):
    kind, names, record, _, _ = CASES[case]
    path = os.path.join(folder, f"{case}.queries")
    with open(path, "w") as file:
        # In an order without locality, and the same for all.
        file.writelines(f"{kind}-{i * 7_919 % names}.{ZONE} {record}\n" for i in range(names))
    return path


def measure(system, case, queries, seconds):
    """Asks one system for some seconds; returns the figures."""
    _, _, _, code, flags = CASES[case]
    pid = system.process.pid
    before = cpu_seconds(pid)
    command = [find("dnsperf"), "-s", "127.0.0.1", "-p", str(system.port), "-d", queries, "-l", str(seconds), "-e", "-c", "20", *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DNSPERF_TIMEOUT_S + seconds)
    used = cpu_seconds(pid) - before
    if done.returncode != 0:
        raise Failure(f"dnsperf failed: {done.stdout.strip()}")
    return figures(done.stdout, code, used)


def figures(output, code, used):
    """The figures in what dnsperf prints; all answers must have this code."""
    completed = int(found(r"Queries completed:\s+(\d+)", output))
    codes = dict(re.findall(r"(\w+) (\d+) \(", found(r"Response codes:\s+(.*)", output)))
    if codes != {code: str(completed)} or completed == 0 or used <= 0:
        raise Failure(f"expected only {code}: {codes}")
    run_seconds = float(found(r"Run time \(s\):\s+([\d.]+)", output))
    return {
        "perCpuSecond": completed / used,
        "perSecond": completed / run_seconds,
        "cpuPercent": 100 * used / run_seconds,
        "lost": int(found(r"Queries lost:\s+(\d+)", output)),
    }


def found(pattern, text):
    match = re.search(pattern, text)
    if not match:
        raise Failure(f"cannot read the output of dnsperf: {text.strip()[:200]}")
    return match.group(1)


def table(lines):
    """Markdown: medians of the rounds (smallest–largest), and the ratios within each round."""
    groups = {}
    for line in sorted(lines, key=lambda line: (list(CASES).index(line["case"]), line["system"])):
        groups.setdefault((line["case"], line["system"]), []).append(line)
    rows = [["case", "system", "rounds", COLUMNS[0][1], "x dnsmasq", *(heading for _, heading in COLUMNS[1:])]]
    for (case, system), rounds in groups.items():
        cells = [report.cell(name, [line[name] for line in rounds]) for name, _ in COLUMNS]
        ratio = report.ratio(COLUMNS[0][0], rounds, groups.get((case, BASE), []))
        rows.append([case, system, str(len(rounds)), cells[0], ratio, *cells[1:]])
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def run(options, folder, out):
    systems = [Directory(folder, options.port), Dnsmasq(folder, options.port + 10)]
    queries = {case: write_queries(folder, case) for case in options.cases}
    lines, started = [], []
    try:
        for system in systems:
            started.append(system)
            system.start()
            for case in options.cases if system.needs_warm_up else []:
                measure(system, case, queries[case], options.warm)
        for number in range(1, options.rounds + 1):
            print(f"round {number} of {options.rounds}", file=sys.stderr)
            for case in options.cases:
                systems.reverse()
                for system in systems:
                    line = {"case": case, "system": system.name, "round": number}
                    line.update(measure(system, case, queries[case], options.seconds))
                    lines.append(line)
                    out.write(json.dumps(line) + "\n")
                    out.flush()
    finally:
        for system in reversed(started):
            system.stop()
    return lines


def parse():
    parser = argparse.ArgumentParser(description=__doc__, epilog="cases: " + " ".join(CASES))
    parser.add_argument("cases", nargs="*", metavar="CASE", help="default: all")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--seconds", type=int, default=5, help="measured time of each case; default: 5")
    parser.add_argument("--warm", type=int, default=10, help="seconds of each case before the first round, for the directory; default: 10")
    parser.add_argument("--port", type=int, default=20_700, help="first of 11 ports; default: 20700")
    parser.add_argument("--out", help="file to append the figures to, as lines of JSON; default: a new one in a temporary folder")
    options = parser.parse_args()
    options.cases = options.cases or list(CASES)
    for case in options.cases:
        if case not in CASES:
            parser.error(f"unknown case {case}; known: {' '.join(CASES)}")
    return options


def main():
    options = parse()
    check()
    about = machine.about(build())
    about["machine"]["dnsmasq"] = machine.found(r"version (\S+)", machine.output([find("dnsmasq"), "-v"]))
    folder = tempfile.mkdtemp(prefix="waymark-dns-")
    path = options.out or os.path.join(folder, "figures.jsonl")
    print(f"logs in {folder}, figures in {path}", file=sys.stderr)
    with open(path, "a") as out:
        out.write(json.dumps({"run": about}) + "\n")
        print(table(run(options, folder, out)))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"dns: {failure}")
