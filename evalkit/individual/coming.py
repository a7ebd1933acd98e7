"""How much leaders came, and how their change went with it: sessions, hours and slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit import register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.individual import ratings
from evalkit.stats import clusters
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evalkit.individual.compared import Compared
    from evalkit.programme import Programme

HALF = 0.5
"""What parts those who came a little from those who came a lot: half of what was offered, never the sample's median,
which would part other people in every programme."""
DIFFER = (
    "Those who came more differ in other ways, such as keenness, post or health: this does not say what coming does.",
    "Coming less may follow from changing less.",
)
PRESENT = "Only leaders rated at both times are here; they may be those who came most."
SELF = "People rated themselves; ratings often dip as understanding grows, whatever they do."
"""What would mislead, whatever is set beside how much people came."""


@dataclass(frozen=True, slots=True, eq=False)
class Attended:
    """What was offered to each leader between two waves: `log` has a row a session and leader, with the session's
    intervention, whether the leader came, and the hours they stayed (missing where nobody knows)."""

    log: pd.DataFrame

    @property
    def offers_known(self) -> bool:
        """Whether those are written down too who did not come."""
        return not self.log["came"].all()

    @property
    def sessions(self) -> pd.Series[float]:
        """How many sessions each leader came to, by id."""
        return self.log.groupby("person_id")["came"].sum().astype(float)

    @property
    def parts(self) -> pd.Series[float]:
        """Which part of what was offered each leader came to."""
        return self.log.groupby("person_id")["came"].mean()

    @property
    def hours(self) -> pd.Series[float]:
        """How many hours each leader was there; missing where the length of one of their sessions is not known."""
        hours = self.log["hours"].where(self.log["came"], 0.0)
        return hours.groupby(self.log["person_id"]).agg(lambda each: each.sum(skipna=False)).astype(float)

    def of_kind(self, kind: str) -> Attended:
        """Sessions of one kind alone: of the leaders to whom any was offered; of everybody, where offers are not known,
        for then whoever did not come to one of the kind is on no list of it."""
        log = self.log.assign(came=self.log["came"] & (self.log["intervention"] == kind))
        return Attended(log[log["intervention"] == kind] if self.offers_known else log)


@dataclass(frozen=True, slots=True)
class Slope:
    """How much higher the change was for each further session or hour. NaN low, high and p: no interval.

    `apart`: how many leaders came to another number than most did; so many a slope speaks of.
    """

    estimate: float
    low: float
    high: float
    p: float
    n: int
    apart: int


def attended(asked: Compared, question: str) -> Attended:
    """The sessions offered to rated leaders between two waves: from the day the first opened to that the last closed.

    Errors: `NotEnoughEvidence` where nobody's attendance in this time was written down.
    """
    programme, since, until = asked.programme, _opened(asked), _closed(asked)
    held = programme.sessions
    held = held[register.by_now(programme, held["held_on"]) & (held["held_on"] <= until)]
    if since is not None:
        held = held[held["held_on"] >= since]
    log = programme.attendance.merge(held[["session_id", "intervention", "hours"]], on="session_id")
    log = log[log["person_id"].isin(asked.scores["subject_id"])]
    if log.empty:
        when = f"to {words.day(until)}" if since is None else f"from {words.day(since)} to {words.day(until)}"
        raise NotEnoughEvidence(
            question,
            missing=f"No rated leader's attendance at sessions {when} was recorded.",
            would_answer="attendance.csv: one row a session and person, with eligible, invited or attended; and "
            "sessions.csv with the day of each.",
        )
    own = pd.Series(log["minutes"].to_numpy(dtype=float, na_value=np.nan) / 60, index=log.index)
    return Attended(log.assign(came=log["status"] == "attended", hours=own.fillna(log["hours"].astype(float))))


def _opened(asked: Compared) -> pd.Timestamp | None:
    """The day the first wave opened, else that of its first answer, else the day it closed; None where nobody knows."""
    opens = asked.programme.waves.set_index("wave")["opens_on"].reindex([asked.first]).iloc[0]
    return _known(opens, _answered_on(asked, asked.first).min(), asked.closes(asked.first))


def _closed(asked: Compared) -> pd.Timestamp:
    """The day the last wave closed, else that of its last answer; never after the day the data speak of."""
    now = pd.Timestamp(asked.programme.as_of)
    found = _known(asked.closes(asked.last), _answered_on(asked, asked.last).max())
    return now if found is None else min(found, now)


def _known(*days: pd.Timestamp | None) -> pd.Timestamp | None:
    """The first of these days that is known."""
    return next((day for day in days if day is not None and not pd.isna(day)), None)


def _answered_on(asked: Compared, wave: int) -> pd.Series[pd.Timestamp]:
    own = ratings.answers(asked.programme, asked.instrument, asked.rater)
    return pd.to_datetime(own.loc[own["wave"] == wave, "answered_on"])


def changed(asked: Compared, domain: str) -> pd.DataFrame:
    """Leaders rated at both waves: `first`, their first score, and `moved`, how it changed."""
    both = asked.answers(domain)[[asked.first, asked.last]].dropna()
    return pd.DataFrame({"first": both[asked.first], "moved": both[asked.last] - both[asked.first]})


def slope(
    programme: Programme, moved: pd.DataFrame, came: pd.Series[float], confidence: float, *, alike: bool = False
) -> Slope | None:
    """The least-squares slope of change on how much people came; `alike`: among those of the same first score.

    None with fewer than five leaders of whom both are known, or where all came as much (or, with `alike`, where first
    scores do not differ, or tell all there is to know of who came).
    """
    known = moved.assign(came=came.reindex(moved.index)).dropna()
    many = known["came"].value_counts()
    if len(known) < LEAST_PAIRS or len(many) < 2:
        return None
    terms = known[["came", "first"] if alike else ["came"]].to_numpy(dtype=float)
    design = np.column_stack([np.ones(len(known)), terms - terms.mean(axis=0)])
    try:
        fit = _cr2(programme, known["moved"], design, confidence)
    except ValueError:  # terms that are sums of others, or as many terms as leaders
        return None
    found = fit.contrast([0.0, 1.0, 0.0][: design.shape[1]])
    return Slope(found.estimate, found.low, found.high, found.p, len(known), len(known) - int(many.iloc[0]))


def mean(programme: Programme, moved: pd.Series[float], confidence: float) -> tuple[float, float, float]:
    """The mean change and its interval; NaN low and high with fewer than five leaders, or where all changed alike."""
    middle = float(moved.mean())
    if len(moved) < LEAST_PAIRS:
        return middle, float("nan"), float("nan")
    found = _cr2(programme, moved, np.ones((len(moved), 1)), confidence).contrast([1.0])
    return middle, found.low, found.high


def _cr2(
    programme: Programme, moved: pd.Series[float], design: NDArray[np.float64], confidence: float
) -> clusters.ClusterRobust:
    """By team where enough teams are known (whoever is in none stands for one), else by person."""
    teams = ratings.teams(programme, moved.index)
    groups = np.arange(len(moved)) if teams is None else teams.to_numpy(dtype=object)
    return clusters.cr2(moved, design, groups, confidence=confidence)
