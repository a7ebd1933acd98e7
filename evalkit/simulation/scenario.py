"""How big the invented programme is and how it behaves: frozen, checked once, passed to every part."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Process = Literal["observation", "latent"]

START = date(2024, 4, 1)
"""The invented programme starts here, whatever its size."""

DRIFT = (-24, 177, 388, 573)
"""Days from the start on which the first four waves open. Meant to be six months apart; they drift, as real ones do."""

OPEN_DAYS = 25
"""How long a wave stays open."""


@cache
def shipped(name: str) -> Mapping[str, Any]:
    """One of the text files beside this module: invented names, or invented stories."""
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The size and behaviour of an invented programme. Defaults are northmere's.

    `team_icc` is the share of the variance between leaders, in baseline and in change alike, that lies between
    teams (latent: items add noise, so the observed share is smaller). `dropout` is the expected share gone by the
    last wave; `dropout_on_baseline` the correlation of staying with baseline (0: at random); `nonresponse` the
    share of the rest who skip any one wave. `rho`, `process`, `overdispersion` and `admissions` (a month, over all
    programme places) shape the admissions series. `events=False` leaves out the shock, the change of definition
    and the concurrent scheme, from the numbers and from the table.
    """

    effects: Mapping[str, float]
    leaders: int = 150
    teams: int = 24
    places: int = 19
    programme_places: int = 12
    waves: int = 4
    months: int = 60
    team_icc: float = 0.10
    dropout: float = 0.25
    dropout_on_baseline: float = 0.30
    nonresponse: float = 0.05
    rho: float = 0.30
    process: Process = "observation"
    overdispersion: float = 2.0
    admissions: float = 300.0
    events: bool = True

    def __post_init__(self) -> None:
        names = len(shipped("northmere")["places"])
        rules = (
            (self.teams >= 1 and self.leaders >= 2 * self.teams, "leaders", "at least two to a team"),
            (1 <= self.programme_places <= self.places, "programme_places", f"between 1 and places={self.places}"),
            (self.places <= names, "places", f"at most {names}: that many names were invented"),
            (self.waves >= 2, "waves", "at least 2"),
            (self.months >= 12, "months", "at least 12"),
            (0 <= self.team_icc < 1, "team_icc", "from 0 up to, not including, 1"),
            (0 <= self.dropout < 1, "dropout", "from 0 up to, not including, 1"),
            (-1 < self.dropout_on_baseline < 1, "dropout_on_baseline", "between -1 and 1"),
            (0 <= self.nonresponse < 1, "nonresponse", "from 0 up to, not including, 1"),
            (0 <= self.rho < 1, "rho", "from 0 up to, not including, 1"),
            (self.process in ("observation", "latent"), "process", "'observation' or 'latent'"),
            (self.overdispersion >= 1, "overdispersion", "at least 1 (1 is Poisson)"),
            (self.admissions > 0, "admissions", "above 0 a month"),
        )
        for holds, name, rule in rules:
            if not holds:
                raise ValueError(f"simulate: {name}={getattr(self, name)!r} must be {rule}.")

    @property
    def start_month(self) -> int:
        """How many months of admissions lie before the start: three in five, so 36 of 60."""
        return round(self.months * 0.6)

    @cached_property
    def periods(self) -> pd.DatetimeIndex:
        """The first of every month of admissions; the programme starts on the one numbered `start_month`."""
        first = pd.Timestamp(START) - pd.DateOffset(months=self.start_month)
        return pd.date_range(first, periods=self.months, freq="MS", unit="us")

    @cached_property
    def opens_on(self) -> tuple[date, ...]:
        """When each wave opens; after the fourth, every 189 days."""
        days = [*DRIFT, *(DRIFT[-1] + 189 * further for further in range(1, self.waves))][: self.waves]
        return tuple(START + timedelta(days=day) for day in days)

    @cached_property
    def as_of(self) -> date:
        """The last day the invented data know of: the end of the last month of admissions or of the last wave."""
        end_of_series = (self.periods[-1] + pd.offsets.MonthEnd(0)).date()
        return max(end_of_series, self.opens_on[-1] + timedelta(days=OPEN_DAYS))

    @cached_property
    def progress(self) -> NDArray[np.float64]:
        """How much of a planted change has happened by each wave: nothing at the first, all at the last."""
        return np.linspace(0.0, 1.0, self.waves)
