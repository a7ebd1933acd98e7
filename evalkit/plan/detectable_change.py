"""How small a change could be seen with the leaders, teams, places and months one has?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.plan import sizes
from evalkit.plan.numbers import Numbers, numbers
from evalkit.plan.seen import Seen, size, told
from evalkit.result import Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import LEAST_PAIRS, LEAST_POINTS, described

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "How small a change could be seen?"
METHOD = Method(
    name="The smallest true change that the test of each question finds clear at 97% in 80 of 100 evaluations",
    source="Paired t and t of team means: Cohen (1988), ch. 2; one series and places: simulated with the tests those "
    f"questions are answered by. {sizes.SOURCE}",
    assumes="Leaders and teams vary as normal numbers do; a month's events scatter more widely than chance (twice in "
    "one series, 1.6 times in each of several places) and months resemble their neighbours (0.8 and 0.6); places would "
    "else have changed alike; the change lasts from the start.",
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
    Leaders' and teams' changes are in standard deviations of the change; population changes are ratios of rates. A
    smaller change may be there and not be seen. Errors: `NotEnoughEvidence` where nothing at all is known.

    >>> found = detectable_change(leaders=8)
    >>> found.table["estimate"].round(2).tolist(), found.table["visible"].iloc[0]
    ([1.3, 1.63], 'only a very large change')
    """
    known = numbers(
        programme, leaders=leaders, teams=teams, team_size=team_size, places=places, comparison=comparison,
        months=months, before=before, monthly=monthly,
    )  # fmt: skip
    rows = Seen(known, runs, seed).rows
    if not rows:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"No test is possible with {known.given or 'no number of leaders, teams, places or months'}.",
            would_answer="at least five leaders or teams, or twelve months on either side of the start, such as "
            "plan.detectable_change(leaders=8).",
        )
    table = pd.DataFrame(rows).astype({"n": "Int64"})
    headline = Sentence(f"{rows[0]['measure']}: {rows[0]['visible']} could be seen", rows=(0,))
    return Result.of(
        question=QUESTION,
        level=Level.PLAN,
        kirkpatrick=None,
        headline=headline,
        sentences=[Sentence(told(row), rows=(at,)) for at, row in enumerate(rows) if not _of_some(row)],
        decided=described("A calculation; nothing is tested."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(rows, headline.text, circumstances.title(programme), known),
        chart=charts.named("placed"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED),
        cautions=_cautions(known),
        about=circumstances.about(
            programme, f"plan.detectable_change({known.settings})", n=None, of=None, counts="numbers"
        ),
    )


def _of_some(row: dict[str, Any]) -> bool:
    """The row of leaders of whom some do not answer twice: in the table and the chart only."""
    return str(row["group"]).endswith("answer twice") and not str(row["group"]).startswith("all")


def _marks(rows: list[dict[str, Any]], headline: str, title: str, known: Numbers) -> pd.DataFrame:
    drawn: list[dict[str, Any]] = [{"mark": "column", "x": column} for column in sizes.SIZES]
    for at, row in enumerate(rows):
        label = "" if row["why_not"] else size(row).replace("standard deviations", "SD").replace("in every", "in")
        name = f"{row['measure']}: {row['group']}"
        drawn.append({"mark": "placed", "series": name, "x": row["visible"], "label": label, "row": at})
    return charts.marks(drawn, headline=headline, subtitle=f"What could be seen with {known.given}. {title}")


def _cautions(known: Numbers) -> list[Sentence]:
    said = ["A smaller change may be there and not be seen: not seeing it is not the same as no change."]
    if known.assumed:
        said.append(f"Assumed, for nobody gave it: {known.taken_as}.")
    for held, least, what in (
        (known.leaders, LEAST_PAIRS, "leaders"),
        (known.teams, LEAST_PAIRS, "teams"),
        (known.months, LEAST_POINTS, "months after the start"),
        (known.before, LEAST_POINTS, "months before the start"),
    ):
        if held is not None and held < least:
            said.append(f"Fewer than {least} {what} are described, never tested.")
    return [Sentence(text) for text in said]
