"""The cases: the load that each puts on the systems, and the figures that are kept."""

import contextlib
import fnmatch
import json
import os
import random
import re
import statistics
import subprocess
import time

from systems import BENCH_TIMEOUT_S, ROOT, WAYMARK, Echo, Failure, HAProxy, Waymark

JMH_SCRIPT = os.path.join(ROOT, "misc", "bench", "jmh.sh")
SIZES = {"KiB": 1024, "MiB": 1 << 20, "": 1}
PAUSE = re.compile(r"^\[(\d+)ms\].*Safepoint .* Total: *(\d+) ns", re.MULTILINE)
LOAD = re.compile(r"(?:tls-)?(\d+)(KiB|MiB|)x(\d+)(?:w(\d+))?")
HAPROXY_CONNECTIONS_MAX = 9_800
TLS = "tls-"
# What bench must have negotiated, so that the same work is compared.
NEGOTIATED = "TLSv1.3 TLS_AES_128_GCM_SHA256"
IDLE_CONNECTIONS = 19_000
IDLE_SECONDS = 60
# Longer than twice TrimNativeHeapInterval in misc/jvm.options.
TRIM_SECONDS = 21
UPSTREAMS = [2, 20, 200]
SHARDS = [1, 2]
CONNECTIONS = [100, 1_000, 9_800, 19_000]
WARM_UP_CASES = ["64x100", "64KiBx16w4"]
WARM_UP_SECONDS = 15
WARM_UP_STEP_MS = 100
YOUNG_MIB = 16 * os.cpu_count()
# The default, and others with as much room for garbage; for ZGC the bound covers the whole heap.
COLLECTORS = {
    "g1": "",
    "serial": f"-XX:+UseSerialGC -XX:MaxNewSize={YOUNG_MIB}m",
    "parallel": f"-XX:+UseParallelGC -XX:MaxNewSize={YOUNG_MIB}m",
    "zgc": f"-XX:+UseZGC -XX:SoftMaxHeapSize={3 * YOUNG_MIB}m",
}


def figures(result):
    """The figures kept of bench's JSON, and the machine's load."""
    latency = result["latencyUs"]
    errors = result["wrong"] + result["unanswered"] + result["connections"]["lost"] + result["connections"]["refused"]
    kept = {
        "perSecond": result["requestsPerSecond"],
        "perCpuSecond": result["requestsPerCpuSecond"],
        "p50Us": latency["p50"],
        "p99Us": latency["p99"],
        "p999Us": latency["p99.9"],
        "maxUs": latency["max"],
        "proxyCpuUs": 1e6 * result["processes"][-1]["cpuSeconds"] / max(1, result["requests"]),
        "errors": errors,
        "unsent": result["unsent"],
        "generatorCpuSeconds": result["generator"]["cpuSeconds"],
        "cpuSeconds": [each["cpuSeconds"] for each in result["processes"]],
        "rssMiB": [round(each["rssBytes"] / 1048576, 1) for each in result["processes"]],
        "load1": os.getloadavg()[0],
    }
    return {**kept, **tls_figures(result["tls"])} if "tls" in result else kept


def tls_figures(tls):
    if tls["negotiated"] != NEGOTIATED:
        raise Failure(f"negotiated {tls['negotiated'] or 'nothing'} instead of {NEGOTIATED}")
    return {"resumedPercent": round(100 * tls["resumed"] / tls["handshakes"], 1)}


def load_flags(case):
    """The flags for 64x1000 or tls-64KiBx16w4: size, connections, requests in flight on each."""
    size, unit, connections, window = LOAD.fullmatch(case).groups()
    flags = ["--size", int(size) * SIZES[unit], "--connections", connections, "--window", window or 1]
    return flags + sources(int(connections))


def sources(connections):
    return ["--source", "127.0.0.0/8"] if connections > 5_000 else []


# --- cases that are run against all systems in turn


def load(run, case, systems):
    for system in systems:
        run.write(case, system.name, figures(run.bench(system, *load_flags(case))))


def open10k(run, case, systems):
    paced(run, case, systems, 10_000)


def openhalf(run, case, systems):
    """At half of the lower of the proxies' peaks."""
    peaks = []
    for system in systems:
        if system.name != "echo":
            peak = run.last("64x1000", system.name, "perSecond")
            peaks.append(peak or run.bench(system, *load_flags("64x1000"))["requestsPerSecond"])
    paced(run, case, systems, int(min(peaks, default=20_000) / 2))


def paced(run, case, systems, rate):
    for system in systems:
        result = run.bench(system, "--size", 64, "--connections", 1_000, "--rate", rate)
        run.write(case, system.name, {"rate": rate, **figures(result)})


def storm(run, case, systems):
    for system in systems:
        flags = ["--connect-burst", "--connections", 50, "--size", 64, "--source", "127.0.0.0/8"]
        run.write(case, system.name, figures(run.bench(system, *flags)))


def handshakes(run, case, systems):
    """Connections that come and go like those of `storm`, with TLS; each handshake is a full one, or resumes a session."""
    for system in systems:
        flags = ["--connect-burst", "--connections", 50, "--size", 64, "--source", "127.0.0.0/8"]
        if case.endswith("resumed"):
            flags.append("--tls-resume")
        run.write(case, system.name, figures(run.bench(system, *flags)))


# --- cases that start their own systems


def idle19000(run, case, folder):
    idle_all(run, case, folder, IDLE_CONNECTIONS, tls=False)


def tls_idle(run, case, folder):
    idle_all(run, case, folder, HAPROXY_CONNECTIONS_MAX, tls=True)


def idle_all(run, case, folder, connections, tls):
    port = run.options.port + 300
    loads = [(Waymark("waymark", folder, port, tls=tls), connections)]
    if "haproxy" in run.options.systems:
        loads.append((HAProxy("haproxy", folder, port + 50, tls=tls), HAPROXY_CONNECTIONS_MAX))
    for system, count in loads:
        with system:
            time.sleep(2)
            run.write(case, system.name, idle(run, system, count))


def idle(run, system, count):
    """Memory that connections add to the process they connect to; for Java after a full collection and two trims."""
    process = system.processes[-1]
    is_java = isinstance(system, Waymark)
    before = memory(system, process, is_java)
    path = os.path.join(run.folder, "idle.json")
    command = [WAYMARK, "bench", f"127.0.0.1:{system.port}", "--idle", "--connections", str(count), "--quiet"]
    command += ["--seconds", str(IDLE_SECONDS), "--json", path, *system.client_flags, *sources(count)]
    bench = subprocess.Popen(command)
    # All clients are connected when the number of descriptors stops growing.
    known, deadline = -1, time.monotonic() + BENCH_TIMEOUT_S
    while time.monotonic() < deadline:
        time.sleep(1)
        descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
        if descriptors >= count and descriptors == known:
            break
        known = descriptors
    after = memory(system, process, is_java)
    code = bench.wait(BENCH_TIMEOUT_S)
    with open(path) as file:
        result = json.load(file)
    grown = {name: (after[name] - before[name]) / count for name in before}
    return {
        "connections": count,
        "rssBytesPerConnection": round(grown["rss"]),
        "heapBytesPerConnection": round(grown.get("heap", 0)),
        "directBytesPerConnection": round(grown.get("direct", 0)),
        "emptyRssMiB": round(before["rss"] / 1048576, 1),
        "connectSeconds": result["connections"]["connectSeconds"],
        "errors": code,
    }


def memory(system, process, is_java):
    if is_java:
        process.collect_garbage()
        time.sleep(TRIM_SECONDS)
    now = {"rss": process.rss_bytes()}
    if is_java:
        now["heap"] = system.metric("waymark_jvm_memory_used_bytes", 'area="heap"')
        now["direct"] = system.metric("waymark_jvm_netty_direct_bytes")
    return now


def idleupstreams(run, case, folder):
    """Memory that an upstream adds to a bridge: its lane and its health Watch, both idle."""
    few, many = UPSTREAMS[0], UPSTREAMS[-1]
    used = {}
    for count in few, many:
        with Waymark("waymark", folder, run.options.port + 300, upstreams=count) as system:
            used[count] = memory(system, system.bridge, True)
    grown = {name: round((used[many][name] - used[few][name]) / (many - few)) for name in used[few]}
    run.write(case, "waymark", {"rssBytesPerUpstream": grown["rss"], "heapBytesPerUpstream": grown["heap"], "errors": 0})


def engine1000000(run, case, folder):
    """Heap of the engine alone, with simulated connections."""
    done = subprocess.run([JMH_SCRIPT, "idle-connections", case.removeprefix("engine")], stdout=subprocess.PIPE)
    if not done.stdout:
        raise Failure(f"{JMH_SCRIPT} exited with {done.returncode} and no figures")
    each = json.loads(done.stdout)["heapBytesPerConnection"]
    run.write(case, "waymark", {"heapBytesPerConnection": each, "errors": done.returncode})


def start(run, case, folder):
    """From exec to a port that accepts a connection."""
    port = run.options.port + 300
    systems = [Waymark("waymark", folder, port)]
    if "haproxy" in run.options.systems:
        systems.append(HAProxy("haproxy", folder, port + 50))
    for system in systems:
        with system:
            run.write(case, system.name, {"startMs": round(system.processes[-1].started_s * 1e3)})


def warmup(run, case, folder):
    """From a new bridge's first request to 90 % of its final rate. The echo shows bench's own part of it."""
    for load_case in WARM_UP_CASES:
        port = run.options.port + 300
        for system in [Waymark("waymark", folder, port), Echo("echo", folder, port + 50)]:
            with system:
                flags = [*load_flags(load_case), "--interval", WARM_UP_STEP_MS]
                result = run.bench(system, *flags, seconds=WARM_UP_SECONDS, warmup=0)
                rates = [each["requestsPerSecond"] for each in result["intervals"]]
                run.write(f"{case}:{load_case}", system.name, warm_up_figures(rates))


def warm_up_figures(rates):
    final = statistics.median(rates[-len(rates) // 3 :])
    # The mean of a second, so that one lucky step does not count.
    steps = 1_000 // WARM_UP_STEP_MS
    warm = next(i for i in range(len(rates)) if statistics.mean(rates[i : i + steps]) >= 0.9 * final)
    return {"warmUpSeconds": warm * WARM_UP_STEP_MS / 1e3, "perSecond": round(final), "errors": 0}


def upstreams(run, case, folder):
    for count in UPSTREAMS:
        with contextlib.ExitStack() as running:
            systems = [running.enter_context(system) for system in run.bridges(folder, upstreams=count)]
            for system in systems:
                warm(run, system)
            for system in systems:
                write_with_batches(run, f"{case}:{count}", system, *load_flags("64x1000"))


def connections(run, case, folder):
    with Waymark("waymark", folder, run.options.port + 300) as system:
        warm(run, system)
        for count in CONNECTIONS:
            run.write(f"{case}:{count}", "waymark", figures(run.bench(system, *load_flags(f"64x{count}"))))


def acks(run, case, folder):
    port = run.options.port + 300
    on = Waymark("acks-on", folder, port)
    off = Waymark("acks-off", folder, port + 50, stub_args=["--no-ack"])
    with on, off:
        warm(run, on)
        warm(run, off)
        for load_case in ["64x1000", "16KiBx100", "64KiBx16w4"]:
            load_of = [(system, run.bench(system, *load_flags(load_case))) for system in (on, off)]
            for system, result in load_of:
                run.write(f"{case}:{load_case}", system.name, figures(result))


def shards(run, case, folder):
    """One event loop and two: the effect on batches and on the cost of a request."""
    port = run.options.port + 300
    systems = [Waymark(f"shards-{n}", folder, port + 50 * n, bridge_args=["--shards", str(n)]) for n in SHARDS]
    with systems[0], systems[1]:
        for system in systems:
            warm(run, system)
        for load_case in ["64x100", "64x1000", "16KiBx100"]:
            for system in systems:
                write_with_batches(run, f"{case}:{load_case}", system, *load_flags(load_case))
        for system in systems:
            write_with_batches(run, f"{case}:open10k", system, "--size", 64, "--connections", 1_000, "--rate", 10_000)


def collectors(run, case, folder):
    """At half of HAProxy's peak, like `openhalf`: whose pauses show in the latency. The echo shows the machine's own."""
    port = run.options.port + 300
    log = f"-Xlog:safepoint:file={folder}/pauses-%p.log:timemillis"
    bridges = [Waymark(name, folder, port + 40 * i, java_options=f"{COLLECTORS[name]} {log}") for i, name in enumerate(COLLECTORS)]
    port += 40 * len(bridges)
    systems = [*bridges, Echo("echo", folder, port)]
    if "haproxy" in run.options.systems:
        systems.append(HAProxy("haproxy", folder, port + 10))
    with contextlib.ExitStack() as stack:
        for system in systems:
            warm(run, stack.enter_context(system))
        rate = 10_000
        if isinstance(systems[-1], HAProxy):
            rate = int(run.bench(systems[-1], *load_flags("64x1000"))["requestsPerSecond"] / 2)
        # In random order, so that no system is always first, on a rested machine, or always after the same one.
        for system in random.Random(run.round).sample(systems, len(systems)):
            result = run.bench(system, "--size", 64, "--connections", 1_000, "--rate", rate)
            kept = {"rate": rate, **figures(result)}
            if system in bridges:
                found = [ms for process in system.processes for ms in pauses_ms(folder, process.pid, result)]
                kept |= {"pauses": len(found), "pauseMaxMs": max(found, default=0)}
            run.write(case, system.name, kept)


def pauses_ms(folder, pid, result):
    """The lengths of a JVM's pauses that ended while bench measured."""
    end_ms = result["endUnixMs"]
    path = os.path.join(folder, f"pauses-{pid}.log")
    with open(path) as file:
        pauses = [(int(at_ms), int(ns) / 1e6) for at_ms, ns in PAUSE.findall(file.read())]
    if not pauses:
        raise Failure(f"{path} has no pauses; has the format of -Xlog:safepoint changed?")
    return [ms for at_ms, ms in pauses if end_ms - result["seconds"] * 1_000 <= at_ms <= end_ms]


def write_with_batches(run, case, system, *flags):
    names = ["waymark_lane_frames_sent_total", "waymark_lane_batches_sent_total"]
    before = [system.metric(name) for name in names]
    result = run.bench(system, *flags)
    frames, batches = (system.metric(name) - was for name, was in zip(names, before))
    run.write(case, system.name, {**figures(result), "framesPerBatch": round(frames / max(batches, 1), 1)})


def warm(run, system):
    """Lets the JVM compile the code for small and for large requests; an echo needs little."""
    if not system.needs_warm_up:
        run.bench(system, *load_flags("64x100"), seconds=2, warmup=0)
        return
    for case in ("64x200", "64KiBx16w4"):
        run.bench(system, *load_flags(case), seconds=run.options.warm, warmup=0)
    if system.client_flags:
        run.bench(system, "--connect-burst", "--connections", 50, "--source", "127.0.0.0/8", seconds=run.options.warm, warmup=0)


# --- all of them, by name

SHARED = {
    "open10k": open10k,
    "openhalf": openhalf,
    "storm": storm,
    "tls-handshakes": handshakes,
    "tls-resumed": handshakes,
}
OWN = {
    "idle19000": idle19000,
    "tls-idle": tls_idle,
    "idleupstreams": idleupstreams,
    "engine1000000": engine1000000,
    "start": start,
    "warmup": warmup,
    "upstreams": upstreams,
    "connections": connections,
    "acks": acks,
    "shards": shards,
    "collectors": collectors,
}
LOADS = ["64x1", "64x100", "64x1000", "64x9800", "1KiBx1000", "16KiBx100", "64KiBx16w4"]
TLS_LOADS = ["tls-64x1000", "tls-16KiBx100"]
ALL = LOADS + TLS_LOADS + list(SHARED) + list(OWN)


def chosen(names):
    """Cases by name or pattern, and any other SIZExCONNECTIONS."""
    cases = []
    for name in names or ALL:
        found = fnmatch.filter(ALL, name) or ([name] if LOAD.fullmatch(name) else [])
        if not found:
            raise Failure(f"unknown case {name}; expected one of {' '.join(ALL)}, or any load such as 1KiBx50w8")
        cases += [each for each in found if each not in cases]
    return cases
