"""Are conflicts brought into the open, and worked through?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.half_years import HalfYear, half_years
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats.student import share as share_of_one
from evalkit.team.contact import named_places, rows_of
from evalkit.team.scored import change_over, known_rater
from evalkit.terms import Design, Level, Sign, Step
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.instrument import Instrument, Item
    from evalkit.programme import Programme
    from evalkit.stats.change import PairedChange

QUESTION = "Are conflicts brought into the open, and do they come to an end?"
METHOD = Method(
    name="Mean over teams of what their people say of conflict, with the paired t of teams; and the log of conflicts: "
    "counts, and the product-limit median of days to an end, in which those still open count (statsmodels)",
    source="Conflict is healthy and desirable: Fillingham and Weir, System leadership, The King's Fund 2014; surface "
    "and resolve conflicts, the third of the five factors; Kaplan and Meier 1958, JASA 53(282), 457-481.",
    assumes="Those who answered speak for their team; teams are independent of each other; conflicts still open will "
    "end much as others of the same age did.",
    design=Design.DESCRIBED,
)
WHY = "Neither more conflict nor less is better in itself: what was seen is described, and nothing is judged."
DOMAIN = "conflict"
"""The part of the questionnaire that is about conflict."""
KINDS = ("individual", "professional", "organisational")
GAINED = "all_gained"
OUTCOMES = (GAINED, "each_gave_something", "one_gave_way", "others_decided", "set_aside")
RAISED, RESOLVED, OPEN, OUTCOME = "Conflicts raised", "Resolved, of those raised", "Still open", "How it ended"
DAYS = "Days until half are resolved, open ones counted"
LONGEST = "Days open, of the one open longest"
PLACES = "Places where one was raised"
EVERYTHING, HALF_YEAR, KIND, STATEMENT = "everything", "half year", "kind", "statement"
"""What cuts the rows: values of the column `by`; `how it ended` is the last."""
MEAN, CHANGE = "mean", "change"
OF_THE_LOG: dict[str, Any] = {"what": "", "wave": pd.NA, "teams": pd.NA}
"""What a row of the log has in the columns of statements."""
NOT_KEPT = "No conflict is written down: was there none, was it not spoken of, or did nobody note it?"
SIGN_RULE = "Signs: a quiet half year, and conflicts still open: uncertain, and nothing else. This is a judgement."
HALF, TIE = 0.5, 1e-9


def conflict(
    programme: Programme, *, on: str = "five_factors", rater: str = "team_member", since: date | None = None,
    until: date | None = None, confidence: float = 0.95,
) -> Result:  # fmt: skip
    """Are conflicts brought into the open, and do they come to an end?

    Needs: `responses` about teams on the part `conflict` of the questionnaire `on`, by one kind of `rater`; or
    `conflicts`, those raised from `since` to `until`; or both. Statements stand one by one, each as the mean of teams
    at the first and the last wave, with the paired t where five teams or more answered at both. A conflict resolved
    after `until` was open then. Places and leaders to compare with are left out.
    What would mislead: an empty log is not recorded, never none, and none is no good sign either, for differences may
    be swept under the carpet; more conflicts raised may be a good sign, and conflicts that go on and on a bad one.
    Columns: n_of, by (what cuts the rows), what (mean or change), wave, teams, out_of, sign and ask.
    Errors: `NotEnoughEvidence` with neither answers nor a log, or where the questionnaire has no such part.

    >>> import evalkit as ek
    >>> conflict(ek.load("sample_data/northmere")).headline
    '41 conflicts raised, 22 resolved and 19 still open'
    """
    asked = _statements(programme, on, rater, share_of_one(confidence))
    log = _log(programme, register.window(programme, since, until))
    if log is None and not asked.items:
        raise register.not_recorded(
            QUESTION, f"{words.sentence_case(words.raters(rater))} answered no statement on conflict, and no conflict "
            f"was written down by {words.day(programme.as_of)}.", "conflicts.csv: one row a conflict with the day it "
            f"was raised, between whom, and when and how it ended; or answers on the {asked.instrument.name}.",
        )  # fmt: skip
    kept = _kept(log) if log else [register.signed(_row(RAISED, n=None), Sign.NOT_RECORDED, NOT_KEPT)]
    table = register.table([*asked.rows(), *kept], extras=("by", "what", "wave", "teams"))
    table = table.astype({"wave": "Int64", "teams": "Int64"})
    headline = _headline(asked, log, table)
    said = (("on", on, "five_factors"), ("rater", rater, "team_member"), ("confidence", confidence, 0.95))
    told = [log.window.asked if log else "", *(f"{name}={value!r}" for name, value, usual in said if value != usual)]
    people = int(asked.answers["respondent_id"].nunique())
    n, of, counts = (log.resolved, len(log.held), "conflicts") if log else (people, None, "respondents")
    return register.counted(
        programme, f"team.conflict({', '.join(part for part in told if part)})", question=QUESTION, headline=headline,
        sentences=[*_of_statements(asked, table), *(_of_log(log, table) if log else ())], table=table,
        marks=_marks(asked, log, table, headline.text), chart="bars" if log else "profile", method=METHOD,
        cautions=_cautions(asked, log, table), n=n, of=of, counts=counts, level=Level.TEAM, step=Step.BEHAVIOUR,
        why=WHY,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Statements:
    """What people said of conflict in their teams. `answers`: a row a team, person and wave, a column a statement."""

    programme: Programme
    instrument: Instrument
    rater: str
    confidence: float
    items: tuple[Item, ...]
    answers: pd.DataFrame
    without_wave: int

    @property
    def waves(self) -> list[int]:
        """The first and the last wave, or the only one."""
        held = sorted(int(wave) for wave in self.answers["wave"].unique())
        return list(dict.fromkeys((held[0], held[-1]))) if held else []

    def means(self, item: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Each team's mean at the two waves, and the answers it rests on: of teams with both, where these are enough to
        compare; else of all that answered at either."""
        held = self.answers[self.answers["wave"].isin(self.waves)].dropna(subset=item)
        means = held.groupby(["subject_id", "wave"])[item].mean().unstack("wave").reindex(columns=self.waves)
        both = means.dropna()
        if len(both) < LEAST_PAIRS:
            return means, held
        return both, held[held["subject_id"].isin(both.index)]

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row a statement and wave, and a row for its change where it can be tested."""
        low, high = self.instrument.scale.low, self.instrument.scale.high
        said = {"unit": f"points on a scale of {low:g} to {high:g}", "n_of": "respondents", "by": STATEMENT}
        for item in self.items:
            means, held = self.means(item.key)
            people = held.groupby("wave")["respondent_id"].nunique().reindex(self.waves, fill_value=0)
            for wave in self.waves:
                n, teams = int(people[wave]), int(means[wave].notna().sum())
                yield register.row(item.text, ALL, n=n, estimate=float(means[wave].mean()), what=MEAN, wave=wave,
                                   teams=teams, **said)  # fmt: skip
            if moved := self._moved(means):  # as few people as at the wave with fewer, whose mean it would tell
                row = register.row(item.text, ALL, n=int(people.min()), estimate=moved.estimate, what=CHANGE,
                                   wave=pd.NA, teams=moved.n, **said)  # fmt: skip
                yield {**row, "low": moved.low, "high": moved.high, "interval": f"{self.confidence:.0%} confidence"}

    def _moved(self, means: pd.DataFrame) -> PairedChange | None:
        """The change over teams; none with too few of them, or where every team moved alike."""
        if len(self.waves) < 2:
            return None
        first, last = (means[wave] for wave in self.waves)
        return change_over(first, last, self.confidence)


def _statements(programme: Programme, on: str, rater: str, confidence: float) -> _Statements:
    """Everything answered by now about the programme's teams; none of it where nobody answered."""
    instrument = circumstances.instrument(programme, on)
    known_rater(rater)
    items = tuple(item for item in instrument.items if item.domain == DOMAIN)
    if not items or instrument.recorded or not instrument.on_scale:
        raise NotEnoughEvidence(
            QUESTION, missing=f"The {instrument.name} has no statements on conflict that are answered on one scale.",
            would_answer="a questionnaire with a part called conflict, such as five_factors.",
        )  # fmt: skip
    given = register.answered(programme)
    elsewhere = programme.teams["place_id"].isin(circumstances.comparison_places(programme))
    own = given[
        (given["instrument"] == on) & (given["rater"] == rater) & (given["subject_kind"] == "team")
        & (given["timing"] != "then") & given["item"].isin([item.key for item in items])
        & given["subject_id"].isin(programme.teams.loc[~elsewhere, "team_id"])
        & ~given["respondent_id"].isin(circumstances.comparison_leaders(programme))
    ]  # fmt: skip
    keys = [item.key for item in items]
    undated = own[own["wave"].isna()].drop_duplicates(["respondent_id", "subject_id", "timing"])
    wide = instrument.answers(own[own["wave"].notna()])[keys].reset_index()
    answers = wide.groupby(["subject_id", "respondent_id", "wave"])[keys].mean().dropna(how="all").reset_index()
    said = tuple(item for item in items if answers[item.key].notna().any())
    return _Statements(programme, instrument, rater, confidence, said, answers, len(undated))


@dataclass(frozen=True, slots=True)
class _Log:
    """The conflicts raised in the window, as they stood at its end: `ended`, and `days` until then or until now."""

    programme: Programme
    window: register.Window
    held: pd.DataFrame
    halves: list[HalfYear]
    places: pd.Series[str]
    elsewhere: int

    @property
    def resolved(self) -> int:
        """How many had ended."""
        return int(self.held["ended"].sum())

    @property
    def quiet(self) -> str:
        """The last whole half year, where nothing was raised in it; else nothing."""
        whole = [half for half in self.halves if half.whole and half.number]
        if not whole or whole[-1].holds(self.held["raised_on"]).any():
            return ""
        return f"{whole[-1].label[:1].lower()}{whole[-1].label[1:]}"


def _log(programme: Programme, window: register.Window) -> _Log | None:
    """The log, or none where nobody kept one."""
    own = register.of_programme(programme, programme.conflicts)
    known = own[register.by_now(programme, own["raised_on"])]
    if known.empty:
        return None
    last = pd.Timestamp(window.until)
    held = known[window.holds(known["raised_on"])]
    ended = held["resolved_on"] <= last
    held = held.assign(ended=ended, days=(held["resolved_on"].where(ended, last) - held["raised_on"]).dt.days)
    halves, places = half_years(programme, known["raised_on"], window), named_places(programme, window, known)
    return _Log(programme, window, held, halves, places, len(programme.conflicts) - len(own))


def until_half(days: pd.Series[Any], ended: pd.Series[bool]) -> float:
    """Days until half have ended, with those still open for as long as they were; missing while fewer than half have.

    The product-limit estimate of Kaplan and Meier: the first day on which it lies under a half, or midway between the
    day it reached a half and the next end (as `survfit` of the R package survival has it).

    >>> until_half(pd.Series([10, 20, 30]), pd.Series([True, True, False]))
    20.0
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    if not ended.any():
        return float("nan")
    curve = SurvfuncRight(days.to_numpy(dtype=float), ended.to_numpy(dtype=int))
    reached = [(float(day), float(left)) for day, left in zip(curve.surv_times, curve.surv_prob, strict=True)]
    reached = [(day, left) for day, left in reached if left < HALF + TIE]
    if not reached:
        return float("nan")
    (day, left), *later = reached
    return (day + later[0][0]) / 2 if abs(left - HALF) < TIE and later else day


def _row(measure: str, group: str = ALL, by: str = EVERYTHING, **said: Any) -> dict[str, Any]:
    return register.row(measure, group, by=by, **{"n_of": "conflicts", "unit": "conflicts", **OF_THE_LOG, **said})


def _share(measure: str, n: int, out_of: int, of: str, group: str = ALL, by: str = EVERYTHING) -> dict[str, Any]:
    return register.share(measure, group, n, out_of, of=of, n_of=of.partition(" ")[0], by=by, **OF_THE_LOG)


def _kept(log: _Log) -> Iterator[dict[str, Any]]:
    """What was raised and resolved; how long it took, and how it ended; then by half year and by kind."""
    n, ended = len(log.held), log.held["ended"]
    raised = _row(RAISED, n=n)
    if log.quiet or not n:
        when = f"for {log.quiet}" if n else f"for this time ({log.window.words})"
        ask = f"No conflict is on record {when}: do we agree, or is something swept under the carpet?"
        raised = register.signed(raised, Sign.UNCERTAIN, ask)
    yield raised
    yield _share(RESOLVED, log.resolved, n, "conflicts raised")
    yield _row(DAYS, n=n, unit="days", estimate=until_half(log.held["days"], ended))
    yield from _still_open(log)
    if log.held["place"].isin(log.places.index).any():
        yield _share(PLACES, int(log.places.index.isin(log.held["place"]).sum()), len(log.places), "places")
    for outcome in OUTCOMES:
        came = int((log.held["outcome"][ended] == outcome).sum())
        yield _share(OUTCOME, came, log.resolved, "conflicts resolved", words.plain(outcome), "outcome")
    cuts = [(half.label, HALF_YEAR, half.holds(log.held["raised_on"])) for half in log.halves]
    cuts += [(kind, KIND, log.held["kind"] == kind) for kind in KINDS]
    cuts += [(register.NOT_SAID, KIND, log.held["kind"].isna())] if log.held["kind"].isna().any() else []
    for group, by, those in cuts:
        yield _row(RAISED, group, by, n=int(those.sum()))
        yield _share(RESOLVED, int(ended[those].sum()), int(those.sum()), "conflicts raised", group, by)


def _still_open(log: _Log) -> Iterator[dict[str, Any]]:
    """How many are open, and for how long the oldest of them."""
    left = log.held[~log.held["ended"]]
    row = _share(OPEN, len(left), len(log.held), "conflicts raised")
    if left.empty:
        yield row
        return
    many = f"{words.of(len(left), len(log.held))} conflict{'' if len(log.held) == 1 else 's'}"
    still = f"{many} {'is' if len(left) == 1 else 'are'} open, the oldest since {words.day(left['raised_on'].min())}"
    yield register.signed(row, Sign.UNCERTAIN, f"{still}: what would help to work through what is open?")
    yield _row(LONGEST, n=len(left), unit="days", estimate=float(left["days"].max()))


def _headline(asked: _Statements, log: _Log | None, table: pd.DataFrame) -> Sentence:
    if log is None:
        item = asked.items[0].text
        whose = words.sentence_case(words.raters(asked.rater))
        return Sentence(f"{whose}: {_path(table, item)}", rows=rows_of(table, item))
    if log.held.empty:
        return Sentence("No conflict is on record for this time", rows=rows_of(table, RAISED))
    still = f"{log.resolved} resolved and {len(log.held) - log.resolved} still open"
    text = f"{words.counted(len(log.held), 'conflict')} raised, {still}"
    return Sentence(text, rows=rows_of(table, RAISED, RESOLVED, OPEN))


def _path(table: pd.DataFrame, item: str) -> str:
    """A statement, with where it was and is now, and the interval of the change where there is one."""
    rows = table[table["measure"] == item]
    was, *now = (words.number(mean) for mean in rows.loc[rows["what"] == MEAN, "estimate"])
    path = f"was {was}, is now {now[0]}" if now else f"is {was}"
    for row in rows[rows["what"] == CHANGE].to_dict("records"):
        path += f" (change {words.span(row['low'], row['high'])}, {row['interval']})"
    return f"“{item}” {path}"


def _of_statements(asked: _Statements, table: pd.DataFrame) -> list[Sentence]:
    """All statements in one sentence, with how many people and teams they rest on."""
    if not asked.items:
        return []
    rows, scale, when = table[table["by"] == STATEMENT], asked.instrument.scale, []
    means = rows[rows["what"] == MEAN]
    for wave in asked.waves:
        n, teams = (int(means.loc[means["wave"] == wave, name].max()) for name in ("n", "teams"))
        when.append(f"{n} of {words.counted(teams, 'team')} in {circumstances.when(asked.programme, wave)}")
    paths = "; ".join(_path(table, item.text) for item in asked.items)
    whose = f"{words.sentence_case(words.raters(asked.rater))} ({words.listed(when)})"
    between = f"on a scale of {scale.low:g} to {scale.high:g}"
    return [Sentence(f"{whose}, {between}: {paths}.", rows=tuple(map(int, rows.index)))]


def _of_log(log: _Log, table: pd.DataFrame) -> list[Sentence]:
    """What was raised, when and between whom; what became of it."""
    if log.held.empty:
        text = f"No conflict is on record, {log.window.words}; the log holds other times."
        return [Sentence(text, rows=rows_of(table, RAISED))]
    raised = table[(table["measure"] == RAISED) & (table["n"] > 0)]
    halves, kinds = (raised[raised["by"] == by] for by in (HALF_YEAR, KIND))
    whens = [f"{'' if half.startswith('Before') else 'in '}{half[:1].lower()}{half[1:]}" for half in halves["group"]]
    when = [f"{n} {half}" for half, n in zip(whens, halves["n"], strict=True)]
    between = [f"{n} {group}" for group, n in zip(kinds["group"], kinds["n"], strict=True)]
    text = f"Conflicts raised, {log.window.words}: {len(log.held)} ({'; '.join(when)}); by kind"
    return [Sentence(f"{text} {words.listed(between)}.", rows=tuple(map(int, raised.index))), _of_ends(log, table)]


def _of_ends(log: _Log, table: pd.DataFrame) -> Sentence:
    """How many were resolved, so that all sides gained or not; how soon; and the one open longest."""
    half = until_half(log.held["days"], log.held["ended"])
    pace = "fewer than half have ended so far" if half != half else f"half had ended by day {half:g}, open ones counted"
    gained = int((log.held["outcome"][log.held["ended"]] == GAINED).sum())
    how = f", {gained} of them so that all gained" if log.resolved else ""
    left = log.held["days"][~log.held["ended"]]
    for_days = "less than a day" if left.max() < 1 else words.counted(int(left.max()), "day") if len(left) else ""
    longest = f"; the longest still open has been so for {for_days}" if len(left) else ""
    many = f"{words.of(log.resolved, len(log.held))} {'was' if log.resolved == 1 else 'were'} resolved"
    text = f"{many}{how}; {pace}{longest}."
    gains = rows_of(table, OUTCOME, group=words.plain(GAINED))
    return Sentence(text, rows=rows_of(table, RESOLVED, DAYS, OPEN, LONGEST) + gains)


def _marks(asked: _Statements, log: _Log | None, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar a half year and a kind, of the log; without one, a row a statement and a dot a wave."""
    title, scale = asked.programme.title, asked.instrument.scale
    if log is None:
        points: list[dict[str, Any]] = [
            {"mark": "point", "series": words.sentence_case(circumstances.when(asked.programme, int(row["wave"]))),
             "x": row["measure"], "y": row["estimate"], "n": row["n"], "row": at}
            for at, row in table[table["what"] == MEAN].to_dict("index").items()
        ]  # fmt: skip
        points.append({"mark": "scale", "low": scale.low, "high": scale.high})
        subtitle, axis = f"{asked.instrument.name}, {title}", f"mean of teams, {scale.low:g} to {scale.high:g}"
        return charts.marks(points, headline=headline, subtitle=subtitle, x_axis=axis)
    resolved = table[table["measure"] == RESOLVED].set_index("group")["n"]
    drawn = [
        {"mark": "bar", "x": words.sentence_case(row["group"]), "y": row["n"], "row": at,
         "label": f"{row['n']} ({resolved[row['group']]})"}
        for at, row in table[(table["measure"] == RAISED) & (table["by"] != EVERYTHING)].to_dict("index").items()
    ]  # fmt: skip
    subtitle = f"Conflicts raised (of these, resolved), by half year and by kind, {title}, {log.window.words}"
    return charts.marks(drawn, headline=headline, subtitle=subtitle)


def _cautions(asked: _Statements, log: _Log | None, table: pd.DataFrame) -> list[Sentence]:
    said = ["Conflict brought into the open and worked through is healthy; little of it on record is no good sign."]
    if asked.items:
        said.append("People speak of their own teams; they may see conflict more clearly than before, and say so.")
        if len(asked.waves) < 2:
            said.append("Statements were answered at one wave only.")
        elif (table["what"] == CHANGE).sum() < len(asked.items):
            said.append(f"A change without an interval: fewer than {LEAST_PAIRS} teams at both waves, or all alike.")
    else:
        said.append(f"{words.sentence_case(words.raters(asked.rater))} answered no statement on conflict.")
    if asked.without_wave:
        said.append(f"{words.counted(asked.without_wave, 'filled-in form')} left out: at no wave.")
    if log:
        said.append(
            "The log is taken as whole: its counts have no interval. What was raised lately had less time to end."
        )
        if not all(half.whole for half in log.halves):
            said.append("A half year marked as a part lies only partly in the time asked about.")
        if undated := int((log.held["resolved_on"].isna() & log.held["outcome"].notna()).sum()):
            said.append(f"{words.counted(undated, 'conflict')} with an outcome and no day of it: taken as still open.")
        if log.elsewhere:
            said.append(f"{words.counted(log.elsewhere, 'conflict')} of comparison places left out.")
    return [Sentence(words.sentence_case(text)) for text in (*said, *([SIGN_RULE] if log else []))]
