"""What does a measure do by itself from month to month, and what stands out?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import KEEPS, TELLS
from evalkit.evidence import attribution, grade
from evalkit.population import points as figures
from evalkit.population import stands_out, told_beside, which_chart
from evalkit.population.stands_out import KINDS, STANDS_OUT
from evalkit.result import ALL, Method, Result
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.population.which_chart import Drawn
    from evalkit.programme import Programme

QUESTION = "What does this measure do from month to month, and what stands out?"
LETTERS = {"high": "H", "low": "L", "": "~"}
"""What stands in the icon of the last point."""
COLUMNS = ("measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "what", "stands_out")


def variation(
    programme: Programme,
    *,
    measure: str,
    chart: str | None = None,
    screen: bool = True,
    rebase: Mapping[date | str, str] | None = None,
) -> Result:
    """What does this measure do from month to month, and what stands out?

    Needs: figures in `outcomes` by month, quarter or year, all of one length; rates where `denominators`, or the rows
    themselves, say out of how many. All programme places together; comparison places are left out.

    `chart`: without it the one that fits, and the method says why. `xmr` as NHS Making Data Count has it, for ten
    events or more a month and for scores; `p` for so many of so many, its limits wider where there are fewer people;
    `p_prime` where those are a thousand or more and differ by more than chance alone; `u` (or `c`, where nobody says
    out of how many) for fewer than ten a month; `run`, a median without limits, for fewer than twelve points and for
    points half a year apart, where ten lie off the median. `u_prime` is drawn where it is asked for.

    Limits show what the months do by themselves, and a month that stands out asks for a look. It does not test the
    programme: a series that stands out may do so everywhere. Where a measure follows the time of year, a season stands
    out like anything else. `rebase` gives each month from which limits are drawn anew with the reason; without it, what
    `[plan.rebase]` declares. The target is that of the measure, and from each month of `[plan.trajectory]` what stands
    there. `screen=False` draws the limits of an XmR chart as the Making Data Count workbook does.

    Extra columns: n_of, what (limits, or median: a row from one redrawing to the next, its limits those of its last
    point; month, quarter or year: a point), stands_out (the rule in words, blank where it is usual), target where there
    is one, out_of where it is shares, and on a run chart longest_run, longest_run_max, crossings, crossings_min.

    Errors: `NotEnoughEvidence` for fewer than six points in a row (three six-monthly scores have no limits), for gaps,
    and for months beside quarters; ValueError for a chart that there is not, or that such figures cannot be drawn as.

    >>> import evalkit as ek
    >>> northmere = ek.load("sample_data/northmere")
    >>> variation(northmere, measure="emergency_admissions_65_plus").table["interval"].iloc[0]
    'process limits'
    >>> variation(northmere, measure="joined_up_care").method.name.split("; ")[1]
    'chosen for shares out of 1,785 people a quarter on average'
    """
    points = figures.points(programme, circumstances.measure(programme, measure))
    drawn = which_chart.drawn(points, asked=chart, screen=screen, rebase=rebase)
    table = _table(drawn)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.DESCRIBED, informants=("routine records",), rivals=rivals)
    decided = described("A chart of variation shows what is usual and what stands out; it does not test the programme.")
    headline = stands_out.headline(drawn, table)
    return Result.of(
        question=QUESTION,
        level=Level.POPULATION,
        kirkpatrick=Step.RESULTS,
        headline=headline,
        sentences=stands_out.sentences(drawn, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(drawn, table, headline.text),
        chart=charts.named("variation"),
        method=Method(
            name=drawn.method,
            source=which_chart.SOURCES[drawn.word],
            assumes=which_chart.ASSUMES[drawn.word].format(each=points.each),
            design=Design.DESCRIBED,
        ),
        evidence=evidence,
        cautions=stands_out.cautions(drawn, rivals, screened=screen),
        about=circumstances.about(
            programme,
            f"population.variation({_settings(measure, chart, screen, rebase)})",
            n=drawn.chart.n,
            of=None,
            counts=f"{points.each}s",
            beneficiary=points.measure.beneficiary,
        ),
        details=drawn.chart,
    )


def _settings(measure: str, chart: str | None, screen: bool, rebase: Mapping[date | str, str] | None) -> str:
    """The settings as they were given, those left alone left out."""
    given = [f"measure={measure!r}", f"chart={chart!r}" if chart else "", "" if screen else "screen=False"]
    return ", ".join(filter(None, [*given, f"rebase={dict(rebase)!r}" if rebase else ""]))


def _table(drawn: Drawn) -> pd.DataFrame:
    """A row a phase (`what` limits or median), then a row a point (`what` month, quarter or year)."""
    points, phases = drawn.points, drawn.chart.phases
    held = drawn.chart.points
    limits = pd.DataFrame(
        {
            "group": ALL if len(phases) == 1 else [f"from {points.named(first)}" for first in phases["first"]],
            "estimate": phases["mean"],
            "low": phases["lower"],
            "high": phases["upper"],
            "n": phases["n"],
            "n_of": f"{points.each}s",
            "what": "limits" if drawn.limited else "median",
            "stands_out": "",
        }
    )
    each = pd.DataFrame(
        {
            "group": [points.named(when) for when in held.index],
            "estimate": held["value"].to_numpy(),
            "low": held["lower"].to_numpy(),
            "high": held["upper"].to_numpy(),
            "n": points.rows["count"].to_numpy() if points.counted else pd.NA,
            "n_of": "events",
            "what": points.each,
            "stands_out": [STANDS_OUT.get(found, "") for found in zip(held["rule"], held["side"], strict=True)],
        }
    )
    if drawn.target is not None:
        each = each.assign(target=drawn.target)
    if points.share:
        each = each.assign(out_of=points.rows["people"].round().astype("Int64").to_numpy())
    if points.counted:
        each = each.assign(**{TELLS: _tells(drawn).to_numpy()})
    if drawn.chart.runs is not None:
        limits = limits.assign(**{name: phases[name].astype("Int64") for name in type(drawn.chart.runs).__slots__[1:]})
    table = pd.concat([limits.astype({"n": "Int64"}), each.astype({"n": "Int64"})], ignore_index=True)
    table = table.astype({name: "Int64" for name in ("out_of", TELLS) if name in table})
    asked = _few_asked(drawn)
    if asked.any():  # the limits of a phase are those of its last point, and tell how many were asked
        ends = asked.to_numpy()[held.index.get_indexer(pd.Index(phases["last"]))]
        table[KEEPS] = pd.Series("low; high", index=phases.reset_index().index[ends]).reindex(table.index)
    interval = "process limits" if drawn.limited else "none given"
    table = table.assign(measure=points.measure.label, interval=interval, unit=drawn.values)
    return table[[*COLUMNS, *(name for name in table.columns if name not in COLUMNS)]]


def _tells(drawn: Drawn) -> pd.Series[int]:
    """How few each point would tell beside what other questions say of its year; missing where it may be shown."""
    points, counted = drawn.points, drawn.points.rows[["count"]].astype(float)
    if points.share:
        counted = counted.assign(rest=points.rows["people"] - counted["count"])
    sets = told_beside.times(points.programme, points.measure, points.periods, points.span)
    return told_beside.tells(counted, sets, points.programme.minimum_group)


def _few_asked(drawn: Drawn) -> pd.Series[bool]:
    """At which points so few were asked that the limits there would tell how many."""
    points = drawn.points
    if not (points.share and drawn.stepped):
        return pd.Series(False, index=points.rows.index)
    return points.rows["people"].between(1, points.programme.minimum_group - 1)


def _marks(drawn: Drawn, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    points, held, first = drawn.points, drawn.chart.points, len(drawn.chart.phases)
    at = [f"{when:%Y-%m-%d}" for when in held.index]
    told = stands_out.points_of(table)
    befell = told["n"].to_numpy(dtype=float, na_value=float("nan"))
    each = zip(at, held["point_type"], held["value"], befell, told["stands_out"], strict=True)
    marks: list[dict[str, Any]] = [
        {"mark": "point", "series": kind, "x": when, "y": value, "n": n, "row": first + place, "label": out}
        for place, (when, kind, value, n, out) in enumerate(each)
    ]
    return charts.marks(
        [*marks, *_lines(drawn, at), *_happened(drawn), *_icons(drawn, len(table) - 1),
         {"mark": "covers", "y": points.span}],
        headline=headline,
        subtitle=f"{points.measure.label} {drawn.values}, {words.counted(points.places, 'programme place')}, "
        f"{points.named(held.index[0])} to {points.named(held.index[-1])}",
    )  # fmt: skip


def _lines(drawn: Drawn, at: list[str]) -> list[dict[str, Any]]:
    """The mean (or median), limits and target at each point; limits that tell how few were asked bear that number."""
    lines: list[dict[str, Any]] = []
    people = drawn.points.rows["people"] if drawn.points.share else drawn.points.periods.map(lambda _: None)
    asked = people.where(_few_asked(drawn), None)
    for when, point, few in zip(at, drawn.chart.points.to_dict("records"), asked, strict=True):
        levels = {"median": point["mean"]}
        if drawn.limited:
            low, high = stands_out.limits(drawn, point["lower"], point["upper"])
            levels = {"mean": point["mean"], "upper limit": high, "lower limit": low}
        lines += [{"mark": "line", "series": name, "x": when, "y": y, "row": point["phase"]}
                  | ({"n": few, "row": None} if few and name.endswith("limit") else {})
                  for name, y in levels.items()]  # fmt: skip
    if drawn.target is None:
        return lines
    last, aims = len(drawn.chart.phases) - 1, list(zip(at, drawn.target, strict=True))
    if not stands_out.moves(drawn):
        aims = [aims[0], aims[-1]]
    return lines + [{"mark": "line", "series": "target", "x": when, "y": y, "row": last} for when, y in aims if y == y]


def _happened(drawn: Drawn) -> list[dict[str, Any]]:
    """The start, registered events, and each rebase with its reason, in order."""
    begun, periods = drawn.points.programme.starts_on, drawn.points.periods
    within = periods.min(), periods.max() + pd.DateOffset(months=drawn.points.span)
    named = [(row["starts_on"], row["name"]) for row in drawn.points.events.to_dict("records")]
    if begun is not None and within[0] <= pd.Timestamp(begun) < within[1]:
        named.append((pd.Timestamp(begun), "programme starts"))
    anew = "limits" if drawn.limited else "median"
    named += [
        (row["first"], f"{anew} drawn anew: {row['reason']}") for row in drawn.chart.phases[1:].to_dict("records")
    ]
    return [{"mark": "event", "x": f"{when:%Y-%m-%d}", "label": what} for when, what in sorted(named)]


def _icons(drawn: Drawn, last: int) -> list[dict[str, Any]]:
    chart = drawn.chart
    if not drawn.limited:  # a single point never stands out on a run chart
        return []
    icons = [{"mark": "icon", "series": chart.variation, "x": LETTERS[chart.side], "row": last,
              "label": f"Last {drawn.points.each}: {KINDS[chart.variation]}"}]  # fmt: skip
    if chart.assurance:
        letter, meaning = stands_out.meaning_of(drawn)
        icons.append({"mark": "icon", "series": chart.assurance, "x": letter, "row": last,
                      "label": f"Target: {meaning}"})  # fmt: skip
    return icons
