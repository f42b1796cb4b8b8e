"""Draws the recorded figures as one SVG: the newest release compared with HAProxy, its latency, and the ratios from release to release.

It has its own background, so that it is readable on any page, and other colours for dark mode.
"""

import html
import math

WIDTH, EDGE = 800, 28
LEFT, RIGHT = 256, 690
ROW, BAR, GAP = 27, 18, 14
LATENCY_ROW = 17

# Cases and their labels, from those that suit the bridge best to those that suit it least.
BARS = [
    [
        ("64x9800", "64 B × 9,800 connections"),
        ("64x1000", "64 B × 1,000"),
        ("1KiBx1000", "1 KiB × 1,000"),
        ("64x100", "64 B × 100"),
    ],
    [("16KiBx100", "16 KiB × 100"), ("64KiBx16w4", "64 KiB × 16, four in flight")],
    [("open10k", "64 B × 1,000 at 10,000/s"), ("64x1", "64 B × 1")],
    [("storm", "connect, echo 64 B, close")],
]
# One case of each kind; more lines would be hard to tell apart.
TREND = [("64x1000", "64 B × 1,000"), ("64x100", "64 B × 100"), ("64KiBx16w4", "64 KiB × 16"), ("64x1", "64 B × 1")]
TREND_RELEASES_MAX = 10
TREND_HEIGHT = 220
LATENCY = [("open10k", "{rate} requests/s"), ("openhalf", "{rate} requests/s: half of the lower peak")]
PERCENTILES = [("p50Us", "p50"), ("p99Us", "p99"), ("p999Us", "p99.9")]
SYSTEMS = [("haproxy", "HAProxy + echo"), ("waymark", "Waymark")]

# Colours after Okabe and Ito, which any kind of colour vision can tell apart; shapes differ too.
STYLE = """
text { font: 14px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 21px; font-weight: 600 } .head { font-size: 16px; font-weight: 600 }
.value { font-weight: 600 } .value, .clear { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
.soft { fill: #59636e; font-size: 13px }
.ground { fill: #ffffff; stroke: #d1d9e0 } .grid { stroke: #d1d9e0 } .waymark, .t0 { fill: #0072b2; stroke: #0072b2 }
.haproxy { fill: #c65a00; stroke: #c65a00 } .base { stroke: #c65a00; stroke-width: 2.5 } .baseText { fill: #a84c00; font-weight: 600 }
.halo { stroke: #ffffff; stroke-width: 4.5 } .spread { stroke: #1f2328; stroke-width: 1.5 } .thin { stroke-width: 2; stroke-opacity: .5 }
.t1 { fill: #007f5f; stroke: #007f5f } .t2 { fill: #a3418a; stroke: #a3418a } .t3 { fill: #6e7781; stroke: #6e7781 }
.line { fill: none; stroke-width: 2.5 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .soft { fill: #a9b4c0 } .ground { fill: #0d1117; stroke: #3d444d } .grid { stroke: #343b44 }
.waymark, .t0 { fill: #3d9fdc; stroke: #3d9fdc } .haproxy { fill: #f0a030; stroke: #f0a030 }
.base { stroke: #f0a030 } .baseText { fill: #f0a030 }
.halo, .value, .clear { stroke: #0d1117 } .spread { stroke: #f0f6fc }
.t1 { fill: #2fc79a; stroke: #2fc79a } .t2 { fill: #e08cc8; stroke: #e08cc8 } .t3 { fill: #b3bcc6; stroke: #b3bcc6 }
.line { fill: none }
}
"""


class Picture:
    """The elements drawn so far, and the height they take."""

    def __init__(self):
        self.parts, self.y = [], 0

    def add(self, part):
        self.parts.append(part)

    def text(self, x, y, text, kind="", anchor="start"):
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(text)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.add(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def paragraph(self, text, kind, height=19):
        for part in wrapped(text, WIDTH - 2 * EDGE):
            self.y += height
            self.text(EDGE, self.y, part, kind)


def draw(releases):
    """Returns the SVG. `releases` are as in the history, the newest last."""
    newest, picture = releases[-1], Picture()
    bars(picture, newest)
    latency(picture, newest)
    if len(releases) > 1:
        trend(picture, releases[-TREND_RELEASES_MAX:])
    caption(picture, newest)
    height = round(picture.y + EDGE - 6)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
            f"<title>{html.escape(title(newest))}</title>",
            f"<desc>{html.escape(description(newest))}</desc>",
            f"<style>{STYLE}</style>",
            f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8" class="ground"/>',
            *picture.parts,
            "</svg>\n",
        ]
    )


def title(release):
    return f"Waymark {release['version']} compared with HAProxy"


def description(release):
    """A description for screen readers."""
    each = [f"{label} {times(ratio(release, case)['median'])}" for group in BARS for case, label in group if ratio(release, case)]
    return "Requests per CPU-second, relative to HAProxy + echo: " + "; ".join(each) + "."


# --- requests per CPU-second


def bars(picture, release):
    picture.y = 42
    picture.text(EDGE, picture.y, title(release), "title")
    picture.y += 6
    picture.paragraph(
        "Requests per second of CPU used by everything behind the clients, as a multiple of HAProxy + echo. " + rounds_text(release),
        "soft",
    )
    top = picture.y + 42
    rows = list(bar_rows(release, top))
    most = max(1, *(spread["max"] for _, _, spread in rows))
    bottom = rows[-1][0] + ROW / 2 + 4

    def x(value):
        return LEFT + (RIGHT - LEFT) * value / most

    for step in steps(most):
        picture.line(x(step), top - 6, x(step), bottom, "grid")
        picture.text(x(step), bottom + 17, f"{step:g}×", "soft", "middle")
    for y, label, spread in rows:
        picture.text(LEFT - 12, y + 5, label, "", "end")
        width = x(spread["median"]) - LEFT
        picture.add(f'<rect x="{LEFT}" y="{y - BAR / 2:.1f}" width="{width:.1f}" height="{BAR}" class="waymark"/>')
        picture.text(max(x(spread["max"]), x(1)) + 11, y + 5, times(spread["median"]), "value")
    picture.line(x(1), top - 6, x(1), bottom, "base")
    picture.text(x(1), top - 13, "HAProxy + echo = 1", "baseText", "middle")
    for y, _, spread in rows:
        whisker(picture, y, spread, x)
    picture.y = bottom + 20


def rounds_text(release):
    counts = [release["cases"][case]["waymark"]["rounds"] for group in BARS for case, _ in group if ratio(release, case)]
    if max(counts) == 1:
        return "Measured once."
    of = f"{max(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    return f"Bars: median of {of} rounds; whiskers: smallest and largest."


def bar_rows(release, top):
    """(middle, label, ratio) of each measured case, with a gap between groups."""
    y = top
    for group in BARS:
        there = [(label, ratio(release, case)) for case, label in group if ratio(release, case)]
        for label, spread in there:
            yield y + ROW / 2, label, spread
            y += ROW
        y += GAP if there else 0


def whisker(picture, y, spread, x):
    """Drawn twice: the first, wider line separates it from what is beneath."""
    if spread["min"] == spread["max"]:
        return
    for kind in ("halo", "spread"):
        picture.line(x(spread["min"]), y, x(spread["max"]), y, kind)
        for end in ("min", "max"):
            picture.line(x(spread[end]), y - 5, x(spread[end]), y + 5, kind)


def ratio(release, case, figure="perCpuSecond"):
    """The ratio to HAProxy; None if it was not measured."""
    return release["cases"].get(case, {}).get("waymark", {}).get("ratios", {}).get(figure)


def times(value):
    return f"{value:.1f}×" if value >= 1.95 else f"{value:.2f}×"


def steps(most):
    """Round numbers from 0, at most seven."""
    step = next(step for step in (0.5, 1, 2, 5, 10, 20, 50, 100, most) if most / step <= 6)
    return [step * i for i in range(int(most / step) + 1)]


# --- latency


def latency(picture, release):
    """Both systems, on a logarithmic scale because the tail is many times the median."""
    cases = [(case, head) for case, head in LATENCY if all(has_latency(release, case, system) for system, _ in SYSTEMS)]
    if not cases:
        return
    picture.y += 46
    picture.text(EDGE, picture.y, "Latency at a fixed rate, 64 B over 1,000 connections", "head")
    picture.y += 2
    picture.paragraph(
        "Open loop: measured from the time a request was due. Marks: medians; lines: smallest and largest. "
        "Milliseconds on a logarithmic scale; lower is better.",
        "soft",
    )
    picture.y += 24
    at = LEFT
    for system, name in reversed(SYSTEMS):
        mark(picture, at, picture.y - 5, system)
        picture.text(at + 12, picture.y, name)
        at += 46 + 8 * len(name)
    spreads = [release["cases"][case][system][figure] for case, _ in cases for system, _ in SYSTEMS for figure, _ in PERCENTILES]
    low = math.log10(min(each["min"] for each in spreads)) - 0.05
    high = math.log10(max(each["max"] for each in spreads))

    def x(value_us):
        return LEFT + (RIGHT - LEFT) * (math.log10(value_us) - low) / (high - low)

    top = picture.y + 12
    rows, heads, bottom = latency_rows(release, cases, top)
    for tick_us in ticks(low, high):
        picture.line(x(tick_us), top, x(tick_us), bottom, "grid")
        picture.text(x(tick_us), bottom + 17, f"{tick_us / 1e3:g}", "soft", "middle")
    for y, text in heads:
        picture.text(EDGE, y, text, "value")
    for y, system, label, spread in rows:
        if label:
            picture.text(LEFT - 12, y + 5 + LATENCY_ROW / 2, label, "", "end")
        picture.line(x(spread["min"]), y, x(spread["max"]), y, f"{system} thin")
        mark(picture, x(spread["median"]), y, system)
        picture.text(x(max(spread["max"], spread["median"])) + 10, y + 5, milliseconds(spread["median"]), "clear")
    picture.y = bottom + 20


def latency_rows(release, cases, y):
    """(middle, system, label, spread) of each line, (base, text) of each heading, and the bottom."""
    rows, heads = [], []
    for case, head in cases:
        y += 24
        rate = release["cases"][case]["waymark"]["rate"]["median"]
        heads.append((y, head.format(rate=f"{rate:,.0f}")))
        y += 10
        for figure, label in PERCENTILES:
            for system, _ in SYSTEMS:
                y += LATENCY_ROW
                label_once = label if system == SYSTEMS[0][0] else ""
                rows.append((y - LATENCY_ROW / 2, system, label_once, release["cases"][case][system][figure]))
            y += 7
    return rows, heads, y


def has_latency(release, case, system):
    there = release["cases"].get(case, {}).get(system, {})
    return all(figure in there for figure, _ in PERCENTILES) and "rate" in there


def mark(picture, x, y, kind):
    """A shape for each kind, so that nothing depends on colour alone."""
    x, y = round(x, 1), round(y, 1)
    points = {"haproxy": "-5,-5 5,-5 5,5 -5,5", "t1": "-5,-5 5,-5 5,5 -5,5", "t2": "0,-7 7,0 0,7 -7,0", "t3": "0,-7 6.5,5 -6.5,5"}
    if kind in points:
        picture.add(f'<polygon points="{points[kind]}" transform="translate({x} {y})" class="{kind}"/>')
    else:
        picture.add(f'<circle cx="{x}" cy="{y}" r="5.5" class="{kind}"/>')


def ticks(low, high):
    """1, 2 and 5 times each power of ten in between."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    return [lead * 10**power for power in powers for lead in (1, 2, 5) if low <= math.log10(lead * 10**power) <= high]


def milliseconds(value_us):
    value_ms = value_us / 1e3
    return f"{value_ms:.{0 if value_ms >= 10 else 1 if value_ms >= 1 else 2}f} ms"


# --- from release to release


def trend(picture, releases):
    lines = [(f"t{i}", label, [ratio(each, case) for each in releases]) for i, (case, label) in enumerate(TREND)]
    lines = [line for line in lines if any(line[2])]
    picture.y += 46
    picture.text(EDGE, picture.y, "From release to release", "head")
    picture.y += 2
    machines = {(each["machine"]["cpu"], each["machine"]["cores"]) for each in releases}
    picture.paragraph(
        "The same ratio; each release is compared with the HAProxy of its own run." + (" The machines differ." if len(machines) > 1 else ""), "soft"
    )
    top = picture.y + 16
    bottom = top + TREND_HEIGHT
    most = max(1.2, *(spread["max"] for _, _, spreads in lines for spread in spreads if spread))
    left, right = EDGE + 40, RIGHT - 80

    def y(value):
        return bottom - TREND_HEIGHT * value / most

    def x(i):
        return left + 24 + (right - left - 48) * i / (len(releases) - 1)

    for step in steps(most):
        picture.line(left, y(step), right, y(step), "grid")
        picture.text(left - 10, y(step) + 5, f"{step:g}×", "soft", "end")
    picture.line(left, y(1), right, y(1), "base")
    for i, each in enumerate(releases):
        picture.text(x(i), bottom + 20, each["version"], "soft", "middle")
    ends = [(y(1), "", "HAProxy + echo")]
    for place, (kind, label, spreads) in enumerate(lines):
        # Side by side, so that no spread hides another.
        aside = 5 * (place - (len(lines) - 1) / 2)
        points = [(x(i) + aside, y(spread["median"]), spread) for i, spread in enumerate(spreads) if spread]
        picture.add(f'<polyline points="{" ".join(f"{px:.1f},{py:.1f}" for px, py, _ in points)}" class="{kind} line"/>')
        for px, py, spread in points:
            picture.line(px, y(spread["min"]), px, y(spread["max"]), f"{kind} thin")
            mark(picture, px, py, kind)
        ends.append((points[-1][1], kind, label))
    for at, (_, kind, label) in zip(apart(sorted(end[0] for end in ends), 19), sorted(ends)):
        if kind:
            mark(picture, right + 16, at, kind)
        picture.text(right + (28 if kind else 8), at + 5, label, "" if kind else "baseText")
    picture.y = bottom + 24


def apart(places, least):
    """The sorted places, moved so that neighbours are at least `least` apart."""
    moved = list(places)
    for _ in range(100):
        for i in range(1, len(moved)):
            lacking = least - (moved[i] - moved[i - 1])
            if lacking > 0:
                moved[i - 1] -= lacking / 2
                moved[i] += lacking / 2
    return moved


# --- caption


def caption(picture, release):
    on = release["machine"]
    picture.y += 20
    picture.paragraph(
        f"{release['date']}, commit {release['commit']}: {on['cpu']}, {on['cores']} cores, Linux {on['kernel']}, Java {on['java']}, "
        f"HAProxy {on['haproxy']} (mode tcp, one thread). Clients and servers share the machine; ratios are taken within a round. "
        "Measured with misc/bench/run.sh.",
        "soft",
        18,
    )


def wrapped(text, width):
    """Lines that certainly fit: 7 units per character at a font size of 13 is more than any usual font takes."""
    line = ""
    for word in text.split():
        if line and 7 * (len(line) + 1 + len(word)) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line
