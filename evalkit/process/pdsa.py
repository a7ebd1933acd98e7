"""Are teams testing changes, and learning from them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.periods import DAYS_A_MONTH
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "Are teams testing changes, and learning from them?"
METHOD = Method(
    name="Tests of change counted by team and month, and by how far each was taken",
    source="The King's Fund 2014, lesson 3: an iterative series of plan, do, study, act cycles. Prediction, iteration "
    "and record as features of the method: Taylor et al. 2014, BMJ Quality and Safety 23, 290-298.",
    assumes="What teams tested was written down, the tests that found nothing too.",
    design=Design.DESCRIBED,
)
ENDED_AFTER = 90
"""Days after which a test is expected to have ended: small tests take weeks (a judgement)."""
ENOUGH_DECIDED = 10
"""From so many decisions on, not one test abandoned is worth asking about (a judgement)."""
DECISIONS = {"adopt": "Adopted", "adapt": "Adapted", "abandon": "Abandoned"}
LEARNT = "Prediction, result and decision written"
FROM = "Cycles on a measure of the programme"
SIGNS = f"The sign of what was learnt counts tests begun {ENDED_AFTER} days or more ago; {register.SIGN_RULE}."
UNEVEN = "A team without a test of change on record is not recorded; that it tested nothing is not known."


@dataclass(frozen=True, slots=True)
class _Log:
    """The cycles begun in the window, the programme's teams, and for how many months the window runs."""

    programme: Programme
    window: register.Window
    cycles: pd.DataFrame
    teams: frozenset[str]
    months: float
    elsewhere: int

    @property
    def expected(self) -> pd.DataFrame:
        """The cycles begun long enough ago to have ended."""
        last = pd.Timestamp(self.window.until) - pd.Timedelta(days=ENDED_AFTER)
        return self.cycles[self.cycles["started_on"] <= last]

    @property
    def testing(self) -> int:
        """How many teams began a cycle."""
        return int(self.cycles["team_id"].nunique())


def pdsa(programme: Programme, *, since: date | None = None, until: date | None = None) -> Result:
    """Are teams testing changes, and learning from them?

    Needs: `pdsa`, `teams`; `places` tells which teams are only compared with and left out. Counted: plan, do, study,
    act cycles begun from `since` to `until`, out of all teams of the programme, those with none among them. A test that
    was abandoned taught something: it counts as learnt from like any other. The log cannot say that a prediction was
    written before the test began. Errors: `NotEnoughEvidence` when no test of change of these teams was recorded.

    >>> import evalkit as ek
    >>> pdsa(ek.load("sample_data/northmere")).about.counts
    'teams'
    """
    log = _log(programme, register.window(programme, since, until))
    table = _table(log)
    at = {measure: place for place, measure in enumerate(table["measure"].tolist()) if measure != FROM}
    begun = f"{words.of(log.testing, len(log.teams))} teams began a test of change"
    headline = Sentence(
        f"{begun}, {words.counted(len(log.cycles), 'test')} in all" if log.testing else "No test of change was begun",
        rows=(at["Teams that began a test"], at["Tests begun"]),
    )
    drawn = ("Tests begun", "With a prediction", "With a result", *DECISIONS.values(), "Not decided")
    subtitle = f"Tests of change of {words.counted(len(log.teams), 'team')}, {log.window.words}, {programme.title}"
    return register.counted(
        programme,
        f"process.pdsa({log.window.asked})",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(log, table, at),
        table=table,
        marks=register.bars(table, [at[name] for name in drawn], headline=headline.text, subtitle=subtitle),
        method=METHOD,
        cautions=_cautions(log, table),
        n=log.testing,
        of=len(log.teams),
        counts="teams",
    )


def _log(programme: Programme, window: register.Window) -> _Log:
    teams = programme.teams
    ours = frozenset(teams.loc[~teams["place_id"].isin(circumstances.comparison_places(programme)), "team_id"])
    cycles = programme.pdsa
    own = cycles[cycles["team_id"].isin(ours)]
    if own.empty:
        raise register.not_recorded(
            QUESTION,
            "No test of change was written down for a team of the programme.",
            "pdsa.csv: one row a test, with its team and the day it began; what was expected, what was seen, and "
            "whether the team adopted, adapted or abandoned the change, as far as it has got.",
        )
    first = own["started_on"].min().date()
    begins = window.since or min(programme.starts_on or first, first)
    months = max((window.until - begins).days + 1, 1) / DAYS_A_MONTH
    elsewhere = int(window.holds(cycles["started_on"]).sum() - window.holds(own["started_on"]).sum())
    return _Log(programme, window, own[window.holds(own["started_on"])], ours, months, elsewhere)


def _table(log: _Log) -> pd.DataFrame:
    """Rows for all teams, then a row a measure of the programme. Extras: started and drawn_anew, months in words."""
    cycles, begun = log.cycles, len(log.cycles)
    longest = int(cycles["number"].max()) if begun else 0
    on = int(cycles.loc[cycles["number"] > 1, "team_id"].nunique())
    rows = [
        _teams(log),
        register.row("Tests begun", ALL, n=begun, unit="tests", n_of="tests"),
        register.row(
            "Tests a team and month", ALL, n=begun, unit="tests a team and month", n_of="tests",
            estimate=begun / (len(log.teams) * log.months),
        ),
        register.share("Teams with a second or later test", ALL, on, len(log.teams), of="teams", n_of="teams"),
        register.row(
            "Longest series", ALL, n=longest if begun else None, unit="number of its latest test", n_of="tests"
        ),
        _of_begun("With a prediction", cycles["prediction"].notna(), cycles),
        _of_begun("With a result", cycles["result"].notna(), cycles),
        *_decisions(cycles),
        _learnt(log),
        *_measures(log),
    ]  # fmt: skip
    blank = {"started": "", "drawn_anew": ""}
    return register.table([{**blank, **row} for row in rows], extras=("started", "drawn_anew"))


def _of_begun(measure: str, held: pd.Series[bool], cycles: pd.DataFrame) -> dict[str, Any]:
    return register.share(measure, ALL, int(held.sum()), len(cycles), of="tests begun", n_of="tests")


def _teams(log: _Log) -> dict[str, Any]:
    row = register.share("Teams that began a test", ALL, log.testing, len(log.teams), of="teams", n_of="teams")
    without = len(log.teams) - log.testing
    if without == 0:
        return row
    ask = (
        f"No test of change is written down for {words.of(without, len(log.teams))} teams, {log.window.words}: "
        "was none tried, or none noted?"
    )
    return register.signed(row, Sign.NOT_RECORDED, ask)


def _decisions(cycles: pd.DataFrame) -> list[dict[str, Any]]:
    decided = cycles["decision"]
    rows = [_of_begun(named, decided == key, cycles) for key, named in DECISIONS.items()]
    if decided.notna().sum() >= ENOUGH_DECIDED and not (decided == "abandon").any():
        ask = (
            f"Not one of {int(decided.notna().sum())} tests decided on was abandoned: "
            "is what does not work tried and written down?"
        )
        rows[-1] = register.signed(rows[-1], Sign.UNCERTAIN, ask)
    return [*rows, _of_begun("Not decided", decided.isna(), cycles)]


def _learnt(log: _Log) -> dict[str, Any]:
    """Of the tests that should have ended, those whose every step is written down."""
    expected = log.expected
    n = int(expected[["prediction", "result", "decision"]].notna().all(axis="columns").sum())
    old = f"tests begun {ENDED_AFTER} days or more before the end"
    row = register.share(LEARNT, ALL, n, len(expected), of=old, n_of="tests")
    if expected.empty:
        return row
    missing = len(expected) - n
    ask = (
        f"For {words.of(missing, len(expected))} tests begun {ENDED_AFTER} days ago or earlier, the prediction, the "
        "result or the decision is not written down: what did these teams learn?"
        if missing
        else f"All {len(expected)} tests that should have ended are written down to the end: who else should hear them?"
    )
    return register.signed(row, register.sign_of(n, len(expected)), ask)


def _measures(log: _Log) -> list[dict[str, Any]]:
    """A row a measure of the programme that cycles name, with the months they began and those declared for limits."""
    rows = []
    named = log.cycles[log.cycles["measure"].isin(list(log.programme.measures))]
    for measure, cycles in named.groupby("measure"):
        months = sorted({day.to_period("M") for day in cycles["started_on"]})
        declared = {pd.Period(month, "M") for month in log.programme.plan.rebase.get(str(measure), {})}
        told = [[words.month(month.start_time) for month in months if month in kept] for kept in (months, declared)]
        extras: dict[str, Any] = {"started": words.listed(told[0]), "drawn_anew": words.listed(told[1])}
        label = log.programme.measures[str(measure)].label
        rows.append(register.row(FROM, label, n=len(cycles), unit="tests", n_of="tests", **extras))
    return sorted(rows, key=lambda row: str(row["group"]))


def _sentences(log: _Log, table: pd.DataFrame, at: dict[str, int]) -> list[Sentence]:
    n = {measure: table["n"][place] for measure, place in at.items()}
    begun, rate = len(log.cycles), table["estimate"][at["Tests a team and month"]]
    tests = f"{words.of(log.testing, len(log.teams))} teams began {words.counted(begun, 'test')} of change"
    how_often = f"{tests}, {log.window.words}: {words.number(rate)}"
    said = [
        Sentence(
            f"{how_often} a team and month." if begun else f"No test of change is on record, {log.window.words}.",
            rows=tuple(at[name] for name in ("Teams that began a test", "Tests begun", "Tests a team and month")),
        )
    ]
    if begun == 0:
        return said
    decided = ", ".join(f"{n[name]} {name.lower()}" for name in DECISIONS.values())
    steps = ("With a prediction", "With a result", *DECISIONS.values(), "Not decided")
    said.append(
        Sentence(
            f"A prediction is written for {words.of(n[steps[0]], begun)} and a result for {n[steps[1]]}; {decided}, "
            f"{n['Not decided']} not decided.",
            rows=tuple(at[name] for name in steps),
        )
    )
    said.append(
        Sentence(
            f"Of {words.counted(len(log.expected), 'test')} begun at least {ENDED_AFTER} days before the end, "
            f"{n[LEARNT]} have prediction, result and decision; the longest series is at test {n['Longest series']}.",
            rows=(at[LEARNT], at["Longest series"]),
        )
    )
    return [*said, *_together(table)]


def _together(table: pd.DataFrame) -> list[Sentence]:
    """Where a test began in a month from which limits are declared to be drawn anew."""
    held = table[(table["measure"] == FROM) & (table["drawn_anew"] != "")]
    told = [f"{row['group']} ({row['drawn_anew']})" for row in held.to_dict("records")]
    if not told:
        return []
    text = f"A test began in a month from which limits are declared to be drawn anew: {'; '.join(told)}."
    return [Sentence(text, rows=tuple(held.index))]


def _cautions(log: _Log, table: pd.DataFrame) -> list[Sentence]:
    said = ["An abandoned test is a finding, not a failure: numbers of tests and of decisions are no measure of worth."]
    said.append("Whether a prediction was written before the test began cannot be told from the log.")
    if log.testing < len(log.teams):
        said.append(UNEVEN)
    if log.elsewhere:
        said.append(f"{words.counted(log.elsewhere, 'test')} of teams in comparison places left out.")
    if (table["measure"] == FROM).any():
        said.append("A test never draws limits anew by itself: only a month and reason declared in the plan does.")
    if not log.expected.empty:
        said.append(SIGNS)
    return [Sentence(words.sentence_case(text)) for text in said]
