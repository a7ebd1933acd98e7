"""What leaders say they know, can do and intend: between two waves, looking back, afterwards, or asked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.individual import ratings
from evalkit.individual.besides import besides, of_waves
from evalkit.individual.compared import Compared, compared
from evalkit.individual.looking_back import ALIKE, POST, PRE, THEN, by_time, looked_back, mean, waves
from evalkit.individual.small_classes import part_tells
from evalkit.result import ALL
from evalkit.stats import panel, rates
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme
    from evalkit.stats.panel import PanelChange

QUESTION = "What did people learn?"
FOLLOWUP = "followup"
CHANGE, BACK, LASTED, AGREE = "change", "change looking back", "lasted", "agree"
"""The kinds of row of the table."""
FEWEST_STEPS = 4
"""On a scale of fewer answers than this only the highest is agreeing; on others the highest two are."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How one part moved between two waves: means, how many answered when; `tested` where an interval can be given.

    `tells`: how few people it would tell beside the means of everybody who answered then.
    """

    estimate: float
    low: float
    high: float
    n: int
    first: float
    last: float
    answered: tuple[int, int, int]
    tested: PanelChange | None = None
    tells: int | None = None


@dataclass(frozen=True, slots=True)
class Agreed:
    """How many of those asked once agree with a part; the share and its interval (missing below five people)."""

    count: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Of those who answered."""
        return self.count / self.n


@dataclass(frozen=True, slots=True)
class Learnt:
    """Everything the answers say, by part: `moved` between two waves, else `agreed` when asked once, at `wave`.

    `back`: the change looking back, from the start as seen then. `lasted`: from the end to `later`.
    """

    programme: Programme
    instrument: Instrument
    rater: str
    pair: Compared | None
    wave: int | None
    later: int | None
    asked_before: bool
    moved: dict[str, Moved] = field(default_factory=dict)
    agreed: dict[str, Agreed] = field(default_factory=dict)
    back: dict[str, Moved] = field(default_factory=dict)
    lasted: dict[str, Moved] = field(default_factory=dict)

    def when(self, wave: int | None) -> str:
        """The month a wave closed, or its number; nothing for answers at no wave."""
        return "" if wave is None else circumstances.when(self.programme, wave)


def learnt(
    programme: Programme,
    instrument: Instrument,
    rater: str,
    between: tuple[int, int] | None,
    order: list[str],
    confidence: float,
) -> Learnt:
    """What these answers say of each part, in this order; or a refusal."""
    scores = ratings.given(programme, instrument, rater)
    scores = scores[scores["score"].notna()]
    pair = _pair(programme, instrument, rater, scores, between)
    after = scores[scores["timing"] != PRE]
    if pair is None and after.empty:
        _refuse(instrument, rater, scores)
    end = pair.last if pair else _end(after)
    later = [wave for wave in waves(scores[scores["timing"] == FOLLOWUP]) if end is not None and wave > end]
    followed = Compared(programme, instrument, rater, end, later[-1], scores) if end is not None and later else None
    found = Learnt(
        programme,
        instrument,
        rater,
        pair,
        end,
        later[-1] if later else None,
        len(after) < len(scores),
        moved=_each(pair, order, confidence),
        agreed={} if pair else _agreeing(instrument, _at(after, end), order, confidence),
        lasted={part: _lasted(followed, part, moved) for part, moved in _each(followed, order, confidence).items()},
    )
    _refuse_nothing(found)
    return replace(found, back=_back(found, order, confidence))


def table_of(found: Learnt, clear: Mapping[str, str], confidence: float) -> pd.DataFrame:
    """A row a part: its change, or how many agree; then its change looking back; then what lasted."""
    rows = []

    def row(part: str, what: str, estimate: float, low: float, high: float, n: int) -> dict[str, Any]:
        return {
            "measure": found.instrument.domain_labels[part], "group": ALL, "estimate": estimate, "low": low,
            "high": high, "interval": "none given" if np.isnan(low) else f"{confidence:.0%} confidence", "n": n,
            "unit": "% of those who answered" if what == AGREE else ratings.points(found.instrument),
            "n_of": "leaders", "what": what, "mean_first": np.nan, "mean_last": np.nan, "answered_first": None,
            "answered_last": n, "answered_both": None, "agreed": None,
            "clear": clear.get(part, "") if what == CHANGE else "", TELLS: None,
        }  # fmt: skip

    for part, one in found.agreed.items():
        share = row(part, AGREE, 100 * one.share, 100 * one.low, 100 * one.high, one.n)
        rows.append(share | {"agreed": one.count, TELLS: part_tells(one.count, one.n, found.programme.minimum_group)})
    for what, each in ((CHANGE, found.moved), (BACK, found.back), (LASTED, found.lasted)):
        for part, held in each.items():
            first, last, both = held.answered
            answered = {"answered_first": first, "answered_last": last, "answered_both": both}
            means = {"mean_first": held.first, "mean_last": held.last}
            told = {TELLS: held.tells}
            rows.append(row(part, what, held.estimate, held.low, held.high, held.n) | answered | means | told)
    whole = ["n", "answered_first", "answered_last", "answered_both", "agreed", TELLS]
    return pd.DataFrame(rows).astype(dict.fromkeys(whole, "Int64"))


def of_kind(table: pd.DataFrame, what: str) -> dict[int, dict[str, Any]]:
    """The rows of one kind, by their place in the table."""
    held = table[table["what"] == what].astype(object)
    return {at: dict(zip(held.columns, row, strict=True)) for at, *row in held.itertuples(name=None)}


def cut(instrument: Instrument) -> float:
    """From which score on somebody agrees: the second highest answer of the scale, the highest of two or three."""
    scale = instrument.scale
    return scale.high if scale.options < FEWEST_STEPS else scale.high - scale.step


def _pair(
    programme: Programme,
    instrument: Instrument,
    rater: str,
    scores: pd.DataFrame,
    between: tuple[int, int] | None,
) -> Compared | None:
    """The two waves compared, the first and the last before any follow-up; None where parts were asked once.

    A follow-up is the end where nobody was asked at the end.
    """
    followed = scores["timing"] == FOLLOWUP
    asked, later = waves(scores[~followed]), waves(scores[followed])
    ends = between
    if ends is None and len(asked) > 1:
        ends = (asked[0], asked[-1])
    elif ends is None and len(asked) == 1 and (scores.loc[~followed, "timing"] == PRE).all() and later[-1:] > asked:
        ends = (asked[0], later[-1])
    return None if ends is None else compared(programme, instrument.id, rater, ends, QUESTION)


def _end(after: pd.DataFrame) -> int | None:
    """The wave of the answers given once: the last that is no follow-up, else the last; None for answers at no wave."""
    asked = waves(after[after["timing"] != FOLLOWUP]) or waves(after)
    return asked[-1] if asked else None


def _at(rows: pd.DataFrame, wave: int | None) -> pd.DataFrame:
    """The rows of one wave, or of none."""
    return rows[rows["wave"].isna()] if wave is None else rows[rows["wave"] == wave]


def _refuse(instrument: Instrument, rater: str, scores: pd.DataFrame) -> None:
    who = words.sentence_case(words.raters(rater))
    raise NotEnoughEvidence(
        QUESTION,
        missing=f"{who} gave no answers on the {instrument.name}."
        if scores.empty
        else f"{who} answered the {instrument.name} at the start only.",
        would_answer="the same people answering it at the end, and best at the start too, in responses.csv.",
    )


def _refuse_nothing(found: Learnt) -> None:
    """Two waves without a part that anybody answered at both; once, points that are no steps of one scale."""
    name = found.instrument.name
    if found.pair and not found.moved:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Nobody answered enough of one part of the {name} at both waves.",
            would_answer="the same questions at both waves.",
        )
    if not found.pair and not found.agreed:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"The {name} was answered once, and its points are no steps of one scale from disagreeing to "
            "agreeing.",
            would_answer="the same people answering it at the start as well.",
        )


def _moved(pair: Compared, part: str, confidence: float) -> Moved | None:
    """The change from all answers; without interval below five who answered twice, or where all moved alike."""
    answers, ends = pair.answers(part), [pair.first, pair.last]
    both = answers[ends].dropna()
    if both.empty:
        return None
    counts = answers[ends].notna().sum()
    answered = (int(counts[pair.first]), int(counts[pair.last]), len(both))
    if len(both) >= LEAST_PAIRS:
        try:
            found = panel.available(
                answers, first=pair.first, last=pair.last, teams=pair.teams(part), confidence=confidence
            )
        except ValueError:  # all moved alike: there is no interval
            pass
        else:
            means = found.wave_means.set_index("wave")["mean"]
            first, last = (float(means[wave]) for wave in ends)
            return Moved(found.estimate, found.low, found.high, found.n, first, last, answered, found)
    none, (first, last) = float("nan"), (float(both[wave].mean()) for wave in ends)
    return Moved(last - first, none, none, len(both), first, last, answered)


def _each(pair: Compared | None, order: list[str], confidence: float) -> dict[str, Moved]:
    """How each part moved that anybody answered at both waves."""
    each = {part: _moved(pair, part, confidence) for part in order} if pair else {}
    return {part: moved for part, moved in each.items() if moved}


def _lasted(followed: Compared | None, part: str, moved: Moved) -> Moved:
    """With how few people it would tell: of pairs alone it does, beside the end as everybody rated it."""
    assert followed is not None
    if moved.tested is not None and moved.tested.basis != "complete pairs":
        return moved
    answers = followed.answers(part)
    both, end = answers[[followed.first, followed.last]].dropna().index, answers[followed.first].dropna().index
    return replace(moved, tells=besides(both, [end], followed.programme.minimum_group))


def _agreeing(instrument: Instrument, rows: pd.DataFrame, order: list[str], confidence: float) -> dict[str, Agreed]:
    """How many people's mean answer to each part is agreeing; nothing where points are no steps of one scale."""
    found = {}
    for part in order if instrument.on_scale else ():
        mine = rows[rows["domain"] == part].groupby("subject_id")["score"].mean()
        if len(mine):
            count = int((mine >= cut(instrument) - ALIKE).sum())
            share = rates.wilson(count, len(mine), confidence=confidence)
            enough = len(mine) >= LEAST_PAIRS
            low, high = (share.low, share.high) if enough else (float("nan"), float("nan"))
            found[part] = Agreed(count, len(mine), low, high)
    return found


def _back(found: Learnt, order: list[str], confidence: float) -> dict[str, Moved]:
    """The change looking back, of those who did so and said how they are, from the questions asked both times."""
    own, back = (ratings.answers(found.programme, found.instrument, found.rater, then=then) for then in (False, True))
    own, back = own[own["answer"].notna() & (own["timing"] != PRE)], back[back["answer"].notna()]
    wave = found.wave
    if wave is not None:
        first = found.pair.first if found.pair else min([*waves(back), wave]) - 1
        wave = looked_back(waves(back), first, wave)
        if wave is None:
            return {}
    times = {THEN: _at(back, wave), POST: _at(own, found.wave)}
    each = by_time(found.instrument, times, order)
    return {part: _looking_back(found, part, held, confidence) for part, held in each.items() if len(held.dropna())}


def _looking_back(found: Learnt, part: str, held: pd.DataFrame, confidence: float) -> Moved:
    both, counts = held.dropna(), held.notna().sum()
    moved = mean(found.programme, both[POST] - both[THEN], confidence)
    answered = (int(counts[THEN]), int(counts[POST]), moved.n)
    told = of_waves(found.pair, part, [found.pair.last], both.index) if found.pair else None
    means = both[THEN].mean(), both[POST].mean()
    return Moved(moved.estimate, moved.low, moved.high, moved.n, *means, answered, tells=told)
