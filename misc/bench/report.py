"""The table: medians over the rounds, and ratios to HAProxy and to another checkout. `python3 report.py FILE ...` prints it again."""

import json
import statistics
import sys

BASE = "haproxy"
BEFORE = "before"

# Figure, heading, whether to show the ratios to HAProxy and to the checkout of --before.
COLUMNS = [
    ("perSecond", "per s", True),
    ("perCpuSecond", "per CPU-s", True),
    ("proxyCpuUs", "proxy µs", True),
    ("p50Us", "p50 µs", False),
    ("p99Us", "p99 µs", True),
    ("p999Us", "p99.9 µs", False),
    ("maxUs", "max µs", False),
    ("pauses", "pauses", False),
    ("pauseMaxMs", "longest ms", False),
    ("rssMiB", "memory MiB", False),
    ("rssBytesPerConnection", "RSS B/conn", True),
    ("heapBytesPerConnection", "heap B/conn", False),
    ("directBytesPerConnection", "direct B/conn", False),
    ("rssBytesPerUpstream", "RSS B/upstream", False),
    ("heapBytesPerUpstream", "heap B/upstream", False),
    ("emptyRssMiB", "empty MiB", False),
    ("resumedPercent", "resumed %", False),
    ("startMs", "start ms", True),
    ("framesPerBatch", "frames a batch", False),
    ("warmUpSeconds", "to 90 % s", False),
    ("errors", "errors", False),
]
SHOWN = {name for name, _, _ in COLUMNS}


def number(value):
    if isinstance(value, list):
        return "+".join(number(each) for each in value)
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}"


def table(lines):
    """Markdown, with a table for each set of figures."""
    groups, kinds = {}, {}
    for line in lines:
        groups.setdefault((line["case"], line["system"]), []).append(line)
    for key, rounds in groups.items():
        columns = tuple(column for column in COLUMNS if all(column[0] in line for line in rounds))
        kinds.setdefault(columns, []).append(key)
    return "\n".join(part for columns, keys in kinds.items() for part in one_table(columns, keys, groups))


def one_table(columns, keys, groups):
    systems = {system for _, system in groups}
    bases = {base: heading for base, heading in ((BASE, "x HAProxy"), (BEFORE, "x before")) if base in systems}
    heads = ["case", "system", "rounds"]
    for _, heading, has_ratio in columns:
        heads += [heading, *bases.values()] if has_ratio else [heading]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for case, system in keys:
        rounds = groups[case, system]
        cells = [case, system, str(len(rounds))]
        for name, _, has_ratio in columns:
            cells.append(cell(name, [line[name] for line in rounds]))
            if has_ratio:
                cells += [ratio(name, rounds, groups.get((case, base), [])) for base in bases]
        yield "| " + " | ".join(cells) + " |"
    yield ""


def cell(name, values):
    if name == "errors":
        return number(sum(values))
    if isinstance(values[0], list):
        return "+".join(number(statistics.median(each)) for each in zip(*values))
    spread = f" ({number(min(values))}–{number(max(values))})" if len(values) > 1 else ""
    return number(statistics.median(values)) + spread


def ratio(name, rounds, base):
    found = ratios(name, rounds, base)
    if not found or base is rounds:
        return ""
    spread = f" ({min(found):.2f}–{max(found):.2f})" if len(found) > 1 else ""
    return f"{statistics.median(found):.2f}{spread}"


def ratios(name, rounds, base):
    """Ratios within each round, in which both ran side by side."""
    by_round = {line["round"]: line.get(name) for line in base}
    return [line[name] / by_round[line["round"]] for line in rounds if by_round.get(line["round"])]


def rounds_apart(files):
    """The lines of all files with rounds as (run, round). A run starts with each file, and with each line that says what was measured."""
    run = 0
    for lines in files:
        run += 1
        for line in lines:
            run += "run" in line
            yield {**line, "round": (run, line["round"])} if "round" in line else line


def read(path):
    with open(path, encoding="utf-8") as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    print(table([line for line in rounds_apart(map(read, sys.argv[1:])) if "case" in line]))
