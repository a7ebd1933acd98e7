"""Charts: what is drawn is what the marks hold, and the description says it; nothing hangs on colour."""

from __future__ import annotations

import pkgutil

import pytest

from evalkit import charts
from evalkit.charts import style

EVERY = [module.name for module in pkgutil.iter_modules(charts.__path__) if module.name != "style"]
WORDS = {"headline": "Was 3.1, is now 3.4", "subtitle": "Score, Testmere", "x_axis": "points"}


def some(name: str):
    """Marks a chart of this name can draw."""
    three = range(3)
    months = [f"2024-0{k + 1}-01" for k in three]
    kinds = {
        "dots": [
            *({"mark": "point", "x": f"domain {k}", "y": 0.1 * k, "low": -0.2, "high": 0.9} for k in three),
            {"mark": "line", "y": 0.0, "label": "no change"},
            {"mark": "band", "low": -0.1, "high": 0.1, "label": "small"},
        ],
        "bars": [{"mark": "bar", "x": f"theme {k}", "y": float(k), "label": f"{k} of 9"} for k in three],
        "money": [
            *({"mark": "bar", "series": "paid", "x": f"payer {k}", "y": 9.0 * k, "label": f"£{9 * k}"} for k in three),
            {"mark": "bar", "series": "gained", "x": "payer 1", "y": -2.0, "low": -8, "high": 3.0, "label": "−£2"},
        ],
        "grid": [{"mark": "cell", "series": "Leaders", "x": f"step {k}", "y": k % 2, "label": "rose"} for k in three],
        "profile": [
            *({"mark": "point", "series": f"wave {k}", "x": "Culture", "y": 2.0 + k / 10} for k in three),
            {"mark": "scale", "low": 0, "high": 5},
        ],
        "among": [
            *({"mark": "band", "x": f"domain {k}", "low": 2.0, "high": 3.0, "label": "middle half"} for k in three),
            *({"mark": "other", "series": "others", "x": f"domain {k}", "y": 2.5} for k in three),
            *({"mark": "point", "series": "Testmere", "x": f"domain {k}", "y": 2.0 + k / 10} for k in three),
            {"mark": "scale", "low": 0, "high": 5},
        ],
        "panels": [
            *(
                {"mark": "point", "series": f"wave {wave}", "x": domain, "y": 2.0 + wave / 10 + place, "label": group}
                for wave in (1, 2)
                for group in ("Ashby", "Thornley")
                for place, domain in enumerate(("Culture", "Workforce"))
            ),
            {"mark": "scale", "low": 0, "high": 5},
        ],
        "cloud": [
            *({"mark": "ring", "series": "Programme", "y": 0.9 + k / 20} for k in three),
            *(
                {"mark": "heap", "series": "Names drawn", "low": 0.9 + k / 10, "high": 1 + k / 10, "n": 4}
                for k in three
            ),
            {"mark": "point", "x": "Programme", "y": 0.95, "low": 0.9, "high": 1.0},
            {"mark": "point", "x": "Names drawn", "y": 0.95},
            {"mark": "line", "y": 1.0, "label": "no change"},
        ],
        "placed": [
            *({"mark": "column", "x": column} for column in ("working", "uncertain", "not working")),
            {"mark": "placed", "series": "Promises", "x": "working", "label": "9 of 9"},
            {"mark": "placed", "series": "Meetings", "x": "not working", "label": "1 of 9"},
        ],
        "network": [
            *({"mark": "dot", "series": "organisation", "x": str(k), "n": 5} for k in three),
            {"mark": "link", "series": "0", "x": "1", "y": 4.0, "n": 5},
            {"mark": "link", "series": "1", "x": "2", "y": 12.0, "n": 5},
        ],
        "timeline": [
            *(
                {"mark": "point", "series": "Survey", "x": state, "y": y}
                for state, y in (("done", 0.0), ("to come", 6.0))
            ),
            {"mark": "event", "y": 4.0, "label": "data end"},
        ],
        "shares": [
            {"mark": "share", "series": answer, "x": f"item {k}", "y": y, "label": f"{y / 10:g}"}
            for answer, y in (("Disagree", 20.0), ("Neither", 30.0), ("Agree", 50.0))
            for k in three
        ],
        "variation": [
            *(
                {"mark": "point", "series": kind, "x": month, "y": 100.0 + k, "label": out}
                for k, (month, kind, out) in enumerate(
                    zip(
                        months,
                        ("common_cause", "special_cause_concern", "special_cause_concern"),
                        ("", "above the mean", "above the upper limit"),
                        strict=True,
                    )
                )
            ),
            *(
                {"mark": "line", "series": name, "x": month, "y": y, "row": 0}
                for name, y in (("mean", 100.0), ("upper limit", 120.0), ("lower limit", 80.0), ("target", 90.0))
                for month in months
            ),
            {"mark": "event", "x": "2024-02-01", "label": "programme starts"},
            {"mark": "icon", "series": "special_cause_concern", "x": "H", "label": "Last month: worse than usual"},
            {"mark": "icon", "series": "consistent_fail", "x": "F", "label": "Target: missed every month"},
        ],
        "funnel": [
            *(
                {
                    "mark": "place",
                    "series": who,
                    "x": 1000.0 * (k + 1),
                    "y": 100.0 + 30 * k,
                    "n": 9,
                    "row": k + 1,
                    "label": "above the upper 95% limit" if k == 2 else "within the limits",
                }
                for k, who in enumerate(("programme places", "programme places", "comparison places"))
            ),
            *({"mark": "line", "series": "average", "x": x, "y": 110.0, "row": 0} for x in (900.0, 3300.0)),
            *(
                {"mark": "line", "series": name, "x": x, "low": 110 - far / x, "high": 110 + far / x, "row": 0}
                for name, far in (("95% limits", 40_000), ("99.8% limits", 60_000))
                for x in (900.0, 3300.0)
            ),
        ],
        "gradient": [
            *({"mark": "tick", "x": f"fifth {k}", "y": 0.1 + 0.4 * k} for k in three),
            *(
                {
                    "mark": "point",
                    "series": f"year to {when}",
                    "x": f"fifth {k}",
                    "y": 9.0 - k,
                    "low": 8 - k,
                    "high": 10.0 - k,
                }
                for when in ("March 2024", "March 2026")
                for k in three
            ),
        ],
        "series": [
            *({"mark": "point", "series": "seen", "x": month, "y": 100.0} for month in months),
            *({"mark": "line", "series": "fitted", "x": month, "y": 101.0} for month in months),
            {"mark": "event", "x": "2024-02-01", "label": "programme starts"},
        ],
        "waves": [
            *({"mark": "tick", "x": f"wave {k}", "y": days} for k, days in enumerate((0.0, 200.0, 365.0))),
            *(
                {
                    "mark": "point",
                    "series": who,
                    "x": f"wave {k}",
                    "y": y,
                    "low": y - 0.1,
                    "high": y + 0.1,
                    "label": "dip" if who == "leaders" and k == 1 else "",
                }
                for who, scores in (("leaders", (3.0, 2.5, 3.2)), ("sponsors", (2.9, 3.0, 3.1)))
                for k, y in enumerate(scores)
            ),
            {"mark": "line", "series": "leaders", "y": 3.0, "label": "where leaders began"},
            {"mark": "scale", "low": 1, "high": 5},
        ],
    }
    return charts.marks(kinds[name], **WORDS)


@pytest.mark.parametrize("name", EVERY)
def test_a_chart_draws_and_says_its_marks(name):
    chart, drawn = charts.named(name), some(name)
    figure, axes = style.figure()
    chart.draw(drawn, axes)
    said = chart.describe(drawn)
    assert "Was 3.1, is now 3.4" in said
    assert "Score, Testmere" in said
    assert style.svg(figure).startswith("<?xml")
    if name == "timeline":
        assert "Survey: month 0 done, month 6 to come. Marked: data end, month 4." in said
    elif charts.of(drawn, "event"):
        assert "programme starts (February 2024)" in said
    else:
        assert all(str(mark.x) in said for mark in charts.of(drawn, "point", "bar", "cell", "share", "placed"))


def test_pounds_are_said_with_their_range():
    said = charts.named("money").describe(some("money"))
    assert "payer 0: paid £0; payer 1: paid £9, gained −£2 (−8 to 3); payer 2: paid £18." in said


def test_a_funnel_names_no_place_and_counts_those_outside():
    chart, drawn = charts.named("funnel"), some("funnel")
    said = chart.describe(drawn)
    assert "2 programme places and 1 comparison place, none named. Average 110." in said
    assert "95% limits: 65.6 to 154 for the smallest places, 97.9 to 122 for the largest." in said
    assert said.endswith("Places: 1 above the upper 95% limit; 2 within the limits.")
    _, axes = style.figure()
    chart.draw(drawn, axes)
    lines = {line.get_label(): line.get_linestyle() for line in axes.lines if not line.get_label().startswith("_")}
    assert len(lines) == len(set(lines.values())) == 3
    shapes = {len(dots.get_paths()[0].vertices) for dots in axes.collections}
    assert len(shapes) == 2, "a shape each, not a colour alone"
    assert "Nothing that may be shown" in chart.describe(drawn[drawn["mark"] != "place"])


def test_a_control_chart_says_its_limits_its_spells_and_its_icons():
    said = charts.named("variation").describe(some("variation"))
    assert "From January 2024: mean 100, limits 80.0 to 120. Target 90.0." in said
    assert "February 2024 to March 2024: above the mean and above the upper limit." in said
    assert "Last month: worse than usual. Target: missed every month." in said


def test_waves_stand_as_far_apart_as_they_were_and_half_the_scale_is_shown():
    chart, drawn = charts.named("waves"), some("waves")
    said = chart.describe(drawn)
    assert "leaders: wave 0 3.00 (2.90 to 3.10), wave 1 2.50 (2.40 to 2.60), dip, wave 2 3.20" in said
    assert said.endswith("Thin line at 3.00: where leaders began.")
    _, axes = style.figure()
    chart.draw(drawn, axes)
    assert axes.get_xticks().tolist() == [0, 200, 365]
    low, high = axes.get_ylim()
    assert high - low == pytest.approx(2.0)
    lines = [line for line in axes.lines if len(line.get_xdata()) == 3]
    assert {line.get_marker() for line in lines} == {"o", "s"}
    assert len({line.get_linestyle() for line in lines}) == 2
    named = [text.get_text() for text in axes.texts]
    assert {"● leaders", "■ sponsors", "dip"} <= set(named)


def test_names_of_waves_that_would_run_into_each_other_are_left_out():
    rows = [
        {"mark": "tick", "x": name, "y": at}
        for name, at in (("May 2024", 0.0), ("June 2024", 30.0), ("May 2026", 730.0))
    ]
    _, axes = style.figure()
    charts.named("waves").draw(charts.marks(rows, **WORDS), axes)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["May\n2024", "May\n2026"]


def test_a_network_says_how_many_are_joined_and_nothing_of_any_one():
    chart, drawn = charts.named("network"), some("network")
    said = chart.describe(drawn)
    assert "3 dots without names; a line joins 2 of 3 pairs. The thickest line stands for 12 of every 100 ties" in said
    without = drawn[drawn["x"].astype(str) != "2"]
    assert "2 dots without names; a line joins 1 of 1 pairs. The thickest line stands for 4" in chart.describe(without)
    alone = drawn[(drawn["mark"] != "link") & ~drawn["x"].astype(str).isin(["1", "2"])]
    assert "Nothing that may be shown" in chart.describe(alone)
    _, axes = style.figure()
    chart.draw(drawn, axes)
    *lines, dots = axes.lines[:3]
    assert [line.get_linewidth() for line in lines] == sorted(line.get_linewidth() for line in lines)
    assert lines[0].get_linewidth() < lines[1].get_linewidth()
    assert len(dots.get_xdata()) == 3


def test_every_kind_of_point_and_icon_differs_in_shape_and_not_in_colour_alone():
    from evalkit.charts.variation import _looks

    points = [look for kind, look in _looks().items() if kind.startswith(("common", "special"))]
    assert len({look.marker for look in points}) == len(points)
    assert len({look.words for look in points}) == len(points)
    for look in _looks().values():
        assert _contrast(look.ink, look.fill) >= 4.5


def test_numbers_in_a_bar_are_read_on_every_colour_of_a_scale():
    for steps in (2, 3, 4, 5, 7):
        for colour in style.ordered(steps):
            assert _contrast(style.ink_on(colour), colour) >= 4.5


@pytest.mark.parametrize("name", EVERY)
def test_a_chart_from_which_everything_was_withheld_still_draws_and_says_so(name):
    chart, drawn = charts.named(name), charts.marks([], **WORDS)
    _, axes = style.figure()
    chart.draw(drawn, axes)
    assert "Was 3.1" in chart.describe(drawn)


@pytest.mark.parametrize("name", EVERY)
def test_the_same_marks_give_the_same_bytes(name):
    def drawn() -> str:
        figure, axes = style.figure()
        charts.named(name).draw(some(name), axes)
        return style.svg(figure)

    assert drawn() == drawn()


def test_series_differ_in_shape_and_dash_and_not_in_colour_alone():
    assert len(set(style.SHAPES)) == len(set(style.DASHES)) == len(set(style.COLOURS)) == 4


def _luminance(colour: str) -> float:
    """WCAG 2.2 relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    from matplotlib.colors import to_hex

    bright, dark = sorted((_luminance(to_hex(one)), _luminance(to_hex(other))), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_colours_that_carry_meaning_stand_three_to_one_from_white():
    for colour in (*style.COLOURS, style.GREY):
        assert 1.05 / (_luminance(colour) + 0.05) >= 3
    assert 1.05 / (_luminance(style.GREY) + 0.05) >= 4.5  # words


def test_unknown_charts_and_words_are_refused():
    with pytest.raises(ValueError, match="no chart 'pie'; the charts are: among, bars, cloud, dots"):
        charts.named("pie")
    with pytest.raises(ValueError, match="no footer"):
        charts.marks([], footer="x")
