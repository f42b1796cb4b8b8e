"""Compares the bridge with its alternatives. Standard library only. See README.md."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import machine
import report
from cases import ALL, OWN, SHARED, TLS, chosen, load, warm
from systems import BENCH_TIMEOUT_S, WAYMARK, Echo, Failure, HAProxy, Waymark, build, check, speaks_tls


SYSTEMS = {"haproxy", "waymark", "echo"}


class Run:
    """One invocation: its options and its output."""

    def __init__(self, options, folder, out):
        self.options, self.folder, self.out = options, folder, out
        self.lines, self.round = [], 0

    def bench(self, system, *flags, seconds=None, warmup=2):
        """Runs `waymark bench` against a system and returns its figures."""
        path = os.path.join(self.folder, "bench.json")
        command = [WAYMARK, "bench", f"127.0.0.1:{system.port}", "--quiet", "--json", path]
        command += ["--seconds", str(seconds or self.options.seconds), "--warmup", str(warmup)]
        command += ["--cpu-of", system.pids(), *system.client_flags, *map(str, flags)]
        done = subprocess.run(command, timeout=BENCH_TIMEOUT_S + self.options.seconds)
        with open(path) as file:
            text = file.read()
        if not text:
            raise Failure(f"waymark bench exited with {done.returncode} and no figures")
        return json.loads(text)

    def write(self, case, system, figures):
        """Writes one line; `figures` are numbers by name."""
        line = {"case": case, "system": system, "round": self.round, **figures}
        self.lines.append(line)
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()
        shown = ", ".join(f"{key} {report.number(value)}" for key, value in figures.items() if key in report.SHOWN)
        print(f"  {case:<18} {system:<16} {shown}", file=sys.stderr, flush=True)

    def bridges(self, folder, **options):
        """This checkout's bridge, and that of --before, unless it has no TLS where that is wanted."""
        port = self.options.port
        bridges = [Waymark("waymark", folder, port, **options)]
        if self.options.before and not (options.get("tls") and not speaks_tls(self.options.before)):
            bridges.append(Waymark("before", folder, port + 300, launcher=self.options.before, **options))
        return bridges[:: -1 if self.round % 2 else 1]

    def last(self, case, system, figure):
        """The newest figure of this round; None if there is none."""
        for line in reversed(self.lines):
            if (line["case"], line["system"], line["round"]) == (case, system, self.round):
                return line[figure]
        return None


def shared_round(run, cases, folder, tls):
    """Starts all systems; each case is run against one after another. With TLS, all but the echo, which has none."""
    port = run.options.port
    systems = run.bridges(folder, tls=tls) if "waymark" in run.options.systems else []
    if "haproxy" in run.options.systems:
        systems.append(HAProxy("haproxy", folder, port + 100, tls=tls))
    if "echo" in run.options.systems and not tls:
        systems.append(Echo("echo", folder, port + 200))
    try:
        for system in systems:
            system.start()
        for system in systems:
            warm(run, system)
        for case in cases:
            # Rotate, so that no system is always first, on a rested machine.
            systems = systems[1:] + systems[:1]
            SHARED.get(case, load)(run, case, systems)
    finally:
        for system in systems:
            system.stop()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, epilog="cases: " + " ".join(ALL))
    parser.add_argument("cases", nargs="*", metavar="CASE", help="by name or pattern, such as '64x*'; default: all")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--seconds", type=float, default=5, help="measured time of each case; default: 5")
    parser.add_argument("--warm", type=float, default=10, help="seconds of small and then of large requests to warm up a bridge; default: 10")
    parser.add_argument("--systems", default="haproxy,waymark,echo", help="default: haproxy,waymark,echo")
    parser.add_argument("--before", metavar="CHECKOUT", help="measure that checkout's ./waymark beside this one's")
    parser.add_argument("--port", type=int, default=20_000, help="first of 600 ports; default: 20000")
    parser.add_argument("--out", help="file to append the figures to, as lines of JSON; default: a new one in a temporary folder")
    options = parser.parse_args()
    options.systems = options.systems.split(",")
    unknown = set(options.systems) - SYSTEMS
    if unknown:
        parser.error(f"--systems: unknown {', '.join(unknown)}")
    if options.before:
        options.before = os.path.join(os.path.abspath(options.before), "waymark")
    return options


def main():
    options = parse()
    cases = chosen(options.cases)
    if "haproxy" in options.systems:
        check()
    about = machine.about(build())
    if options.before:
        build(options.before)
    folder = tempfile.mkdtemp(prefix="waymark-bench-")
    path = options.out or os.path.join(folder, "figures.jsonl")
    print(f"logs in {folder}, figures in {path}", file=sys.stderr)
    with open(path, "a") as out:
        out.write(json.dumps({"run": about}) + "\n")
        run = Run(options, folder, out)
        try:
            for run.round in range(1, options.rounds + 1):
                print(f"round {run.round} of {options.rounds}", file=sys.stderr)
                for tls in False, True:
                    shared = [case for case in cases if case not in OWN and case.startswith(TLS) == tls]
                    if shared:
                        shared_round(run, shared, folder, tls)
                for case in cases:
                    if case in OWN:
                        OWN[case](run, case, folder)
        except KeyboardInterrupt:
            print("stopped; figures so far:", file=sys.stderr)
        finally:
            print(report.table(run.lines))
    return 1 if any(line.get("errors") for line in run.lines) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"bench: {failure}")
