"""Runs checked traffic through a bridge to upstreams of several kinds, while they fail. Standard library only. See README.md."""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from servers import LANGUAGES, NOT_AVAILABLE, PROXIES, Failure, Missing, Process, Programs

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROWS = LANGUAGES + [f"{proxy}{balanced}+java" for proxy in PROXIES for balanced in ("", "-balanced")]
SCENARIOS = ["small", "bulk", "kill", "back", "drain", "health", "reload", "idle"]  # The last two need a proxy.
PORTS = 30  # of a row
AWAIT_S = 15
TRAFFIC_MAX_S = 60
MIXED = "1,64,5000,64KiB"
REPLIES_BYTES = 10_000
STARTED = "--- started"
ENDS_WELL = {"done", "client_reset"}


class Traffic:
    """`waymark bench` in the background: checks every byte. Ends after `seconds`, or with `endless` when the block does."""

    def __init__(self, row, seconds, *flags, endless=False, serving=None):
        self.row, self.seconds, self.endless = row, seconds, endless
        # How many upstreams are to have connections before the block begins. With lanes that end all the time it is never both.
        self.serving = serving or (1 if row.is_aging else len(row.addresses))
        self.log = os.path.join(row.folder, "bench.log")
        command = [row.waymark, "bench", f"127.0.0.1:{row.port}", "--seconds", str(TRAFFIC_MAX_S if endless else seconds), "--progress", *flags]
        # Started in a shell's background, this script ignores SIGINT, and so would the JVM.
        heed = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
        with open(self.log, "a") as log:
            print(STARTED, file=log, flush=True)
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **heed)

    def __enter__(self):
        try:
            self.row.wait("connections", lambda: sum(self.row.owned(i) > 0 for i in range(len(self.row.addresses))) >= self.serving)
            if self.endless:
                self.await_replies(self.serving)
        except BaseException:
            self.process.kill()
            raise
        self.started = time.monotonic()
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.process.kill()
        elif self.endless:
            try:
                self.await_replies(1)  # after whatever the block did
                time.sleep(max(0, self.started + self.seconds - time.monotonic()))
                self.process.send_signal(signal.SIGINT)
            except BaseException:
                self.process.kill()
                raise
        code = self.process.wait(120)
        if kind is None:
            self.check(code)

    def await_replies(self, count):
        """Waits for replies from so many upstreams."""
        addresses = range(len(self.row.addresses))
        before = [self.row.received(i) for i in addresses]
        self.row.wait("replies", lambda: sum(self.row.received(i) > before[i] + REPLIES_BYTES for i in addresses) >= count)

    def check(self, code):
        with open(self.log) as log:
            lines = [line.strip() for line in log.read().rsplit(STARTED, 1)[-1].splitlines()]
        if code != 0:
            said = [line for line in lines if re.search(r"wrong|lost|refused|error|offset", line)] or lines[-1:]
            raise Failure(f"bench exited with {code}: {'; '.join(said[-2:])}")
        if any(re.match(r"requests +0 in", line) for line in lines):
            raise Failure("no request was answered")


class Row:
    """Two upstreams, perhaps a proxy, and a bridge."""

    def __init__(self, name, programs, folder, first_port, seconds):
        self.name, self.folder, self.seconds, self.waymark = name, folder, seconds, programs.waymark
        self.port, self.admin = first_port, first_port + 1
        front, _, language = name.rpartition("+")
        self.is_balanced = front.endswith("-balanced")
        self.is_aging = language == "go-age"
        kind = getattr(programs, language.replace("-", "_"))
        backends = [first_port + 5, first_port + 6]
        self.upstreams = [kind(folder, f"upstream-{port}", port) for port in backends]
        self.addresses = backends
        self.proxy = None
        if front:
            self.addresses = [first_port + 2] if self.is_balanced else [first_port + 2, first_port + 3]
            self.idle_s = 5
            self.proxy = PROXIES[front.removesuffix("-balanced")](folder, self.addresses, backends, self.is_balanced, self.idle_s)
        self.processes = []

    def __enter__(self):
        try:
            for each in [*self.upstreams, *([self.proxy] if self.proxy else [])]:
                self.processes.append(each)
                each.start()
            command = [self.waymark, "bridge", "--listen", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin}"]
            command += ["--log-level", "debug", "--log-access", "false"]
            command += ["--upstream", "static:///" + ",".join(f"127.0.0.1:{port}" for port in self.addresses)]
            bridge = Process(self.folder, "bridge", command, None)
            self.processes.append(bridge)
            bridge.await_open(self.port)
            self.await_serving()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stop()
        self.processes = []

    def version(self):
        versions = [self.proxy.version()] if self.proxy else []
        return ", ".join(versions + [self.upstreams[0].version() or "grpc-java"])

    def metric(self, name, labels=""):
        """The sum of a metric over all labels that contain the given text."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(re.escape(name) + r"[ {]", line) and labels in line)

    def wait(self, what, condition):
        deadline = time.monotonic() + AWAIT_S
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"waited {AWAIT_S} s in vain for {what}")
            time.sleep(0.05)

    def await_serving(self):
        count = len(self.addresses)
        self.wait(f"{count} serving", lambda: self.metric("waymark_pool_upstreams_serving") == count)
        self.wait("open lanes", lambda: self.metric("waymark_lanes_open") >= count)

    def moved(self, cause):
        return self.metric("waymark_connections_moved_total", f'cause="{cause}"')

    def owned(self, index):
        return self.metric("waymark_upstream_connections", f'upstream="127.0.0.1:{self.addresses[index]}"')

    def received(self, index):
        return self.metric("waymark_upstream_received_bytes_total", f'upstream="127.0.0.1:{self.addresses[index]}"')

    def closed_badly(self):
        return self.metric("waymark_connections_closed_total") - sum(
            self.metric("waymark_connections_closed_total", f'reason="{reason}"') for reason in ENDS_WELL
        )

    def mixed(self, serving=None):
        flags = ["--connections=40", "--window=4", "--sizes=" + MIXED]
        return Traffic(self, self.seconds, *flags, endless=True, serving=serving)

    def revive(self):
        """Starts what a scenario has left dead, and waits until all is well."""
        for upstream in self.upstreams:
            if upstream.process.process.poll() is not None:
                upstream.start()
        self.await_serving()

    # --- scenarios ---

    def small(self):
        self.undisturbed("--connections=100", "--window=8", "--sizes=1,64,1KiB")

    def bulk(self):
        self.undisturbed("--connections=8", "--window=4", "--sizes=64KiB")

    def undisturbed(self, *flags):
        names = ["waymark_lanes_broken_total", "waymark_lanes_replaced_total", "waymark_replayed_bytes_total"]
        before = [self.metric(name) for name in names]
        with Traffic(self, self.seconds, *flags, endless=True):
            pass
        broken, replaced, replayed = (self.metric(name) - was for name, was in zip(names, before))
        if broken or replayed:
            raise Failure(f"{broken:.0f} lanes broke, {replayed:.0f} bytes were replayed")
        if self.is_aging and not replaced:
            raise Failure("no lane was replaced")

    def kill(self):
        """Kills one. Its connections move to the other; behind a balanced port, to whom the proxy chooses."""
        before = self.moved("lane_broken")
        with self.mixed():
            self.upstreams[0].kill()
            if not self.is_balanced:  # There it may be the one that has no lane.
                self.wait("moves", lambda: self.moved("lane_broken") > before)

    def back(self):
        """The one that was killed comes back, and gets its share of the connections."""
        self.upstreams[0].kill()
        with self.mixed(serving=1):
            self.upstreams[0].start()
            self.wait("rebalancing", lambda: all(self.owned(i) > 0 for i in range(2)))

    def drain(self):
        """One says Draining, and leaves when it has nothing more. Nothing is replayed."""
        before, replayed = self.moved("draining"), self.metric("waymark_replayed_bytes_total")
        with self.mixed():
            self.upstreams[1].drain()
        self.check_clean_move(before, replayed)

    def health(self):
        """One reports NOT_SERVING."""
        before, replayed = self.moved("draining"), self.metric("waymark_replayed_bytes_total")
        with self.mixed():
            self.upstreams[0].set_serving(False)
            self.wait("moves", lambda: self.owned(0) == 0)
        self.upstreams[0].set_serving(True)
        self.check_clean_move(before, replayed)

    def check_clean_move(self, moved, replayed):
        # One whose lane is about to be replaced may move for that reason first.
        if self.moved("draining") == moved and not self.is_aging:
            raise Failure("no connection was moved by a hand-over")
        if self.metric("waymark_replayed_bytes_total") != replayed:
            raise Failure("bytes were replayed")

    def reload(self):
        """The proxy replaces its process. It announces that with GOAWAY, so that lanes are replaced, or it breaks them."""

        def ended():
            return self.moved("lane_broken") + self.metric("waymark_lanes_replaced_total")

        before = ended()
        with self.mixed():
            self.proxy.reload()
            self.wait("lanes that end", lambda: ended() > before)

    def idle(self):
        """Silent for longer than the proxy's timeouts."""
        watches = self.metric("waymark_health_watch_failures_total")
        lanes = self.metric("waymark_lanes_broken_total")
        with Traffic(self, self.idle_s + 2, "--idle", "--connections=20"):
            pass
        if self.metric("waymark_lanes_broken_total") != lanes:
            raise Failure("lanes broke")
        if self.metric("waymark_health_watch_failures_total") != watches:
            raise Failure("health Watches broke")

    def scenarios(self):
        if self.is_balanced:  # The bridge has nowhere to move a connection to.
            return ["small", "bulk", "kill", "reload"]
        return SCENARIOS if self.proxy else SCENARIOS[:-2]

    def run(self, scenario):
        """Returns nothing, or why it failed."""
        try:
            if scenario != "back":
                self.revive()
            closed = self.closed_badly()
            getattr(self, scenario)()
            if self.closed_badly() != closed:
                return f"{self.closed_badly() - closed:.0f} connections ended badly"
            return next(filter(None, (each.complaint() for each in self.upstreams)), None)
        except (Failure, OSError, subprocess.TimeoutExpired) as failure:
            return str(failure)


def table(results, scenarios):
    print("| | " + " | ".join(scenarios) + " | with |")
    print("|---" * (len(scenarios) + 2) + "|")
    for name, (outcomes, version) in results.items():
        print(f"| {name} | " + " | ".join(outcomes.get(each, "") for each in scenarios) + f" | {version} |")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, epilog="rows: " + " ".join(ROWS))
    parser.add_argument("rows", nargs="*", metavar="ROW", help="a language, or PROXY+LANGUAGE; default: all")
    parser.add_argument("--scenarios", help=f"some of {','.join(SCENARIOS)}; default: all that a row has")
    parser.add_argument("--seconds", type=float, default=1, help="multiplies the time of each scenario; default: 1")
    parser.add_argument("--port", type=int, default=21_000, help=f"first of {PORTS} ports per row; default: 21000")
    parser.add_argument("--waymark", default=os.path.join(ROOT, "waymark"), help="the program to test; default: ./waymark of this checkout")
    options = parser.parse_args()
    for row in options.rows:
        front, _, language = row.rpartition("+")
        if language not in LANGUAGES or front and front.removesuffix("-balanced") not in PROXIES:
            parser.error(f"unknown row {row}; rows: {' '.join(ROWS)}")
    for scenario in options.scenarios.split(",") if options.scenarios else []:
        if scenario not in SCENARIOS:
            parser.error(f"unknown scenario {scenario}; scenarios: {' '.join(SCENARIOS)}")
    return options


def main():
    options = parse()
    wanted = options.scenarios.split(",") if options.scenarios else None
    folder = tempfile.mkdtemp(prefix="waymark-interop-")
    print(f"logs in {folder}", file=sys.stderr)
    programs = Programs(options.waymark, folder)
    results, failed, shown = {}, False, []
    for number, name in enumerate(options.rows or ROWS):
        row_folder = os.path.join(folder, name)
        os.mkdir(row_folder)
        outcomes = {}
        version = "–"
        try:
            with Row(name, programs, row_folder, options.port + PORTS * number, options.seconds) as row:
                version = row.version()
                for scenario in row.scenarios():
                    if wanted and scenario not in wanted:
                        continue
                    started = time.monotonic()
                    problem = row.run(scenario)
                    failed |= problem is not None
                    outcomes[scenario] = f"failed: {problem}" if problem else "ok"
                    shown += [scenario] if scenario not in shown else []
                    print(f"  {name:<22} {scenario:<8} {time.monotonic() - started:5.1f} s  {outcomes[scenario]}", file=sys.stderr, flush=True)
        except Missing as missing:
            version = f"skipped: {missing}"
        except Failure as failure:
            failed, version = True, f"failed: {failure}"
        if version.startswith(("skipped", "failed")):
            print(f"  {name:<22} {version}", file=sys.stderr, flush=True)
        results[name] = outcomes, version
    table(results, shown)
    return 1 if failed else 0 if shown else NOT_AVAILABLE


if __name__ == "__main__":
    sys.exit(main())
