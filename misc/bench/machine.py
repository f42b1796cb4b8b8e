"""What was measured, when and on what machine: the first line of a file of figures."""

import datetime
import os
import platform
import re
import subprocess

from systems import ROOT, find_haproxy


def about(versions):
    """`versions` is what `java --show-version` and `waymark --version` print; see systems.build."""
    return {
        "version": found(r"^waymark (\S+)", versions),
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "machine": {
            "cpu": cpu(),
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            "java": found(r"\(build ([^,)]+)\)", versions),
            "options": os.environ.get("WAYMARK_JAVA_OPTS", ""),
            "haproxy": found(r"version (\S+)", output([find_haproxy() or "haproxy", "-v"])),
        },
    }


def commit():
    """The commit; ends in -dirty if the tree has changes, and is "unknown" outside a repository."""
    return output(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]).strip() or "unknown"


def cpu():
    name = found(r"^model name\s*: (.+)$", output(["cat", "/proc/cpuinfo"]))
    return platform.machine() if name == "unknown" else name


def found(pattern, text):
    match = re.search(pattern, text, re.MULTILINE)
    return match.group(1).strip() if match else "unknown"


def output(command):
    """The command's output; empty if it cannot be run, as no figure depends on it."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    except OSError:
        return ""
