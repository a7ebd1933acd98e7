"""Are leaders strong in one kind of know-how, or in all three?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.individual.besides import of_waves
from evalkit.individual.compared import Compared, compared, scored
from evalkit.individual.courses import mean_of
from evalkit.instrument.parts import NEAR
from evalkit.result import ALL, FIRST, Method, Result, Sentence
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "Are leaders strong in one kind of know-how, or in all three?"
METHOD = Method(
    name="Mean of each dimension; within each leader, the highest less the lowest; and how many dimensions lie near a "
    "leader's own highest",
    source="The King's Fund 2014, System leadership: leaders are “often more naturally drawn to one or other of the "
    "dimensions – rarely to all three”. Near is less than half a point below: evalkit's own rule. Intervals by CR2 "
    "over teams (over people when fewer than three teams are known): Pustejovsky and Tipton 2018.",
    assumes="Half a point means the same on every dimension; people (or teams) are independent of each other.",
    design=Design.DESCRIBED,
)
HALF = 0.5
"""Points below a leader's own highest from which a dimension no longer stands beside it: our convention."""
SPREAD, BESIDE, LOWEST, REQUESTS = (
    "Highest less lowest dimension of a leader", "Dimensions less than half a point below a leader's highest",
    "A leader's lowest dimension", "Requests for help",
)  # fmt: skip
MEAN, CHANGE, COUNT, ASKED = "mean", "change", "leaders", "requests"
NONE_OF_THEM = "none of these"
COLUMNS = ("n_of", "wave", "measured_on", "what", "raters", "out_of", TELLS)


@dataclass(frozen=True)
class _Balanced:
    """Ratings on every dimension by one kind of rater, at two waves or the only one.

    `scores`: by wave, leaders × dimensions, those with a score on every one. `requests`: for help, by what they name.
    """

    asked: Compared
    scores: dict[int, pd.DataFrame]
    requests: dict[str, int]
    confidence: float

    @property
    def labels(self) -> dict[str, str]:
        """The dimensions by key, without an overall score."""
        return {domain.key: domain.label for domain in self.asked.instrument.domains}

    @property
    def last(self) -> int:
        """The last wave."""
        return max(self.scores)

    @property
    def both(self) -> pd.Index[Any]:
        """The leaders whose spread is told: those with every dimension at each wave."""
        first, last = (self.scores[wave].index for wave in (min(self.scores), self.last))
        return first.intersection(last)

    def strengths(self, wave: int) -> pd.DataFrame:
        """The scores turned so that more is stronger."""
        return self.scores[wave] if self.asked.instrument.better == "higher" else -self.scores[wave]

    def spread(self, wave: int) -> pd.Series[float]:
        """Each leader's highest dimension less the lowest, of those with every wave."""
        own = self.scores[wave].loc[self.both]
        return own.max(axis=1) - own.min(axis=1)

    def beside(self, wave: int) -> pd.Series[int]:
        """How many dimensions stand beside each leader's strongest, itself among them."""
        strengths = self.strengths(wave)
        return strengths.gt(strengths.max(axis=1) - HALF + NEAR, axis=0).sum(axis=1)

    def lowest(self, wave: int) -> pd.Series[int]:
        """By dimension, for how many leaders it is the weakest; of equals, each counts."""
        strengths = self.strengths(wave)
        return strengths.lt(strengths.min(axis=1) + NEAR, axis=0).sum()

    @property
    def weakest(self) -> str:
        """The dimension on which leaders stand lowest at the last wave."""
        return self.labels[str(self.strengths(self.last).mean().idxmin())]

    @property
    def near(self) -> dict[str, tuple[int, int]]:
        """What leaders may be drawn to, each with how many dimensions that is."""
        every = len(self.labels)
        if every <= 3:
            return (
                {"one": (1, 1), "two": (2, 2), "all three": (3, 3)} if every == 3 else {"one": (1, 1), "both": (2, 2)}
            )
        return {"one": (1, 1), "some, not all": (2, every - 1), f"all {every}": (every, every)}


def balance(
    programme: Programme,
    *,
    on: str = "knowledge_and_skills",
    rater: str = "self",
    between: tuple[int, int] | None = None,
    confidence: float = 0.95,
) -> Result:
    """Are leaders strong in one kind of know-how, or in all three?

    Needs: `responses` about persons on the instrument `on`, of two dimensions or more, by one kind of `rater` at one
    wave or two. Only those with a score on every dimension count. A dimension less than half a point below a leader's
    own highest stands beside it (our rule): with one such dimension a leader is drawn to one, with all to all. Some
    distance between dimensions is chance, so nobody is quite balanced. Beside it stands what help was asked for, where
    `support_requests` name a dimension or one of its entries: leaders may ask for technical help where the gap lies
    elsewhere. `process.support` tells more of requests.
    Columns: n_of, wave, measured_on, what (mean, change, leaders, requests), raters (how many gave ratings), out_of,
    tells. Errors: `NotEnoughEvidence` without anybody scored on every dimension; ValueError for an instrument of one
    dimension, or whose dimensions have no common scale.

    >>> import evalkit as ek
    >>> balance(ek.load("sample_data/northmere")).table["group"].iloc[-1]
    'none of these'
    """
    share(confidence)
    held = _balanced(programme, on, rater, between, confidence)
    instrument = held.asked.instrument
    table = _table(held)
    evidence = grade(Design.DESCRIBED, informants=(rater,), rivals=circumstances.rivals(programme))
    decided = described("How strengths are spread is neither better nor worse: nothing is tested.")
    headline = _headline(held, table)
    settings = {"on": on, "rater": rater, "between": between}
    told = ", ".join(f"{name}={value!r}" for name, value in settings.items() if value is not None)
    return Result.of(
        question=QUESTION
        if "technical" in held.labels
        else f"Are leaders strong in one part of {instrument.name}, or in all?",
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.LEARNING,
        headline=headline,
        sentences=_sentences(held, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(held, table, headline.text),
        chart=charts.named("profile"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(held, table),
        about=circumstances.about(
            programme,
            f"individual.balance({told})",
            n=len(held.scores[held.last]),
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=held,
    )


def _balanced(
    programme: Programme, on: str, rater: str, between: tuple[int, int] | None, confidence: float
) -> _Balanced:
    """Who was rated on every dimension, and when; or a refusal."""
    instrument = scored(programme, on, QUESTION)
    if len(instrument.domains) < 2 or not instrument.on_scale:
        raise ValueError(
            f"{instrument.name} has one dimension, or dimensions without a common scale: there is nothing to balance. "
            "Name another instrument with on=…"
        )
    scores = ratings.given(programme, instrument, rater)
    waves = scores.loc[scores["score"].notna(), "wave"].dropna().astype(int).unique()
    if not len(waves):
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"{words.sentence_case(words.raters(rater))} gave no answers on the {instrument.name}.",
            would_answer="their answers at one wave or more, in responses.csv.",
        )
    if len(waves) == 1 and between is None:
        asked = Compared(programme, instrument, rater, int(waves[0]), int(waves[0]), scores)
    else:
        asked = compared(programme, on, rater, between, QUESTION)
    each = {domain.key: asked.answers(domain.key) for domain in instrument.domains}
    by_wave = {
        wave: pd.DataFrame({key: each[key][wave] for key in each}).dropna() for wave in (asked.first, asked.last)
    }
    by_wave = {wave: rated for wave, rated in by_wave.items() if not rated.empty}
    if not by_wave:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Nobody has a score on every dimension of {instrument.name}.",
            would_answer="answers to enough questions of each dimension by the same people.",
        )
    return _Balanced(asked, by_wave, _requests(programme, instrument), confidence)


def _requests(programme: Programme, instrument: Instrument) -> dict[str, int]:
    """Requests for help by the dimension that their theme names, by its own name or that of one of its entries."""
    log = register.of_programme(programme, programme.support_requests)
    themes = log.loc[register.by_now(programme, log["asked_on"]), "theme"].map(_plain)
    found = {}
    for domain in instrument.domains:
        own = [item for item in instrument.items if item.domain == domain.key]
        names = {domain.key, domain.label, *(item.key for item in own), *(item.text for item in own)}
        found[domain.label] = int(themes.isin({_plain(name) for name in names}).sum())
    return found | {NONE_OF_THEM: len(themes) - sum(found.values())} if len(themes) else {}


def _plain(name: str) -> str:
    """A name as it is compared: capitals and underscores do not matter."""
    return words.plain(name.strip().casefold())


def _table(held: _Balanced) -> pd.DataFrame:
    """Means by dimension and wave; the spread and its change; how many are drawn to what; requests."""
    rows = [row for wave in held.scores for row in _of_wave(held, wave)]
    if len(held.scores) > 1 and len(held.both):
        moved = held.spread(held.last) - held.spread(min(held.scores))
        rows.append(_mean(held, held.last, moved, SPREAD) | {"what": CHANGE, "wave": pd.NA, "measured_on": pd.NaT})
    out_of = sum(held.requests.values())
    for name, n in held.requests.items():
        rows.append(register.share(REQUESTS, name, n, out_of, of="requests", n_of="requests", what=ASKED))
    table = pd.DataFrame(rows).reindex(columns=[*FIRST, *COLUMNS])
    table["measured_on"] = pd.to_datetime(table["measured_on"])
    whole = dict.fromkeys(("n", "wave", "raters", "out_of", TELLS), "Int64")
    return table.astype({**whole, "estimate": float, "low": float, "high": float})


def _of_wave(held: _Balanced, wave: int) -> Iterator[dict[str, Any]]:
    """The rows of one wave: means, the mean spread, and counts of leaders."""
    shared = {"wave": wave, "measured_on": held.asked.closes(wave), "raters": _raters(held, wave)}
    for key, label in held.labels.items():
        few = of_waves(held.asked, key, [wave], held.scores[wave].index)
        yield _mean(held, wave, held.scores[wave][key], label, few)
    if len(held.both):
        yield _mean(held, wave, held.spread(wave), SPREAD)
    shared |= {TELLS: shared["raters"]}  # a count of nobody tells what its raters said all the same
    beside, out_of = held.beside(wave), len(held.scores[wave])
    for name, (least, most) in held.near.items():
        n = int(beside.between(least, most).sum())
        yield register.share(BESIDE, name, n, out_of, of="leaders", n_of="leaders", what=COUNT, **shared)
    lowest = held.lowest(wave)
    for key, label in held.labels.items():
        yield register.share(
            LOWEST, label, int(lowest[key]), out_of, of="leaders", n_of="leaders", what=COUNT, **shared
        )


def _mean(held: _Balanced, wave: int, values: pd.Series[float], measure: str, tells: int | None = None,
          ) -> dict[str, Any]:  # fmt: skip
    """A mean over leaders with its interval, where five or more differ."""
    found = mean_of(held.asked.programme, values, held.confidence)
    return {
        "measure": measure, "group": ALL, "estimate": float(values.mean()),
        "low": found.low if found else math.nan, "high": found.high if found else math.nan,
        "interval": f"{held.confidence:.0%} confidence" if found else "none given", "n": len(values),
        "unit": ratings.points(held.asked.instrument), "n_of": "leaders", "what": MEAN, "wave": wave,
        "measured_on": held.asked.closes(wave), "raters": _raters(held, wave), TELLS: tells,
    }  # fmt: skip


def _raters(held: _Balanced, wave: int) -> int:
    """How many people gave the ratings of a wave."""
    scores = held.asked.scores
    own = scores[(scores["wave"] == wave) & scores["subject_id"].isin(held.scores[wave].index)]
    return int(own.loc[own["score"].notna(), "respondent_id"].nunique())


def _rows(table: pd.DataFrame, *, measure: str | None = None, what: str | None = None, wave: int | None = None,
          ) -> tuple[int, ...]:  # fmt: skip
    """The rows of this kind."""
    kept = pd.Series(True, index=table.index)
    for column, value in (("measure", measure), ("what", what), ("wave", wave)):
        if value is not None:
            kept &= (table[column] == value).fillna(False).astype(bool)
    return tuple(int(row) for row in table.index[kept])


def _drawn(held: _Balanced, table: pd.DataFrame, wave: int) -> str:
    """How many leaders hold so many dimensions alike at a wave."""
    rows = _rows(table, measure=BESIDE, wave=wave)
    return words.listed([f"{table['group'][row]} for {table['n'][row]}" for row in rows])


def _headline(held: _Balanced, table: pd.DataFrame) -> Sentence:
    """How far a leader's strongest stands above the weakest, and where all together are weakest."""
    spread = _rows(table, measure=SPREAD, wave=held.last)
    weakest = _rows(table, measure=held.weakest, wave=held.last)
    lowest = f"weakest on the whole is {held.weakest} ({words.number(float(table['estimate'][weakest[0]]))})"
    if not spread:
        return Sentence(words.sentence_case(lowest), rows=weakest)
    apart = words.number(float(table["estimate"][spread[0]]))
    return Sentence(f"A leader's strongest stands {apart} points above their weakest; {lowest}", rows=spread + weakest)


def _sentences(held: _Balanced, table: pd.DataFrame) -> list[Sentence]:
    """The means at the last wave; the spread; the rule and the counts; what help was asked for."""
    rows = tuple(row for label in held.labels.values() for row in _rows(table, measure=label, wave=held.last))
    means = [f"{_number(table, row)} on {table['measure'][row]}" for row in rows]
    who = words.sentence_case(ratings.rated(held.asked.rater))
    said = [Sentence(f"{who} {words.listed(means)} in {held.asked.when(held.last)}.", rows=rows)]
    said += _spread(held, table)
    earlier = [wave for wave in held.scores if wave != held.last]
    told = [f"{held.asked.when(wave)}: {_drawn(held, table, wave)} of {len(held.scores[wave])}" for wave in earlier]
    said.append(
        Sentence(
            "Dimensions that stand within half a point of a leader's own highest: "
            f"{_drawn(held, table, held.last)} of {words.counted(len(held.scores[held.last]), 'leader')}"
            f"{f' ({words.listed(told)})' if told else ''}.",
            rows=tuple(row for wave in (held.last, *earlier) for row in _rows(table, measure=BESIDE, wave=wave)),
        )
    )
    if held.requests:
        named = [f"{n or 'none'} named {name}" for name, n in held.requests.items()]
        asked = words.counted(sum(held.requests.values()), "request")
        said.append(
            Sentence(
                f"Of {asked} for help, {words.listed(named)}; ratings are lowest on {held.weakest}.",
                rows=(*_rows(table, what=ASKED), *rows),
            )
        )
    return said


def _number(table: pd.DataFrame, row: int) -> str:
    """An estimate with its interval, where it has one."""
    mean, low, high = (float(table[column][row]) for column in ("estimate", "low", "high"))
    return words.number(mean) if math.isnan(low) else f"{words.number(mean)} ({words.span(low, high, 2)})"


def _spread(held: _Balanced, table: pd.DataFrame) -> Iterator[Sentence]:
    """How far a leader's highest stands above the lowest, and how that moved."""
    rows = _rows(table, measure=SPREAD)
    if not rows:
        return
    first, last = rows[0], _rows(table, measure=SPREAD, wave=held.last)[0]
    if first == last:
        yield Sentence(f"A leader's highest stands {_number(table, last)} points above the lowest.", (last,))
        return
    change = _rows(table, measure=SPREAD, what=CHANGE)[0]
    was, now = (words.number(float(table["estimate"][row])) for row in (first, last))
    yield Sentence(
        f"In the {table['n'][change]} rated at both waves, a leader's highest was {was} points above the lowest and is "
        f"now {now}: a change of {_number(table, change)}.",
        rows=(first, last, change),
    )


def _marks(held: _Balanced, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    scale = held.asked.instrument.scale
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": held.asked.when(wave), "x": label, "y": table["estimate"][row],
         "n": min(table["n"][row], table["raters"][row]), "row": row}
        for wave in held.scores
        for label in held.labels.values()
        for row in _rows(table, measure=label, wave=wave)
    ]  # fmt: skip
    rows.append({"mark": "scale", "low": scale.low, "high": scale.high})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{held.asked.instrument.name}, {ratings.rated(held.asked.rater)}, {held.asked.programme.title}",
        x_axis=f"mean, scale {scale.low:g} to {scale.high:g}",
    )


def _cautions(held: _Balanced, table: pd.DataFrame) -> Iterator[Sentence]:
    instrument = held.asked.instrument
    yield Sentence("Some distance between dimensions is chance: answers to a few questions differ in any case.")
    yield Sentence("Half a point is our rule. A team can hold every dimension though none of its leaders does.")
    if held.asked.rater == "self":
        yield Sentence("People rated themselves: what they hold easy is not always what they do well.")
    if held.requests:
        yield Sentence("Requests are sorted by the theme written down, and come from teams, not from those who "
                       "answered here; process.support tells more of them.")  # fmt: skip
    else:
        yield Sentence("No request for help was recorded, so what help was asked for is not known.")
    scores = held.asked.scores
    rated = scores[scores["score"].notna()].groupby("wave")["subject_id"].nunique()
    left = sum(int(rated[wave]) - len(own) for wave, own in held.scores.items())
    if left:
        many = f": {left}" if left >= held.asked.programme.minimum_group else ""
        yield Sentence(f"Ratings that leave a dimension without a score are not counted{many}.")
    if len(held.scores) > 1 and len(held.both) < LEAST_PAIRS:
        yield Sentence(f"Fewer than {LEAST_PAIRS} leaders have both waves: their change has no interval.")
    if instrument.scale.evaluator_defined:
        yield Sentence(f"{instrument.name} has no scale of its own: this one is the evaluator's, and not validated.")
