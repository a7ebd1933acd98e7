"""What leaders said of their start at the time, what they say of it looking back, and how they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data_schemas.tables.answers import RATERS
from evalkit import circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.individual import ratings
from evalkit.individual.compared import Compared, compared, known_domain
from evalkit.stats import clusters
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "Do leaders see their own start otherwise, looking back?"
PRE, THEN, POST = "pre", "then", "post"
ALIKE = 1e-9
"""Values nearer than this are the same: what arithmetic leaves is no difference between people."""
INFLATED = (
    "Looking back can flatter the change: in a study of 196 supervisors on a leadership course, they and their "
    "untrained staff put the start lower than they had at the time (Taylor and others 2009)."
)
"""The main doubt about every figure that rests on looking back."""


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of one value a leader. No interval (NaN) for fewer than five leaders, or where all are alike."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What one kind of others saw: leaders × pre and post by domain, and how many gave ratings (at the wave of fewer).

    Only leaders they rated at both waves, and only the questions they were asked at both.
    """

    answers: dict[str, pd.DataFrame]
    raters: int


@dataclass(frozen=True, slots=True)
class Three:
    """Leaders × pre, then and post by domain, NaN where not answered; the domain that is told comes first.

    `pair`: the waves of pre and post. `back`: the wave of then, `backs` every wave at which leaders looked back.
    `start`: the first wave they answered. `items`: how many questions were asked all three times, `most` at the time
    that asked the most. `same_day`: most looked back on the day they said how they are. `left_out`: domains, in words,
    that were not scored all three times.
    """

    pair: Compared
    back: int
    backs: list[int]
    start: int
    items: int
    most: int
    same_day: bool
    answers: dict[str, pd.DataFrame]
    left_out: list[str]
    seen: dict[str, Seen]

    @property
    def lead(self) -> str:
        """The domain that is told."""
        return next(iter(self.answers))


def mean(programme: Programme, values: pd.Series[float], confidence: float) -> Mean:
    """The mean of one value a leader, missing left out: t over leaders, or CR2 over teams where three are known."""
    held = values.dropna().astype(float)
    low = high = float("nan")
    if len(held) >= LEAST_PAIRS and held.max() - held.min() > ALIKE:
        teams = ratings.teams(programme, held.index)
        groups = np.arange(len(held)) if teams is None else teams.to_numpy(dtype=object)
        found = clusters.cr2(held.to_numpy(), np.ones((len(held), 1)), groups, confidence=confidence).contrast([1.0])
        low, high = (found.low, found.high) if found.se > ALIKE else (low, high)
    return Mean(float(held.mean()), low, high, len(held))


def said_with_interval(row: Mapping[str, Any]) -> str:
    """A difference of a row with its interval, where there is one.

    >>> said_with_interval({"estimate": -0.32, "low": -0.39, "high": -0.25})
    '0.32 lower (−0.39 to −0.25)'
    """
    if np.isnan(row["low"]):
        return words.higher(row["estimate"])
    places = words.decimals(row["low"], row["high"])
    return f"{words.higher(row['estimate'], places)} ({words.span(row['low'], row['high'], places)})"


def looked_back(backs: list[int], first: int, last: int) -> int | None:
    """The wave whose looking back is read: the last of the two compared, else the latest after the first.

    >>> looked_back([2, 3], 1, 2), looked_back([2], 1, 3), looked_back([2], 2, 3)
    (2, 2, None)
    """
    after = [wave for wave in backs if wave > first]
    return last if last in after else max(after, default=None)


def waves(answers: pd.DataFrame) -> list[int]:
    """The waves at which these rows were answered."""
    return sorted(answers["wave"].dropna().astype(int).unique().tolist())


def known_raters(raters: tuple[str, ...] | str) -> tuple[str, ...]:
    """The kinds of rater named, each once; ValueError for one there is not, or for leaders themselves.

    >>> known_raters("sponsor")
    ('sponsor',)
    """
    named = (raters,) if isinstance(raters, str) else tuple(dict.fromkeys(raters))
    others = [rater for rater in RATERS if rater != "self"]
    unknown = [repr(rater) for rater in named if rater not in others]
    if unknown:
        raise ValueError(f"raters: {', '.join(unknown)} is no kind of others. There are: {words.listed(others)}.")
    return named


def three(
    programme: Programme,
    instrument: Instrument,
    domain: str | None,
    raters: tuple[str, ...],
    between: tuple[int, int] | None,
) -> Three:
    """The three sets of answers of leaders about themselves, and what these others saw; or a refusal that says why not.

    Only questions asked all three times are scored, so that a shorter form makes no difference of its own.
    """
    own, back = (_answered(programme, instrument, "self", then=then) for then in (False, True))
    _refuse_without(programme, instrument, own, back)
    starts, backs = waves(own), waves(back)
    both = [wave for wave in backs if wave in starts[1:]]
    pair = compared(
        programme, instrument.id, "self", between or (starts[0], max(both, default=starts[-1])), QUESTION
    )  # fmt: skip
    looked = looked_back(backs, pair.first, pair.last)
    if looked is None:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Nobody looked back after {pair.when(pair.first)}.",
            would_answer="naming an earlier first wave, with between=….",
        )
    times = {
        PRE: own[own["wave"] == pair.first], THEN: back[back["wave"] == looked], POST: own[own["wave"] == pair.last]
    }  # fmt: skip
    answers, left_out = _answers(programme, instrument, times, domain)
    seen = {rater: _seen(pair, rater, list(answers)) for rater in raters}
    return Three(
        pair,
        looked,
        backs,
        starts[0],
        len(_shared(times)),
        max(rows["item"].nunique() for rows in times.values()),
        _same_day(times),
        answers,
        left_out,
        {rater: found for rater, found in seen.items() if found.answers},
    )


def by_time(instrument: Instrument, times: dict[str, pd.DataFrame], domains: list[str]) -> dict[str, pd.DataFrame]:
    """Leaders × times on each domain, from the questions asked every time; NaN where too few of them were answered."""
    shared = _shared(times)
    scores = {time: instrument.score(rows[rows["item"].isin(shared)]) for time, rows in times.items()}
    return {
        domain: pd.DataFrame(
            {
                time: held[held["domain"] == domain].groupby("subject_id")["score"].mean()
                for time, held in scores.items()
            }
        )
        for domain in domains
    }


def _answered(programme: Programme, instrument: Instrument, rater: str, *, then: bool = False) -> pd.DataFrame:
    rows = ratings.answers(programme, instrument, rater, then=then)
    return rows[rows["answer"].notna()]


def _shared(times: dict[str, pd.DataFrame]) -> set[str]:
    """The questions somebody answered each time."""
    return set.intersection(*(set(rows["item"]) for rows in times.values()))


def _answers(
    programme: Programme, instrument: Instrument, times: dict[str, pd.DataFrame], domain: str | None
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Each domain with somebody who has all three, the one that decides first; and those without, in words."""
    labels, lead = instrument.domain_labels, known_domain(programme, instrument, domain)
    each = by_time(instrument, times, list(dict.fromkeys([lead, *labels])))
    whole = {key: held for key, held in each.items() if not held.dropna().empty}
    if not whole or (domain is not None and lead not in whole):
        most = lead if domain else max(each, key=lambda key: int(each[key].notna().sum().sum()))
        counts, others = each[most].notna().sum(), [labels[key] for key in whole]
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"On {labels[most]} no leader has all three: {counts[PRE]} at the start, {counts[THEN]} looking "
            f"back, {counts[POST]} later, on the questions asked all three times.",
            would_answer=f"asking about {words.listed(others)}, with domain=…."
            if others
            else "the same leaders answering the same questions all three times, under the same id.",
        )
    if domain is not None:
        return {lead: whole[lead]}, []
    return whole, [labels[key] for key in labels if key not in whole]


def _seen(pair: Compared, rater: str, domains: list[str]) -> Seen:
    rows = _answered(pair.programme, pair.instrument, rater)
    times = {PRE: rows[rows["wave"] == pair.first], POST: rows[rows["wave"] == pair.last]}
    gave = min(held["respondent_id"].nunique() for held in times.values())
    each = by_time(pair.instrument, times, domains) if gave else {}
    both = {domain: held.dropna() for domain, held in each.items()}
    return Seen({domain: held for domain, held in both.items() if not held.empty}, gave)


def _same_day(times: dict[str, pd.DataFrame]) -> bool:
    back, now = (times[time].groupby("subject_id")["answered_on"].max() for time in (THEN, POST))
    days = pd.DataFrame({"back": back, "now": now}).dropna()
    return bool((days["back"] == days["now"]).mean() > 0.5) if len(days) else False  # most of them


def _refuse_without(programme: Programme, instrument: Instrument, own: pd.DataFrame, back: pd.DataFrame) -> None:
    """Without a start, looking back after it, and how leaders are by then, there is nothing to set side by side."""
    starts, backs, name = waves(own), waves(back), instrument.name
    leaders = f"{words.sentence_case(words.counted(back['subject_id'].nunique(), 'leader'))} looked back on the {name}"
    began = bool(starts) and ("pre" in set(own.loc[own["wave"] == starts[0], "timing"]) or len(starts) > 1)
    if back.empty:
        missing = f"No leader looked back on the {name}."
        wanted = "the same questions once more at a later wave, about how leaders were at the start (timing then)."
    elif not backs:
        missing = f"{leaders}, but at no wave."
        wanted = "the wave at which they did so, in responses.csv."
    elif began and backs[0] <= starts[0]:
        missing = f"Answers looking back stand at wave {backs[0]}, the start itself: nobody can look back on it there."
        wanted = "the later wave at which they were given, or another timing, in responses.csv."
    elif not starts or starts[0] >= backs[-1]:
        missing = f"{leaders}, but nobody had answered at an earlier wave."
        wanted = "what leaders said of themselves at the start, to set beside what they say of it now."
    elif len(starts) < 2:
        missing = f"{leaders} in {circumstances.when(programme, backs[-1])}, but nobody said how they were by then."
        wanted = "the same questions about now, at the wave at which leaders look back."
    else:
        return
    raise NotEnoughEvidence(QUESTION, missing=missing, would_answer=wanted)
