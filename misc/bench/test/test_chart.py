"""The chart of made-up figures: its texts, and that nothing is outside the picture."""

import copy
import os
import re
import sys
import unittest
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import chart
import history

SVG = "{http://www.w3.org/2000/svg}"
CHARACTER_WIDTH = 8


def made_up(version="9.9.9"):
    about, lines = history.read_figures([os.path.join(HERE, "figures.jsonl")], False)
    return history.release(about, lines, version)


def texts(picture):
    return [element.text for element in xml.fromstring(picture).iter(SVG + "text")]


class ChartTest(unittest.TestCase):
    def test_bars_are_as_long_as_their_ratios(self):
        picture = xml.fromstring(chart.draw([made_up()]))
        widths = [float(bar.get("width")) for bar in picture.iter(SVG + "rect") if bar.get("class") == "waymark"]
        # In the order of chart.BARS: 2.5, 3, 2, 2; 0.75, 1.25; 0.8, 0.5.
        self.assertEqual([round(width / widths[1] * 3, 2) for width in widths], [2.5, 3, 2, 2, 0.75, 1.25, 0.8, 0.5])

    def test_picture_says_what_was_measured(self):
        shown = " ".join(texts(chart.draw([made_up()])))
        for words in ("Waymark 9.9.9", "made up <for> tests, 2 cores", "2001-02-03", "median of 3 rounds", "3.0×", "0.50×", "18 ms"):
            self.assertIn(words, shown)

    def test_latency_is_omitted_if_it_was_not_measured(self):
        release = made_up()
        del release["cases"]["open10k"]
        self.assertIn("16,000 requests/s: half of the lower peak", texts(chart.draw([release])))
        del release["cases"]["openhalf"]
        self.assertNotIn("Latency", " ".join(texts(chart.draw([release]))))

    def test_several_releases_have_a_line_for_each_case(self):
        self.assertNotIn("polyline", chart.draw([made_up()]))
        releases = [made_up(f"9.{i}.0") for i in range(chart.TREND_RELEASES_MAX + 1)]
        picture = chart.draw(releases)
        self.assertEqual(picture.count("<polyline"), len(chart.TREND))
        self.assertNotIn("9.0.0", texts(picture))
        self.assertIn("9.1.0", texts(picture))

    def test_case_missing_in_older_releases_begins_later(self):
        older = made_up("9.8.0")
        del older["cases"]["64x100"]
        lines = list(xml.fromstring(chart.draw([older, made_up()])).iter(SVG + "polyline"))
        self.assertEqual([len(line.get("points").split()) for line in lines], [2, 1, 2, 2])

    def test_nothing_is_outside_the_picture(self):
        for factor in (0.01, 0.3, 1, 40):
            with self.subTest(factor=factor):
                releases = [scaled(made_up(f"10.{i}.0-rc.1"), factor) for i in range(3)]
                self.assert_inside(xml.fromstring(chart.draw(releases)))

    def assert_inside(self, picture):
        height = float(picture.get("height"))
        for line in picture.iter(SVG + "line"):
            for name in ("x1", "x2"):
                self.assertTrue(0 < float(line.get(name)) < chart.WIDTH, line.attrib)
            for name in ("y1", "y2"):
                self.assertTrue(0 < float(line.get(name)) < height, line.attrib)
        for text in picture.iter(SVG + "text"):
            x, length = float(text.get("x")), CHARACTER_WIDTH * len(text.text)
            if text.get("class") != "soft" and text.get("text-anchor") != "middle":
                left, right = (x - length, x) if text.get("text-anchor") == "end" else (x, x + length)
                self.assertTrue(0 < left and right < chart.WIDTH, text.text)
            self.assertTrue(0 < float(text.get("y")) < height, text.text)

    def test_every_colour_has_a_dark_variant(self):
        light, dark = chart.STYLE.split("@media")
        self.assertEqual(painted(light), painted(dark))


def painted(style):
    """(class, property) of each colour."""
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", style.replace("(prefers-color-scheme: dark) {", ""))
    return {
        (kind.strip().split("\n")[-1], name)
        for kinds, body in rules
        for kind in kinds.split(",")
        for name in re.findall(r"(fill|stroke): #", body)
    }


def scaled(release, factor):
    release = copy.deepcopy(release)
    for systems in release["cases"].values():
        for spread in systems.get("waymark", {}).get("ratios", {}).values():
            spread.update({name: value * factor for name, value in spread.items()})
    return release


if __name__ == "__main__":
    unittest.main()
