"""How do leaders lead?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import KEEPS, TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.individual.compared import two_waves
from evalkit.individual.small_classes import fewest, part_tells
from evalkit.individual.told_by_styles import change_tells, sum_tells
from evalkit.result import ALL, FIRST, Method, Result, Sentence
from evalkit.stats import change, proportions, rates
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "How do leaders lead?"
METHOD = Method(
    name="Share of leaders who lead in each style, with Wilson's interval; its change among those asked at both waves, "
    "with Newcombe's interval for pairs",
    source="Wilson 1927, JASP 22, 209-212; Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10; change in "
    "the mean number of styles: Student 1908.",
    assumes="Leaders are independent of each other; those asked are like those who were not.",
    design=Design.DESCRIBED,
)
SHARE, NUMBER, CHANGE = "share", "mean number", "change"
STYLES = "Styles a leader leads in"
HALF = 0.5
"""A leader leads in a style when at least this share of those who could say said so (a judgement)."""
NO_TARGET = (
    "No share of any style is better or worse: the system needs both pacesetting leaders and collaborative coaches "
    "(The King's Fund 2014, section 5)."
)
WHY = "No share of any style is a target, so nothing is judged and nothing tested."
EXTRAS = ("n_of", "what", "wave", "yes", "raters", "cannot_say", "gained", "lost", TELLS, KEEPS)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The answers of some raters at the waves looked at: `leads` is 1 where a leader leads so, 0 where not."""

    programme: Programme
    instrument: Instrument
    rater: str
    waves: tuple[int, ...]
    answers: pd.DataFrame
    leads: pd.DataFrame
    confidence: float

    def at(self, wave: int) -> pd.DataFrame:
        """Leaders × styles at a wave, missing where nobody could say."""
        return self.leads[self.leads.index.get_level_values("wave") == wave].droplevel("wave")

    def both(self, style: str) -> proportions.PairedProportions | None:
        """The change in one style, where at least one leader was told of at both waves."""
        first, last = (self.at(wave)[style] for wave in self.waves)
        try:
            return proportions.paired(first, last, confidence=self.confidence)
        except ValueError:  # nobody at both
            return None

    def when(self, wave: int) -> str:
        """The month a wave closed, or its number."""
        return circumstances.when(self.programme, wave)


def styles(
    programme: Programme,
    *,
    on: str = "leadership_styles",
    rater: str = "self",
    between: tuple[int, int] | None = None,
    confidence: float = 0.95,
) -> Result:
    """How do leaders lead?

    Needs: `responses` about persons on an instrument (`on`) whose every domain is one question answered no or yes, by
    one kind of `rater`. A profile: how many lead in each style, at the first and the last wave (or `between`), and the
    change among those asked at both. There is no target and no verdict: no style is better than another. Where several
    speak of one leader, the leader leads so when at least half of those who could say said yes. "Cannot say" is counted
    and left out of the shares. What would mislead: people rate themselves, styles go in and out of fashion, and of six
    styles some move by chance.
    Columns: n_of; what (share, mean number, change); wave (missing for a change); yes (leaders who lead so); raters
    (people who could say); cannot_say (leaders of whom nobody could say); of a change gained (lead so now, not before)
    and lost; tells and keeps (how few people the row, and which of its columns, would tell: they are
    withheld). Errors: `NotEnoughEvidence` without such an instrument or answers; ValueError for waves out of order.

    >>> import evalkit as ek
    >>> styles(ek.load("sample_data/northmere")).headline
    'Most common style: Coaching (8 of 15 leaders), by their own account'
    """
    share(confidence)
    asked = _asked(programme, on, rater, between, confidence)
    table = _table(asked)
    evidence = grade(Design.DESCRIBED, informants=(rater,))
    decided = described(WHY)
    headline = _headline(asked, table)
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(asked, table),
        about=circumstances.about(
            programme,
            f"individual.styles(on={on!r}, rater={rater!r}, between={between!r}, confidence={confidence})",
            n=asked.answers["subject_id"].nunique(),
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=asked.leads,
    )


def _asked(programme: Programme, on: str, rater: str, between: tuple[int, int] | None, confidence: float) -> _Asked:
    instrument = circumstances.instrument(programme, on)
    if not _yes_or_no(instrument):
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"The {instrument.name} does not ask about styles: a style is one question, answered no or yes.",
            would_answer="evalkit's form leadership_styles, or your own that adapts it.",
        )
    given = ratings.answers(programme, instrument, rater)
    given = given[given["answer"].notna() & given["wave"].notna()]
    said = given[given["answer"] >= instrument.scale.low]
    waves = _waves(instrument, rater, between, sorted({int(wave) for wave in said["wave"]}))
    given = given[given["wave"].isin(waves)].sort_values("answered_on", kind="stable", na_position="first")
    given = given.drop_duplicates(["respondent_id", "subject_id", "item", "wave"], keep="last")
    turned = given["item"].isin([item.key for item in instrument.items if item.reversed])
    yes = ((given["answer"] == instrument.scale.high) != turned).astype(float)
    domains = {item.key: item.domain for item in instrument.items}
    given = given.assign(style=given["item"].map(domains), yes=yes.where(given["answer"] >= instrument.scale.low))
    leads = given.pivot_table(index=["subject_id", "wave"], columns="style", values="yes", aggfunc="mean", dropna=False)
    leads = (leads >= HALF).astype(float).where(leads.notna())
    leads = leads.reindex(columns=[*instrument.domain_labels])
    return _Asked(programme, instrument, rater, waves, given, leads, confidence)


def _yes_or_no(instrument: Instrument) -> bool:
    """Whether every domain is one question, and every question is answered no or yes (in words, or 0 and 1)."""
    alone = len({item.domain for item in instrument.items}) == len(instrument.items) == len(instrument.domains)
    scale = instrument.scale
    words_fit = [word.lower() for word in scale.words] in ([], ["no", "yes"])
    return alone and words_fit and (scale.low, scale.high, scale.step) == (0, 1, 1) and instrument.overall is None


def _waves(instrument: Instrument, rater: str, between: tuple[int, int] | None, answered: list[int]) -> tuple[int, ...]:
    """The waves looked at: those named, else the first and the last at which anybody could say; one where one is."""
    who = words.sentence_case(words.raters(rater))
    if not answered:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"{who} gave no answers on the {instrument.name} at any wave.",
            would_answer="responses.csv: no or yes for each style, about a leader, at a wave.",
        )
    if between is None:
        return tuple(dict.fromkeys((answered[0], answered[-1])))
    two_waves(between, answered)
    absent = [str(wave) for wave in between if wave not in answered]
    if absent:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"{who} gave no answers at {words.listed([f'wave {wave}' for wave in absent])}.",
            would_answer=f"choosing among the waves answered: {words.listed([str(wave) for wave in answered])}.",
        )
    return between


def _table(asked: _Asked) -> pd.DataFrame:
    """Style by style: the share at each wave and its change; then how many styles a leader leads in."""
    rows = []
    for style, label in asked.instrument.domain_labels.items():
        rows += [_share(asked, style, label, wave) for wave in asked.waves]
        if len(asked.waves) > 1 and (moved := asked.both(style)):
            rows.append(_change(asked, style, label, moved))
    rows += _numbers(asked)
    whole = dict.fromkeys(("n", "wave", "yes", "raters", "cannot_say", "gained", "lost", TELLS), "Int64")
    return pd.DataFrame(rows).reindex(columns=[*FIRST, *EXTRAS]).astype(whole)


def _row(measure: str, what: str, *, estimate: float, n: int, unit: str, **extras: Any) -> dict[str, Any]:
    return {
        "measure": measure, "group": ALL, "estimate": estimate, "low": float("nan"), "high": float("nan"),
        "interval": "none given", "n": n, "unit": unit, "n_of": "leaders", "what": what, **extras,
    }  # fmt: skip


def _sure(asked: _Asked, low: float, high: float) -> dict[str, Any]:
    return {"low": low, "high": high, "interval": f"{asked.confidence:.0%} confidence"}


def _share(asked: _Asked, style: str, label: str, wave: int) -> dict[str, Any]:
    """How many lead in a style at a wave, of those of whom anybody could say."""
    leads = asked.at(wave)[style]
    own = asked.answers[(asked.answers["style"] == style) & (asked.answers["wave"] == wave)]
    yes, n = int(leads.sum()), int(leads.notna().sum())
    minimum, unsaid = asked.programme.minimum_group, own["subject_id"].nunique() - n
    row = _row(
        label, SHARE, estimate=100 * yes / n if n else float("nan"), n=n, unit="% of leaders", wave=wave, yes=yes,
        raters=own.loc[own["yes"].notna(), "respondent_id"].nunique(), cannot_say=unsaid,
        **{TELLS: part_tells(yes, n, minimum), KEEPS: "cannot_say" if fewest([unsaid], minimum) else ""},
    )  # fmt: skip
    if n < LEAST_PAIRS:
        return row
    found = rates.wilson(yes, n, confidence=asked.confidence)
    return {**row, **_sure(asked, 100 * found.low, 100 * found.high)}


def _change(asked: _Asked, style: str, label: str, moved: proportions.PairedProportions) -> dict[str, Any]:
    """The change of a share among leaders told of at both waves."""
    row = _row(
        label, CHANGE, estimate=100 * moved.estimate, n=moved.n, unit="percentage points, later less earlier",
        raters=_raters(asked, style), gained=moved.only_after, lost=moved.only_before,
        **{TELLS: change_tells(moved, [asked.at(wave)[style] for wave in asked.waves], asked.programme.minimum_group)},
    )  # fmt: skip
    if moved.n < LEAST_PAIRS:
        return row
    return {**row, **_sure(asked, 100 * moved.low, 100 * moved.high)}


def _raters(asked: _Asked, style: str) -> int:
    """The people who could say, at the wave with fewest."""
    own = asked.answers[(asked.answers["style"] == style) & asked.answers["yes"].notna()]
    return int(own.groupby("wave")["respondent_id"].nunique().min())


def _numbers(asked: _Asked) -> list[dict[str, Any]]:
    """The mean number of styles of leaders of whom somebody could say on every one, and its change."""
    each = {wave: asked.at(wave).dropna().sum(axis="columns") for wave in asked.waves}
    rows = []
    for wave, number in each.items():
        if len(number):
            raters = asked.answers.loc[asked.answers["wave"] == wave, "respondent_id"].nunique()
            row = _row(STYLES, NUMBER, estimate=float(number.mean()), n=len(number), unit="styles", wave=wave,
                       raters=raters, **{TELLS: sum_tells(asked.at(wave), asked.programme.minimum_group)})  # fmt: skip
            rows.append({**row, **_mean_sure(asked, pd.Series(0.0, index=number.index), number)})
    if len(each) > 1:
        first, last = each[asked.waves[0]].align(each[asked.waves[1]], join="inner")
        if len(first):
            told = [few for wave in asked.waves if (few := sum_tells(asked.at(wave), asked.programme.minimum_group))]
            row = _row(STYLES, CHANGE, estimate=float((last - first).mean()), n=len(first),
                       unit="styles, later less earlier", **{TELLS: min(told, default=None)})  # fmt: skip
            rows.append({**row, **_mean_sure(asked, first, last)})
    return rows


def _mean_sure(asked: _Asked, first: pd.Series[float], last: pd.Series[float]) -> dict[str, Any]:
    """The t interval of a mean difference; none where few, or all alike."""
    if len(first) < LEAST_PAIRS or (last - first).nunique() == 1:
        return {}
    moved = change.paired(first, last, confidence=asked.confidence)
    return _sure(asked, moved.low, moved.high)


def _rows(table: pd.DataFrame, what: str, wave: int | None = None) -> dict[int, dict[Any, Any]]:
    """The rows of styles that say this, at a wave, where anybody could say."""
    own = table[(table["what"] == what) & (table["measure"] != STYLES) & (table["n"] > 0)]
    own = own if wave is None else own[own["wave"] == wave]
    return {int(str(at)): row for at, row in own.to_dict("index").items()}


def _of(row: Mapping[Any, Any]) -> str:
    return words.of(row["yes"], row["n"])


def _leaders(row: Mapping[Any, Any]) -> str:
    return f"{row['yes']} of {words.counted(row['n'], 'leader')}"


def _headline(asked: _Asked, table: pd.DataFrame) -> Sentence:
    now = _rows(table, SHARE, asked.waves[-1])
    most, least = (end(now, key=lambda at: now[at]["estimate"]) for end in (max, min))
    told = "by their own account" if asked.rater == "self" else f"as {words.raters(asked.rater)} say"
    if pd.isna(now[most][TELLS]) and not pd.isna(now[least][TELLS]):  # what everybody may see stands alone
        return Sentence(f"Most common style: {now[most]['measure']} ({_of(now[most])} leaders), {told}", rows=(most,))
    if now[most]["estimate"] == now[least]["estimate"]:
        return Sentence(f"Every style is as common as the others ({_leaders(now[most])}), {told}", rows=tuple(now))
    return Sentence(
        f"Most common style: {now[most]['measure']} ({_leaders(now[most])}); least: {now[least]['measure']} "
        f"({_of(now[least])}), {told}",
        rows=(most, least),
    )


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    return [_profile(asked, table), *_moved(asked, table), *_number(asked, table)]


def _profile(asked: _Asked, table: pd.DataFrame) -> Sentence:
    """How many lead in each style now, the style of most first."""
    now = _rows(table, SHARE, asked.waves[-1])
    seen = [at for at in now if pd.isna(now[at][TELLS])] or [*now]
    order = sorted(seen, key=lambda at: -now[at]["estimate"])
    said = words.listed([f"{now[at]['measure']} {_of(now[at])}" for at in order])
    ends = [max(row["high"] - row["estimate"], row["estimate"] - row["low"]) for row in map(now.__getitem__, order)]
    known = [end for end in ends if end == end]
    sure = f"; each share may be up to {max(known):.0f} points off ({asked.confidence:.0%} intervals)" if known else ""
    return Sentence(f"Leaders who led in each style in {asked.when(asked.waves[-1])}: {said}{sure}.", rows=tuple(order))


def _moved(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    """The style that moved furthest among leaders asked at both waves."""
    moved = _rows(table, CHANGE)
    if len(asked.waves) == 1:
        return []
    when = f"{asked.when(asked.waves[0])} and {asked.when(asked.waves[1])}"
    if not moved:
        return [Sentence(f"No leader has an answer in both {when}: a change within people is not known.")]
    far = max(moved, key=lambda at: abs(moved[at]["estimate"]))
    row = moved[far]
    sure = "" if pd.isna(row["low"]) else f" ({words.between(row['low'], row['high'], 0)}, {row['interval']})"
    points = words.higher(row["estimate"], 0, " percentage points")
    text = (
        f"Among {words.counted(row['n'], 'leader')} with an answer in both {when}, {row['measure']} moved furthest: "
        f"{row['gained']} lead so now and did not before, {row['lost']} no longer do; {points}{sure}."
    )
    return [Sentence(text, rows=(far,))]


def _number(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    """How many styles a leader leads in, first and last."""
    own = table[(table["measure"] == STYLES) & (table["what"] == NUMBER)]
    if own.empty:
        return []
    said = [
        f"in {asked.when(int(row['wave']))} {words.number(row['estimate'], 1)} ({words.counted(row['n'], 'leader')})"
        for row in own.to_dict("records")
    ]
    many = len(asked.instrument.domains)
    return [Sentence(f"Of {many} styles, a leader led on average {' and '.join(said)}.", rows=tuple(own.index))]


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a style and wave, with its interval."""
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": asked.when(row["wave"]), "x": f"{row['measure']}, {asked.when(row['wave'])}",
         "y": row["estimate"], "low": row["low"], "high": row["high"], "n": row["n"], "row": at}
        for at, row in _rows(table, SHARE).items()
    ]  # fmt: skip
    rows.append({"mark": "scale", "low": 0, "high": 100})
    sure = next((row["interval"] for row in _rows(table, SHARE).values() if row["interval"] != "none given"), "no")
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{asked.instrument.name}, told by {words.raters(asked.rater)}, {asked.programme.title}",
        x_axis=f"% of leaders, with {sure} intervals",
    )


def _cautions(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    many, rows = len(asked.instrument.domains), tuple(_rows(table, SHARE))
    said = [Sentence(NO_TARGET)]
    if len(asked.waves) > 1:
        said.append(Sentence(f"With {many} styles some move by chance; none was judged."))
        said.append(Sentence("The two shares are in part of other leaders; only the change is of the same."))
    if asked.rater == "self":
        said.append(Sentence("Leaders speak of themselves; others may see them lead otherwise."))
    could_not = int(table["cannot_say"].sum())
    if could_not:
        answers = "answer" if could_not == 1 else "answers"
        text = f"Left out as “cannot say”: {could_not} {answers} about a leader's style."
        said.append(Sentence(text, rows, cells=("cannot_say",)))
    if asked.answers.duplicated(["subject_id", "item", "wave"]).any():
        said.append(Sentence("Where several spoke of a leader, at least half of those who could say had to say yes."))
    if not asked.instrument.verified:
        said.append(Sentence("The names of the styles were not checked against their source."))
    if not asked.instrument.validated:
        said.append(Sentence("No study shows how well this form tells how people lead."))
    return said
