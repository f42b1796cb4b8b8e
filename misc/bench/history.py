"""Records the figures of each release as a line of JSON, and draws the chart. Standard library only. See README.md."""

import argparse
import json
import os
import re
import statistics
import sys

import chart
import machine
import report
from cases import LOADS
from systems import ROOT, Failure, build

HISTORY = os.path.join(ROOT, "misc", "bench", "history", "releases.jsonl")
CHART = os.path.join(ROOT, "docs", "images", "performance.svg")
# The cases that each release needs; others are kept if they were measured.
NEEDED = [(case, system) for case in LOADS for system in (report.BASE, "waymark")]
KEPT = [*(name for name, _, _ in report.COLUMNS if name != "errors"), "rate"]
RATIOS = [name for name, _, has_ratio in report.COLUMNS if has_ratio]
VERSION = re.compile(r"\d+(\.\d+)*(-[0-9A-Za-z.]+)?")


class Refused(Exception):
    """An error for the user, in one line: place, problem, remedy."""


# --- figures as run.sh writes them


def read_figures(paths, is_here):
    """Returns what was measured (machine.about) and the lines of all runs. Their rounds are (run, round), within which ratios are taken."""
    all_lines = list(report.rounds_apart(map(read_run_lines, paths)))
    abouts = [line["run"] for line in all_lines if "run" in line]
    lines = [line for line in all_lines if "run" not in line]
    if not lines:
        raise Refused(f"{', '.join(paths)}: no figures; run.sh --out writes some")
    if is_here and not abouts:
        abouts = [machine.about(build())]
    if not abouts:
        raise Refused(f"{paths[0]}: does not say what was measured; use --here if it was this machine, today, at this commit")
    if re.search("-dirty$|^unknown$", abouts[0]["commit"]):
        raise Refused(f"{paths[0]}: measured at {abouts[0]['commit']}, which cannot be reproduced; commit first")
    if any({**each, "date": ""} != {**abouts[0], "date": ""} for each in abouts):
        raise Refused(f"{', '.join(paths)}: runs of different commits or machines; keep one of them")
    return abouts[0], lines


def read_run_lines(path):
    """The lines of one file: what was measured, or figures."""
    for place, line in read_lines(path):
        is_known = isinstance(line["run"], dict) if "run" in line else {"case", "system", "round"} <= line.keys()
        if not is_known:
            raise Refused(f"{place}: neither figures nor what was measured; expected a file from run.sh --out")
        yield line


def read_lines(path):
    """(file:line, object) for each."""
    try:
        with open(path, encoding="utf-8") as file:
            texts = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as failure:
        raise Refused(f"{path}: {getattr(failure, 'strerror', None) or 'not text'}") from None
    for number, text in enumerate(texts, 1):
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict):
            raise Refused(f"{path}:{number}: not a JSON object")
        yield f"{path}:{number}", line


# --- a release


def release(about, lines, version):
    """Returns the line of a release."""
    groups = {}
    for line in lines:
        if line.get("errors"):
            raise Refused(f"{line['case']} of {line['system']} has errors, so its figures are void; measure it again")
        groups.setdefault((line["case"], line["system"]), []).append(line)
    for key, rounds in groups.items():
        if len({line["round"] for line in rounds}) < len(rounds):
            raise Refused(f"{key[0]} of {key[1]} occurs twice in one round; write each run to its own file")
    cases = {}
    for (case, system), rounds in groups.items():
        cases.setdefault(case, {})[system] = figures(rounds, groups.get((case, report.BASE), []))
    missing = [f"{case} of {system}" for case, system in NEEDED if "perCpuSecond" not in cases.get(case, {}).get(system, {})]
    if missing:
        raise Refused(f"a release needs {', '.join(missing)}; measure it with run.sh, or add its file")
    apart = [case for case, system in NEEDED if system != report.BASE and "perCpuSecond" not in cases[case][system]["ratios"]]
    if apart:
        raise Refused(f"{', '.join(apart)}: never measured in the same run as {report.BASE}, so there are no ratios")
    return {**about, "version": version, "cases": cases}


def figures(rounds, base):
    """Median, minimum and maximum of each figure, and of its ratio to HAProxy."""
    names = [name for name in KEPT if all(is_figure(line.get(name)) for line in rounds)]
    kept = {"rounds": len(rounds), **{name: spread([line[name] for line in rounds]) for name in names}}
    if rounds is not base:
        ratios = {name: report.ratios(name, rounds, base) for name in RATIOS if name in names}
        kept["ratios"] = {name: spread(values) for name, values in ratios.items() if values}
    return kept


def is_figure(value):
    if isinstance(value, list):
        return all(is_figure(each) for each in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def spread(values):
    """Median, minimum and maximum. For lists, such as the memory of several processes, one for each element."""
    if isinstance(values[0], list):
        return [spread(each) for each in zip(*values)]
    return {"median": tidy(statistics.median(values)), "min": tidy(min(values)), "max": tidy(max(values))}


def tidy(value):
    """Rounds: more digits are noise."""
    return round(value) if abs(value) >= 1_000 else round(value, 3)


def version_of(about, given):
    version = given or about["version"].removesuffix("-SNAPSHOT")
    if not VERSION.fullmatch(version):
        raise Refused(f"{version} is not a version; use --version 1.2.3")
    return version


# --- the history


def add(releases, new, is_replaced):
    """The releases with the new one added at the end, or replacing the one of the same version."""
    versions = [each["version"] for each in releases]
    if new["version"] not in versions:
        return [*releases, new]
    if not is_replaced:
        raise Refused(f"{new['version']} is already there; --replace replaces it")
    return [new if each["version"] == new["version"] else each for each in releases]


def read_history(path):
    releases = [line for _, line in read_lines(path)] if os.path.exists(path) else []
    for number, each in enumerate(releases, 1):
        if not {"version", "date", "commit", "machine", "cases"} <= each.keys():
            raise Refused(f"{path}:{number}: not a release")
    return releases


def write(path, text):
    """Writes the whole file or nothing."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def parse():
    parser = argparse.ArgumentParser(prog="history.sh", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURES", help="files from run.sh --out; none: only redraw the chart")
    parser.add_argument("--version", help="version of the release; default: the measured one, without -SNAPSHOT")
    parser.add_argument("--replace", action="store_true", help="replace the figures of an existing version")
    parser.add_argument("--here", action="store_true", help="for figures that do not say what was measured: assume this machine, today, this commit")
    parser.add_argument("--history", default=HISTORY, metavar="FILE", help=f"default: {os.path.relpath(HISTORY, ROOT)}")
    parser.add_argument("--chart", default=CHART, metavar="FILE", help=f"default: {os.path.relpath(CHART, ROOT)}")
    return parser.parse_args()


def main():
    options = parse()
    releases = read_history(options.history)
    if options.figures:
        about, lines = read_figures(options.figures, options.here)
        new = release(about, lines, version_of(about, options.version))
        releases = add(releases, new, options.replace)
    if not releases:
        raise Refused(f"{options.history}: no release yet; history.sh FIGURES adds one")
    # Draw before writing anything, because this can fail.
    picture = chart.draw(releases)
    if options.figures:
        write(options.history, "".join(json.dumps(each) + "\n" for each in releases))
        print(f"{new['version']}: {len(new['cases'])} cases in {os.path.relpath(options.history)}")
    write(options.chart, picture)
    print(f"chart in {os.path.relpath(options.chart)}")


if __name__ == "__main__":
    try:
        main()
    except (Refused, Failure) as refused:
        print(f"history: {refused}", file=sys.stderr)
        sys.exit(2)
