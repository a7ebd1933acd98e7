"""Standard deviations in points of a questionnaire: how far apart changes lay in what was answered twice already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit import circumstances, register, words
from evalkit.individual import ratings
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

INSIDERS = "team_member"
"""Who scores a place or team from inside it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How far apart changes lay: their `sd` in points, over `n` leaders or places, on a scale of `low` to `high`."""

    sd: float
    n: int
    low: float
    high: float

    @property
    def scale(self) -> str:
        """The scale as a sentence has it."""
        return f"of {self.low:g} to {self.high:g}"


def of_leaders(programme: Programme | None, name: str) -> Spread | None:
    """The spread of leaders' changes, first to last wave, as they rated themselves; None where it is not known.

    Nothing is said of fewer leaders than may be shown together.
    """
    one = _averaged(programme, name)
    if programme is None or one is None:
        return None
    return _spread(programme, one, ratings.given(programme, one, "self"), ratings.main_domain(one))


def of_places(programme: Programme | None, name: str) -> Spread | None:
    """The spread of places' changes, first to last wave, in means of those inside; None where it is not known.

    On the domain that was declared to decide, else the first.
    """
    one = _averaged(programme, name)
    if programme is None or one is None or not one.on_scale:
        return None
    responses = register.answered(programme)
    own = responses[
        (responses["instrument"] == name)
        & (responses["subject_kind"] == "place")
        & (responses["rater"] == INSIDERS)
        & (responses["timing"] != "then")
        & ~responses["subject_id"].isin(circumstances.comparison_places(programme))
    ]
    declared, _, domain = programme.plan.primary.get("team", "").partition("/")
    return _spread(programme, one, one.score(own), domain if declared == name and domain else one.domains[0].key)


def _averaged(programme: Programme | None, name: str) -> Instrument | None:
    """The questionnaire of this name, where there is one and its answers may be averaged."""
    one = None if programme is None else programme.instruments.get(name)
    return None if one is None or one.recorded else one


def _spread(programme: Programme, one: Instrument, scores: pd.DataFrame, domain: str) -> Spread | None:
    answers = ratings.by_wave(scores, domain) if len(scores) else scores
    later = set(programme.waves.loc[~register.by_now(programme, programme.waves["opens_on"]), "wave"])
    held = [wave for wave in answers.columns if answers[wave].notna().any()] if len(scores) else []
    waves = sorted(set(held) - later)
    if len(waves) < 2:
        return None
    change = (answers[waves[-1]] - answers[waves[0]]).dropna()
    if len(change) < max(LEAST_PAIRS, programme.minimum_group) or change.nunique() < 2:
        return None
    low, high = one.bounds.get(domain, (one.scale.low, one.scale.high))
    return Spread(float(change.std(ddof=1)), len(change), low, high)


def from_whom(spread: Spread, one: Instrument, who: str) -> str:
    """What points rest on, as a caution says it."""
    return (
        f"Points are those of the {one.name}: the changes of {words.counted(spread.n, who.removesuffix('s'))} "
        f"scored twice had a standard deviation of {words.significant(spread.sd)}."
    )
