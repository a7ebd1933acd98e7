"""How small a change could be seen with the leaders, teams, places and months one has?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.plan import in_points, sizes
from evalkit.plan.in_points import Spread
from evalkit.plan.numbers import Numbers, numbers
from evalkit.plan.seen import ICC, LONGEST, STANDARD, Row, Seen, short, told
from evalkit.result import Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "How small a change could be seen?"
USUAL = "system_leadership"
"""The questionnaire whose points are spoken of where no other decides about leaders."""
METHOD = Method(
    name="The smallest true change that the test of each question finds clear at 97% in 80 of 100 evaluations",
    source="Paired t and t of team means: Cohen (1988), ch. 2; one series and places: simulated with the tests those "
    f"questions are answered by. {sizes.SOURCE}",
    assumes="Leaders and teams vary as normal numbers do; leaders of one team change alike to the extent that "
    f"{100 * ICC:.0f} in every 100 of the variance lies between teams; a month's events scatter more widely than "
    "chance (twice in one series, 1.6 times in each of several places) and months resemble their neighbours (0.8 and "
    "0.6); places would else have changed alike; the change lasts from the start.",
    design=Design.DESCRIBED,
)


def detectable_change(
    programme: Programme | None = None,
    *,
    leaders: int | None = None,
    teams: int | None = None,
    team_size: float | None = None,
    places: int | None = None,
    comparison: int | None = None,
    months: int | None = None,
    before: int | None = None,
    monthly: float | None = None,
    runs: int = 2000,
    seed: int = 1,
) -> Result:
    """How small a change could be seen with the leaders, teams, places and months one has?

    Needs: any of the numbers, or a `programme` to count them in; what is not given is taken from the programme, and
    otherwise a row that needs it is left out. `months` from the start to the end, `before` of figures before it,
    `monthly` events a place and month (36 months and 300 events where nobody says: the answer names what it assumed).
    "Seen" is what a verdict needs: the whole 97% interval on one side of no change, in 80 of 100 such evaluations.
    Leaders' and teams' changes are in standard deviations of one leader's change, and in points (`in_points`) where a
    programme's leaders answered twice already; population changes are ratios of rates. A smaller change may be there
    and not be seen. Errors: `NotEnoughEvidence` where nothing is known that could be tested.

    >>> found = detectable_change(leaders=8)
    >>> found.table["estimate"].round(2).tolist(), found.table["visible"].iloc[0]
    ([1.29, 1.63], 'only a very large change')
    """
    known = numbers(
        programme, leaders=leaders, teams=teams, team_size=team_size, places=places, comparison=comparison,
        months=months, before=before, monthly=monthly,
    )  # fmt: skip
    on = USUAL if programme is None else circumstances.primary(programme, "individual", USUAL)
    spread = in_points.of_leaders(programme, on)
    rows = [_in_points(row, spread) for row in Seen(known, runs, seed).rows]
    _refuse(rows, known)
    table = pd.DataFrame(rows).astype({"n": "Int64"})
    lead = next(at for at, row in enumerate(rows) if not row["why_not"])
    headline = Sentence(f"{rows[lead]['measure']}: {rows[lead]['visible']} could be seen", rows=(lead,))
    scale = "" if spread is None else spread.scale
    return Result.of(
        question=QUESTION,
        level=Level.PLAN,
        kirkpatrick=None,
        headline=headline,
        sentences=[Sentence(told(row, scale), rows=(at,)) for at, row in enumerate(rows) if not _of_some(row)],
        decided=described("A calculation; nothing is tested."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(rows, headline.text, circumstances.title(programme), known),
        chart=charts.named("placed"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED),
        cautions=_cautions(known, rows, _points(programme, on, spread)),
        about=circumstances.about(
            programme, f"plan.detectable_change({_again(known, runs, seed)})", n=None, of=None, counts="numbers"
        ),
    )


def _again(known: Numbers, runs: int, seed: int) -> str:
    """What was given, as the question is asked with it."""
    return ", ".join(
        [*known.said, *([f"runs={runs}"] if runs != 2000 else []), *([f"seed={seed}"] if seed != 1 else [])]
    )


def _refuse(rows: list[Row], known: Numbers) -> None:
    """Nothing can be said where no test is possible; each reason is given."""
    if all(row["why_not"] for row in rows):
        reasons = " ".join(dict.fromkeys(row["why_not"] for row in rows))
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"No test is possible with {known.given or 'no number of leaders, teams, places or months'}."
            + (f" {reasons}" if reasons else ""),
            would_answer="at least five leaders or teams, or twelve months on either side of the start, such as "
            "plan.detectable_change(leaders=8).",
        )


def _in_points(row: Row, spread: Spread | None) -> Row:
    """Standard deviations of a leader's change in points too, where the spread of such changes is known."""
    known = spread is not None and row["unit"] == STANDARD
    return row | {"in_points": row["estimate"] * spread.sd} if known and spread is not None else row


def _points(programme: Programme | None, on: str, spread: Spread | None) -> str:
    if programme is None or spread is None:
        return ""
    return in_points.from_whom(spread, programme.instruments[on], "leaders")


def _of_some(row: dict[str, Any]) -> bool:
    """The row of leaders of whom some do not answer twice: in the table and the chart only."""
    return str(row["group"]).endswith("answer twice") and not str(row["group"]).startswith("all")


def _marks(rows: list[dict[str, Any]], headline: str, title: str, known: Numbers) -> pd.DataFrame:
    drawn: list[dict[str, Any]] = [{"mark": "column", "x": column} for column in sizes.SHORT]
    for at, row in enumerate(rows):
        name = f"{row['measure']}: {row['group']}"
        drawn.append(
            {"mark": "placed", "series": name, "x": sizes.short(row["visible"]), "label": short(row), "row": at}
        )
    with_what = f"The smallest change that could be seen with {known.given}"
    return charts.marks(drawn, headline=headline, subtitle=f"{with_what}. {title}")


def _cautions(known: Numbers, rows: list[Row], points: str) -> list[Sentence]:
    said = ["A smaller change may be there and not be seen: not seeing it is not the same as no change."]
    if any(row["unit"] == STANDARD for row in rows):
        said.append(
            "A standard deviation says how far apart leaders' changes lie: about two in three lie within one of the "
            "average change."
        )
    said += [points] if points else []
    if known.leaders is not None and (known.teams or 0) >= LEAST_PAIRS:
        said.append(
            "Leaders of one team often change alike. The row of leaders leaves that out; where they belong to teams, "
            "go by the row of teams."
        )
    if any(row["n_of"] == "places" for row in rows):
        said.append(
            "The row of places is what population.against reads, one change a place; population.change reads the "
            "months of all programme places as one series."
        )
    if known.assumed:
        said.append(f"Assumed, for nobody gave it: {known.taken_as}.")
    if max(known.months or 0, known.before or 0) > LONGEST:
        said.append(f"Of the months on either side of the start {LONGEST} are counted, no more were tried.")
    return [Sentence(text) for text in said]
