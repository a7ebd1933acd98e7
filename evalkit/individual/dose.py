"""Did those who came more change more?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import coming, ratings
from evalkit.individual.came_to import BY, explored
from evalkit.individual.coming import HALF, Attended, Slope, attended, changed
from evalkit.individual.compared import Compared, compared, known_domain, usual
from evalkit.result import ALL, FIRST, Method, Result, Sentence
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "Did those who came more change more?"
SESSION, ALIKE, HOUR = "each further session", "each further session, began alike", "each further hour"
CHANGED, APART = "change", "difference"
"""Values of the column `what`."""
LITTLE, MUCH = "came to half or less", "came to more than half"
METHOD = Method(
    name="Least-squares slope of each leader's change on how many sessions they came to, as it is and among leaders "
    "of the same first score; mean change of those who came to half or less of what was offered, and to more",
    source=f"CR2 over teams (over people when fewer than {ratings.LEAST_TEAMS} teams are known): Pustejovsky and "
    "Tipton 2018, J. Business & Economic Statistics 36(4), 672-683. Same first score: Senn 2006, Statistics in "
    "Medicine 25(24), 4334-4344.",
    assumes="The attendance register is complete for the leaders on it; each further session goes with as much as "
    "the one before; people (or teams) are independent.",
    design=Design.DESCRIBED,
)
DECIDED = "Nobody drew lots over who came: leaders came as they wished and could."


@dataclass(frozen=True, slots=True, eq=False)
class _Went:
    """Leaders rated at both waves with how they changed, what they came to, and the table of both."""

    asked: Compared
    domain: str
    moved: pd.DataFrame
    came: Attended
    table: pd.DataFrame
    confidence: float

    def row(self, what: str, group: str = ALL) -> dict[str, Any] | None:
        """The row that says this of this group, with its place in the table as `row`; None where there is none."""
        held = self.table[(self.table["what"] == what) & (self.table["group"] == group)]
        if held.empty:
            return None
        return {str(name): value for name, value in held.iloc[0].items()} | {"row": int(held.index[0])}


def dose(
    programme: Programme,
    *,
    on: str | None = None,
    rater: str = "self",
    domain: str | None = None,
    by: str | None = None,
    between: tuple[int, int] | None = None,
    confidence: float = 0.95,
) -> Result:
    """Did those who came more change more?

    Needs: `responses` about persons on the instrument `on`, at two waves under the same id; `attendance` and `sessions`
    held between them. Of leaders rated at both waves: how their change on `domain` (as declared, else the whole) goes
    with the sessions they came to. Whoever comes more differs in other ways, and coming less may follow from changing
    less: nothing here says what coming does. Low scorers rise more whatever they come to, so the slope among leaders
    who began alike stands beside it. `by="intervention"` goes through the kinds of session on the menu, and every
    domain unless one is named; `by="domain"` through the domains: explored, judged together, not tested.
    Columns: n_of; what (each further session, the same among those who began alike, each further hour, change,
    difference); sessions (mean number come to); tells (fewer people than the minimum, whom the row would tell). With
    `by`: n_of; adjusted_p; clear (higher or lower, when judged together).
    Errors: `NotEnoughEvidence` without attendance, with fewer than five leaders of whom both are known, or where all
    came to as many; ValueError for another `by`, domain or `between`.

    >>> import evalkit as ek
    >>> dose(ek.load("sample_data/northmere")).verdict
    <Verdict.DESCRIBED: 'described'>
    """
    if by is not None and by not in BY:
        raise ValueError(f"by={by!r} is not known; there are: {words.listed([*BY])}.")
    share(confidence)
    on = usual(programme, on)
    asked = compared(programme, on, rater, between, QUESTION)
    key = known_domain(programme, asked.instrument, domain)
    came = attended(asked, QUESTION)
    told = {"on": on, "rater": rater, "domain": domain, "by": by, "between": (asked.first, asked.last)}
    call = f"individual.dose({', '.join(f'{name}={value!r}' for name, value in told.items() if value)})"
    if by is not None:
        return explored(asked, came, by, domain, confidence, QUESTION, call)
    moved = changed(asked, key)
    moved = moved[moved.index.isin(came.sessions.index)]
    went = _Went(asked, key, moved, came, _table(asked, key, moved, came, confidence), confidence)
    evidence = grade(Design.DESCRIBED, informants=(rater,), rivals=circumstances.rivals(programme))
    decided = described(DECIDED)
    headline = _headline(went)
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(went),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=went.table,
        marks=_marks(went, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(went),
        about=circumstances.about(
            programme, call, n=len(moved), of=len(circumstances.taking_part(programme)) or None, counts="leaders"
        ),
        details=came.log,
    )


def _table(asked: Compared, domain: str, moved: pd.DataFrame, came: Attended, confidence: float) -> pd.DataFrame:
    """Slopes a session and an hour, then the change of those who came little and of those who came much."""
    programme, label = asked.programme, asked.instrument.domain_labels[domain]
    sessions = came.sessions.reindex(moved.index)
    whole = coming.slope(programme, moved, sessions, confidence)
    if whole is None:
        raise _refused(asked, len(moved), label)
    slopes = {
        SESSION: whole,
        ALIKE: coming.slope(programme, moved, sessions, confidence, alike=True),
        HOUR: coming.slope(programme, moved, came.hours, confidence),
    }
    said = {"measure": label, "n_of": "leaders", "sessions": float("nan"), TELLS: None}
    rows = [
        said | _row(what, ALL, found, "points an hour" if what == HOUR else "points a session", confidence)
        | {"sessions": sessions.mean(), TELLS: _few(programme, found.apart)}
        for what, found in slopes.items() if found is not None
    ]  # fmt: skip
    if came.offers_known:
        rows += [said | row for row in _bands(asked, moved, came, confidence)]
    table = pd.DataFrame(rows).reindex(columns=[*FIRST, "n_of", "what", "sessions", TELLS])
    return table.astype({"n": "Int64", TELLS: "Int64"})


def _refused(asked: Compared, n: int, label: str) -> NotEnoughEvidence:
    """Why nothing can be said: too few are known, or all came as much."""
    few = n < LEAST_PAIRS
    return NotEnoughEvidence(
        QUESTION,
        missing=f"Of {words.counted(n, 'leader')} both a change on {label} and attendance are known; {LEAST_PAIRS} are "
        "needed."
        if few
        else f"All {n} leaders rated at both waves came to the same number of sessions.",
        would_answer="the same leaders' ratings at two waves, and who came to the sessions between them."
        if few
        else "nothing in these data: where all came alike, coming more cannot be set beside coming less.",
    )


def _few(programme: Programme, people: int) -> int | None:
    return people if people < programme.minimum_group else None


def _row(what: str, group: str, found: Slope, unit: str, confidence: float) -> dict[str, Any]:
    """The first columns of a row; no interval where there is none."""
    none = pd.isna(found.low)
    return {
        "group": group, "estimate": found.estimate, "low": found.low, "high": found.high,
        "interval": "none given" if none else f"{confidence:.0%} confidence", "n": found.n, "unit": unit, "what": what,
    }  # fmt: skip


def _bands(asked: Compared, moved: pd.DataFrame, came: Attended, confidence: float) -> list[dict[str, Any]]:
    """The mean change of those who came to half or less of what was offered to them, of the others, and between."""
    programme, unit = asked.programme, ratings.points(asked.instrument)
    much = (came.parts.reindex(moved.index) > HALF).astype(float)
    sessions = came.sessions.reindex(moved.index)
    rows = []
    for group, own in ((LITTLE, moved[much == 0]), (MUCH, moved[much == 1])):
        if own.empty:
            continue
        estimate, low, high = coming.mean(programme, own["moved"], confidence)
        found = Slope(estimate, low, high, float("nan"), len(own), len(own))
        rows.append(_row(CHANGED, group, found, unit, confidence) | {"sessions": sessions[own.index].mean()})
    least = int(min(much.sum(), (1 - much).sum()))
    apart = coming.slope(programme, moved, much, confidence) if least >= LEAST_PAIRS else None
    if apart is not None:
        rows.append(_row(APART, ALL, apart, unit, confidence) | {TELLS: _few(programme, least)})
    return rows


def _headline(went: _Went) -> Sentence:
    found = went.row(SESSION)
    assert found is not None
    size = f"{words.higher(found['estimate'], _places(found))} a session"
    if pd.isna(found["low"]):
        return Sentence(f"Change with how much leaders came: {size}, no interval given", (found["row"],))
    size += f" ({words.span(found['low'], found['high'])})"
    if found["low"] > 0 or found["high"] < 0:
        way = "higher" if found["low"] > 0 else "lower"
        return Sentence(f"The more leaders came, the {way} their change: {size}", (found["row"],))
    return Sentence(f"Those who came more did not clearly change more or less: {size}", (found["row"],))


def _places(row: dict[str, Any]) -> int:
    return 2 if pd.isna(row["low"]) else words.decimals(row["low"], row["high"])


def _told(went: _Went, row: dict[str, Any], *, unit: str = "") -> str:
    """An estimate with its direction and, where it has one, its interval."""
    size = words.higher(row["estimate"], _places(row), unit)
    if pd.isna(row["low"]):
        return size
    return f"{size} ({words.span(row['low'], row['high'])}, {went.confidence:.0%} interval)"


def _sentences(went: _Went) -> list[Sentence]:
    """The slope, the same among leaders who began alike, and the change of those who came little and much."""
    asked, found, alike = went.asked, went.row(SESSION), went.row(ALIKE)
    assert found is not None
    text = (
        f"{words.sentence_case(ratings.rated(asked.rater))}; of {found['n']}, both ratings ({asked.when(asked.first)} "
        f"and {asked.when(asked.last)}) and attendance are known. For each further session leaders came to, the change "
        f"on the {asked.instrument.name} was {_told(went, found, unit=' points')}."
    )
    said = [Sentence(text, (found["row"],))]
    if alike is not None:
        text = f"Among leaders who began at the same score it was {_told(went, alike, unit=' points')}."
        said.append(Sentence(text, (alike["row"],)))
    little, much = went.row(CHANGED, LITTLE), went.row(CHANGED, MUCH)
    if little is not None and much is not None:
        text = (
            f"The {much['n']} who came to more than half of what was offered to them changed by {_moved(went, much)}; "
            f"the {words.counted(little['n'], 'other')} by {_moved(went, little)}."
        )
        said.append(Sentence(text, (much["row"], little["row"])))
    return said


def _moved(went: _Went, row: dict[str, Any]) -> str:
    size = words.number(row["estimate"])
    if pd.isna(row["low"]):
        return size
    return f"{size} ({words.span(row['low'], row['high'])}, {went.confidence:.0%} interval)"


def _marks(went: _Went, headline: str) -> pd.DataFrame:
    """The change of those who came little and much and its distance; the slopes, where offers are not known."""
    asked, table = went.asked, went.table
    banded = table[table["what"].isin([CHANGED, APART])]
    drawn = banded if len(banded) > 1 else table[table["what"].isin([SESSION, ALIKE])]
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": row["what"], "y": row["estimate"], "low": row["low"], "high": row["high"],
         "n": row["n"], "row": at,
         "x": words.sentence_case(row["what"] if row["group"] == ALL else row["group"])}
        for at, row in drawn.to_dict("index").items()
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 0.0, "label": "no change" if len(banded) > 1 else "no higher and no lower"})
    sure = f", {went.confidence:.0%} intervals" if drawn["low"].notna().any() else ""
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Change in {asked.instrument.name} by sessions come to, {ratings.rated(asked.rater)}, "
        f"{asked.when(asked.first)} to {asked.when(asked.last)}",
        x_axis=f"points, later minus earlier{sure}" if len(banded) > 1 else f"points a session{sure}",
    )


def _cautions(went: _Went) -> list[Sentence]:
    """What would mislead: who comes more, who is not here, and what the register does not hold."""
    asked, programme = went.asked, went.asked.programme
    said = [*coming.DIFFER, coming.PRESENT]
    unlisted = len(changed(asked, went.domain)) - len(went.moved)
    if unlisted:
        some = str(unlisted) if unlisted >= programme.minimum_group else "A few"
        said.append(f"{some} of those rated at both times stand on no attendance list, and are left out.")
    if not went.came.offers_known:
        said.append("Only those who came were written down: how much was offered to each is not known.")
    few = ratings.few_teams(programme, went.moved.index)
    said += [few] if few else []
    if asked.rater == "self":
        said.append(coming.SELF)
    return [Sentence(text) for text in said]
