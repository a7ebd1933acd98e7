"""What a chart of variation says in words: what is usual, what stands out, whether a target is met, and every doubt."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.population.which_chart import NAMES, ROUGH
from evalkit.result import Sentence
from evalkit.stats import spc
from evalkit.stats.run_charts import FEW_USEFUL

if TYPE_CHECKING:
    from evalkit.population.which_chart import Drawn, Word

STANDS_OUT = {
    ("outside_limits", "high"): "above the upper limit",
    ("outside_limits", "low"): "below the lower limit",
    ("trend", "high"): "in a rise of seven or more in a row",
    ("trend", "low"): "in a fall of seven or more in a row",
    ("two_of_three", "high"): "near the upper limit, two of three in a row",
    ("two_of_three", "low"): "near the lower limit, two of three in a row",
    ("shift", "high"): "above the mean, seven or more in a row",
    ("shift", "low"): "below the mean, seven or more in a row",
    ("long_run", "high"): "above the median, unusually many in a row",
    ("long_run", "low"): "below the median, unusually many in a row",
}
"""Each rule and side in words."""
KINDS = {
    "common_cause": "within what is usual",
    "special_cause_improvement": "better than usual",
    "special_cause_concern": "worse than usual",
    "special_cause_neutral_high": "higher than usual",
    "special_cause_neutral_low": "lower than usual",
}
SHOWN = 3
"""Spells named in the sentence; the chart and its description hold them all."""
TARGETS = {
    "consistent_pass": ("P", "met every {each}, as things are"),
    "consistent_fail": ("F", "missed every {each}, as things are"),
    "inconsistent": ("?", "met in some {each}s, missed in others"),
}
"""The letter of each answer on a target, and its words."""
WIDER = 1.5
"""Points that differ so many times as much as chance alone would have them are said to (a judgement). Of 100 series of
points that differ by chance alone, 4 of 12 points do, and 1 of 24."""
LENGTHS = (12, 24, 60)
"""Points in the series whose false alarms were counted."""
BY_CHANCE: dict[Word, tuple[int, int, int]] = {"p": (4, 15, 45), "p_prime": (5, 16, 44), "run": (1, 3, 5)}
"""Of 100 series of so many independent points, how many have one that stands out, or runs that look unusual (simulated:
`tests/calibration_charts_of_counts.py`)."""
MEANS = (0.5, 1, 2, 3, 5, 10, 50)
BY_CHANCE_AND_MEAN: dict[Word, tuple[tuple[int, ...], ...]] = {
    "c": ((18, 11, 8, 7, 5, 5, 4), (42, 37, 28, 23, 20, 17, 15), (80, 81, 67, 60, 54, 48, 45)),
    "u": ((18, 10, 7, 6, 5, 5, 4), (42, 30, 23, 20, 19, 16, 15), (79, 69, 58, 54, 51, 48, 45)),
}
"""The same by length, and by the mean count of a point: rare counts are lopsided, and zeros come in rows."""


def points_of(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of single points."""
    return table[~table["what"].isin(("limits", "median"))]


def headline(drawn: Drawn, table: pd.DataFrame) -> Sentence:
    """How many stand out, or what is unusual about their runs, and how the last one lies."""
    points, each = points_of(table), drawn.points.each
    out = points[points["stands_out"] != ""]
    found = f"{words.counted(len(out), each)} of {len(points)} {'stands' if len(out) == 1 else 'stand'} out"
    if drawn.chart.runs is None:
        last = KINDS[drawn.chart.variation]
        text, rows = f"{found}; the last, {points['group'].iloc[-1]}, is {last}", (*out.index, points.index[-1])
    elif len(out):
        text, rows = f"{found} as an unusually long run", (*out.index,)
    else:
        few = drawn.chart.runs.crossings < drawn.chart.runs.crossings_min
        text = f"{each}s cross their median {'less often than is usual' if few else 'as often as is usual'}"
        rows = (len(drawn.chart.phases) - 1,)
    return Sentence(f"{drawn.points.measure.label}: {text}", rows=rows)


def sentences(drawn: Drawn, table: pd.DataFrame) -> list[Sentence]:
    """The level, the last point, what stands out, the target, and which chart it is where it is none of the usual."""
    points = points_of(table)
    said = [_level(drawn), _last(drawn, points), *_spells(drawn, points), *_target(drawn, points)]
    return [*said, *_which(drawn)]


def _level(drawn: Drawn) -> Sentence:
    """Since when, where, and what can be expected."""
    points, phases = drawn.points, drawn.chart.phases
    last, row = phases.iloc[-1], len(phases) - 1
    anew = f", since limits were drawn anew ({last['reason']})" if row else ""
    centre = "a mean" if drawn.limited else "a median"
    begun = (
        f"From {points.named(last['first'])} to {points.named(last['last'])}{anew}, {points.label} in "
        f"{words.counted(points.places, 'programme place')} had {centre} of {value(last['mean'])} {drawn.values}; "
    )
    if drawn.chart.runs is None:
        many = " with as many people as in the last" if drawn.stepped else ""
        low, high = limits(drawn, last["lower"], last["upper"])
        expected = words.between(low, high, _places(last["mean"]))
        return Sentence(
            f"{begun}by itself a {points.each}{many} can be expected {expected}.", rows=(row,), cells=("low", "high")
        )
    runs = drawn.chart.runs
    return Sentence(
        f"{begun}at most {words.counted(runs.longest_run, points.each)} in a row lie on one side of it (up to "
        f"{runs.longest_run_max} is usual), and they cross it {_times(runs.crossings)} ({runs.crossings_min} or more "
        "is usual).",
        rows=(row,),
    )


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n or 'no'} times")


def _last(drawn: Drawn, points: pd.DataFrame) -> Sentence:
    last = points.iloc[-1]
    how = f", {KINDS[drawn.chart.variation]}" if drawn.limited or last["stands_out"] else ""
    how += f": {last['stands_out']}" if last["stands_out"] else ""
    return Sentence(
        f"The last {drawn.points.each}, {last['group']}, was {value(last['estimate'])}{how}.", rows=(points.index[-1],)
    )


def _spells(drawn: Drawn, points: pd.DataFrame) -> list[Sentence]:
    """What stands out, one spell on one side after another, the latest first and the rest counted."""
    sides = zip(drawn.chart.points["side"], points.index.tolist(), strict=True)
    spells = [[row for _, row in held] for side, held in groupby(sides, key=lambda point: point[0]) if side]
    if not drawn.limited and not spells:
        return [_runs(drawn)]
    if not spells:
        return [Sentence(f"No {drawn.points.each} stands out.", rows=tuple(points.index))]
    latest = [_spell(points.loc[rows], drawn.points.each) for rows in spells[::-1][:SHOWN]]
    more = len(spells) - SHOWN
    text = f"What stands out, the latest first: {'; '.join(latest)}"
    text += f"; and {words.counted(more, 'earlier spell')}." if more > 0 else "."
    return [Sentence(text, rows=tuple(row for rows in spells for row in rows))]


def _runs(drawn: Drawn) -> Sentence:
    """What runs say where none is too long: that they are as usual, or that the median is crossed too seldom."""
    runs, row = drawn.chart.runs, len(drawn.chart.phases) - 1
    if runs is not None and runs.crossings < runs.crossings_min:
        return Sentence("So few crossings are seldom seen where the level stays the same.", rows=(row,))
    return Sentence("Nothing in this is unusual.", rows=(row,))


def _spell(spell: pd.DataFrame, each: str) -> str:
    """When, how long, and by which rules."""
    when = spell["group"].iloc[0] if len(spell) == 1 else f"{spell['group'].iloc[0]} to {spell['group'].iloc[-1]}"
    long = "" if len(spell) == 1 else f", {len(spell)} {each}s"
    return f"{when}{long} ({' and '.join(spell['stands_out'].unique())})"


def _target(drawn: Drawn, points: pd.DataFrame) -> list[Sentence]:
    """Whether the last target can be met, and how often those of a trajectory were."""
    chart, each = drawn.chart, drawn.points.each
    said = []
    if chart.target is not None and chart.assurance:
        _, meaning = meaning_of(drawn)
        of = f" of the last {each}," if moves(drawn) else " of"
        row = len(chart.phases) - 1
        rows = (row, points.index[-1]) if moves(drawn) else (row,)
        comma = "," if moves(drawn) else ""
        said.append(Sentence(f"The target{of} {value(chart.target)}{comma} would be {meaning}.", rows))
    if drawn.target is not None and (moves(drawn) or not drawn.limited):
        had = points[points["target"].notna()]
        over, under = had["estimate"] >= had["target"], had["estimate"] <= had["target"]
        met = int((over if drawn.points.measure.better == "higher" else under).sum())
        said.append(Sentence(f"Targets were met in {words.of(met, len(had))} {each}s.", rows=tuple(had.index)))
    return said


def moves(drawn: Drawn) -> bool:
    """Whether the target is a trajectory: not the same all the time."""
    return drawn.target is not None and len(set(drawn.target)) > 1


def meaning_of(drawn: Drawn) -> tuple[str, str]:
    """The letter and the words of whether the target can be met."""
    letter, meaning = TARGETS[drawn.chart.assurance]
    return letter, meaning.format(each=drawn.points.each)


def _which(drawn: Drawn) -> list[Sentence]:
    """Which chart it is, where it is not the XmR chart that readers of Making Data Count know."""
    if drawn.word == "xmr":
        return []
    each, kind = drawn.points.each, NAMES[drawn.word]
    if drawn.word == "run":
        return [Sentence(f"This is {kind}: a median, and no limits.")]
    if drawn.word == "c":
        return [Sentence(f"This is {kind}: it counts as if there were as many people in every {each}.")]
    return [Sentence(f"This is {kind}: limits widen where a {each} has fewer people.")]


def cautions(drawn: Drawn, rivals: tuple[str, ...], *, screened: bool) -> list[Sentence]:
    """What the chart does not show, the main doubt first."""
    points, phases = drawn.points, drawn.chart.phases
    said = []
    if points.measure.seasonal:
        said.append("This measure follows the time of year, and a season stands out on this chart like anything else.")
    said.append(
        f"A {points.each} that stands out asks for a look; the chart does not say whether the programme had a part in "
        "it."
    )
    said += _chance(drawn, screened)
    said += _few(drawn)
    if points.unfinished:
        said.append(f"{points.unfinished} was not over on the day the data speak of, and is left out.")
    said += _broken(drawn)
    if "screened" in phases and phases["screened"].sum():
        steps = words.counted(int(phases["screened"].sum()), "unusually large step")
        said.append(
            f"{words.sentence_case(steps)} from one {points.each} to the next did not count towards the limits."
        )
    said += [*_rough(drawn), *_impossible(drawn)]
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return [Sentence(text) for text in said]


def _chance(drawn: Drawn, screened: bool) -> list[str]:
    """How often a series in which nothing happens stands out, where that was counted."""
    each, plain = drawn.points.each, drawn.word != "xmr" or screened
    if len(drawn.chart.phases) > 1 or _narrow(drawn) or not plain:
        return []
    found = spc.by_chance(drawn.chart.n) if drawn.word == "xmr" else by_chance(drawn)
    if found is None:
        return []
    still = f"a {each} that stands out" if drawn.limited else "runs that look unusual"
    return [
        f"Where nothing happens, about {found} of every 100 series this long still have {still}; more, where {each}s "
        "hang together."
    ]


def by_chance(drawn: Drawn) -> int | None:
    """Of 100 such series of independent points, how many stand out; None where none so short, long or rare was counted.

    Between two lengths, and two means, that were counted on the straight line that joins them."""
    n = drawn.chart.n
    if not LENGTHS[0] <= n <= LENGTHS[-1]:
        return None
    if drawn.word in BY_CHANCE:
        return round(float(np.interp(n, LENGTHS, BY_CHANCE[drawn.word])))
    mean = float(drawn.points.rows["count"].mean())
    table = BY_CHANCE_AND_MEAN["c" if drawn.word == "c" else "u"]
    each = [float(np.interp(mean, MEANS, counted)) for counted in table]
    return round(float(np.interp(n, LENGTHS, each))) if mean >= MEANS[0] else None


def _few(drawn: Drawn) -> list[str]:
    """Too few points for limits that stay, or for runs that say something."""
    points, phases, said = drawn.points, drawn.chart.phases, []
    if not drawn.limited:
        said.append(f"A run chart sees a change that lasts; it does not see a single {points.each} far out.")
        for useful in phases.loc[phases["useful"] < FEW_USEFUL, "useful"]:
            said.append(
                f"Only {words.counted(int(useful), points.each)} lie off the median, for which runs say little."
            )
        return said
    for row in phases[phases["n"] < spc.FEW].to_dict("records"):
        since = f" since {points.named(row['first'])}" if len(phases) > 1 else ""
        said.append(
            f"Only {words.counted(row['n'], points.each)}{since}: trial limits, which will move as {points.each}s are "
            "added."
        )
    return said


def _broken(drawn: Drawn) -> list[str]:
    """Changes of definition or boundary at which limits were not drawn anew: in that period, or from the next."""
    periods = drawn.points.periods
    anew = set(drawn.chart.phases["first"])
    events = drawn.points.events
    events = events[events["kind"].isin(("definition_change", "boundary_change"))]
    left = []
    for row in events.to_dict("records"):
        at = int(periods.searchsorted(row["starts_on"], side="right")) - 1
        if not anew & set(periods.iloc[max(at, 0) : at + 2]):
            left.append(row["name"])
    what = "limits were" if drawn.limited else "the median was"
    return [f"The series was broken, and {what} not drawn anew there: {words.listed(left)}."] if left else []


def _rough(drawn: Drawn) -> list[str]:
    """Counts too small for their limits, and points that differ more than the limits allow for."""
    points, each, said = drawn.points, drawn.points.each, []
    mean = points.rows["count"].mean() if points.counted else np.inf
    if drawn.word == "xmr" and mean < ROUGH:
        said.append(f"There are fewer than {ROUGH} a {each} on average, for which these limits are rough.")
    if drawn.limited and mean < 1:
        longer = "; the same figures by the quarter or the year would say more" if points.span == 1 else ""
        said.append(f"There are fewer than one a {each} on average, for which no limits say much{longer}.")
    if _narrow(drawn):
        said.append(
            f"{words.sentence_case(each)}s differ more than chance alone would have them, so these limits are narrow, "
            f"and too many stand out; {NAMES['p_prime' if drawn.word == 'p' else 'u_prime']} widens them for that."
        )
    return said


def _narrow(drawn: Drawn) -> bool:
    """Whether points differ by more than the limits of a p or u chart allow for."""
    phases = drawn.chart.phases
    return drawn.word in ("p", "u") and bool((phases["sigma_z"] > WIDER)[phases["n"] >= spc.FEW].any())


def _impossible(drawn: Drawn) -> list[str]:
    """Limits where nothing can be."""
    phases, said = drawn.chart.phases, []
    if drawn.points.counted and phases["lower"].lt(0).any():
        said.append("The lower limit lies below nought, where nothing can fall; it is drawn at nought.")
    if drawn.points.share and phases["upper"].gt(drawn.points.per).any():
        most = f"{drawn.points.per:g}"
        said.append(f"The upper limit lies above {most} in every {most}, where nothing can be; it is drawn at {most}.")
    return said


def limits(drawn: Drawn, lower: float, upper: float) -> tuple[float, float]:
    """Limits as they are drawn: counts and rates cannot fall below nought, shares not rise above all; scores may."""
    low = max(0.0, lower) if drawn.points.counted else lower
    return low, min(drawn.points.per, upper) if drawn.points.share and drawn.points.known else upper


def value(number: float) -> str:
    """A value with three significant figures, two decimals at most."""
    return words.number(number, _places(number))


def _places(number: float) -> int:
    return 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
