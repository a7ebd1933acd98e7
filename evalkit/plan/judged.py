"""One measure or questionnaire judged: when it may be read, what could be seen by then, and what asking costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from evalkit import instrument, measure, register, words
from evalkit.plan import asking, in_points
from evalkit.plan.in_points import Spread
from evalkit.plan.numbers import USUAL, Numbers, numbers
from evalkit.plan.seen import STANDARD, Row, Seen
from evalkit.stats import power
from evalkit.verdict import HEADLINE, LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.measure import Measure
    from evalkit.programme import Programme

RUNS = 200
"""Simulated evaluations a test: they check the number, and it does not rest on them."""
UNTESTED = "cannot be tested"
"""What stands where no change could be seen, and `why_not` says why."""
LEVELS = {"leaders": "Leaders", "organisations": "Organisations together", "lives": "People's lives",
          "sessions": "Sessions"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """One measure or questionnaire of a plan, and everything its row says.

    `about`: leaders, organisations, lives or sessions. `waves`: months it is asked in, None where nothing says how
    long the evaluation lasts. `timed`: minutes a form takes, by questionnaire.
    """

    of: Instrument | Measure
    about: str
    known: Numbers
    programme: Programme | None
    seed: int
    waves: tuple[int, ...] | None = None
    timed: Mapping[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What it is called."""
        return self.of.label if isinstance(self.of, measure.Measure) else self.of.name

    @property
    def lag(self) -> int | None:
        """The month from which it may be read; None where nobody agreed one."""
        if isinstance(self.of, measure.Measure):
            return self.of.expected_lag_months
        return None if self.programme is None else self.programme.plan.lag_months.get(self.of.id)

    @property
    def informants(self) -> tuple[str, ...]:
        """Who is asked: as planned, else as the sources have it."""
        planned = () if self.programme is None else self.programme.plan.informants.get(self.of.id, ())
        return planned or asking.INFORMANTS.get(self.of.id, ("self",) if self.about == "leaders" else ("team_member",))

    @property
    def units(self) -> str:
        """Whether places or teams are scored: as they were, else places where their number is known."""
        answers = None if self.programme is None else self.programme.responses
        kinds = set() if answers is None else set(answers.loc[answers["instrument"] == self.of.id, "subject_kind"])
        if kinds & {"place", "team"}:
            return "places" if "place" in kinds else "teams"
        return "teams" if self.known.places is None and self.known.teams is not None else "places"

    @property
    def answering(self) -> float:
        """How many people inside each place or team answer: as they did, else the leaders of a team, else as usual."""
        if self.programme is not None:
            held = register.answered(self.programme)
            own = held[(held["instrument"] == self.of.id) & (held["rater"] == in_points.INSIDERS)]
            each = own.groupby(["subject_id", "wave"], dropna=False)["respondent_id"].nunique()
            if len(each):
                return float(each.mean())
        own_size = self.known.team_size if self.units == "teams" else None
        return USUAL["team_size"] if own_size is None else own_size

    @property
    def assumed(self) -> str:
        """What is taken to be so of those who answer; nothing where the data or the plan say it."""
        if self.about != "organisations" or self.counted is None:
            return ""
        return f"{self.answering:.2g} people answer in each {self.units[:-1]}"

    @property
    def counted(self) -> int | None:
        """How many places or teams score themselves."""
        return self.known.places if self.units == "places" else self.known.teams

    @property
    def row(self) -> Row:
        """Extras: n_of, readable_from_month, ends_in_month, visible, why_not, in_points, worthwhile, worthwhile_seen,
        asked_of, questions, waves, forms, minutes_a_form, hours_in_all, answer (too early, cannot be tested, or what
        could be seen)."""
        seen, why_not = self.seen()
        visible = UNTESTED if why_not else str(seen["visible"])
        points, scale = self.in_points(seen)
        return {
            "measure": self.label, "group": LEVELS[self.about], "estimate": seen["estimate"], "low": math.nan,
            "high": math.nan, "interval": "none given", "n": seen["n"], "unit": seen["unit"], "n_of": seen["n_of"],
            "readable_from_month": self.lag, "ends_in_month": self.known.months, "visible": visible,
            "why_not": why_not, "in_points": points, "scale": scale, "worthwhile": self.of.smallest_worthwhile_change,
            "worthwhile_seen": self._worthwhile_seen(seen["estimate"], points, why_not), **self._burden(),
            "answer": "too early" if self.early else visible,
        }  # fmt: skip

    @property
    def early(self) -> bool:
        """Whether the last wave, or the end, lies before the month from which it may be read."""
        if self.lag is None or self.known.months is None:
            return False
        within = [month for month in self.waves or () if month <= self.known.months]
        return self.lag > (max(within) if within else self.known.months)

    def seen(self) -> tuple[Row, str]:
        """The row of the test it is answered by, and why no change could be seen, where none could."""
        none = {"estimate": math.nan, "n": None, "unit": "", "n_of": "", "visible": "", "why_not": ""}
        why_not = self._never() or self._asked_once()
        if why_not:
            return none, why_not
        row = {"leaders": self._leaders, "organisations": self._organisations, "lives": self._lives}[self.about]()
        if row is None:
            return none, f"How many {self._missing()} there are is not known."
        return row, str(row["why_not"])

    def _never(self) -> str:
        """Why no change in it is tested, whatever the numbers."""
        if isinstance(self.of, measure.Measure):
            return "" if self.of.kind == "count" else "It is no monthly count, and only counts are tested."
        if self.of.recorded:
            return self.of.never_averaged
        if self.about == "sessions":
            return "It asks about one session at a time, so there is no change to test."
        if self.about == "organisations" and not self.of.on_scale:
            return "It adds up points that are no steps of one scale."
        return ""

    def _asked_once(self) -> str:
        if self.waves is None or self.known.months is None:
            return ""
        within = [month for month in self.waves if month <= self.known.months]
        times = "asked once" if within else "never asked"
        return "" if len(within) > 1 else f"It is {times} in these months, and a change needs two times."

    def _missing(self) -> str:
        if self.about == "leaders":
            return "leaders"
        return "places" if self.about == "organisations" else "months"

    def _leaders(self) -> Row | None:
        """Team by team where there are enough teams, as the question about leaders is answered; else one by one."""
        seen = Seen(self.known, RUNS, self.seed)
        in_teams = next(seen.teams(), None) if (self.known.teams or 0) >= LEAST_PAIRS else None
        return next(seen.leaders(), None) if in_teams is None or self.known.leaders is None else in_teams

    def _organisations(self) -> Row | None:
        known = replace(self.known, teams=self.counted, team_size=self.answering)
        return next(Seen(known, RUNS, self.seed).teams(self.units), None)

    def _lives(self) -> Row | None:
        """Places beside places, as `population.against` reads them, where so many can show anything; else one series,
        as `population.change` reads it."""
        assert isinstance(self.of, measure.Measure)
        seen = Seen(self.known, RUNS, self.seed, self.of.better)
        beside = next(seen.places(), None)
        return next(seen.series(), None) if beside is None or math.isnan(beside["estimate"]) else beside

    def in_points(self, seen: Row) -> tuple[float, str]:
        """The smallest change that could be seen in points of the questionnaire, and its scale, where known."""
        spread = self.spread
        if spread is None or math.isnan(seen["estimate"]) or seen["unit"] != STANDARD:
            return math.nan, ""
        if self.about == "leaders":
            return float(seen["estimate"]) * spread.sd, spread.scale
        tested = power.paired(int(seen["n"]), sd=spread.sd, confidence=HEADLINE, runs=RUNS, seed=self.seed)
        return tested.estimate, spread.scale

    @property
    def spread(self) -> Spread | None:
        """How far apart changes in it lay so far, where that is known."""
        if self.about == "leaders":
            return in_points.of_leaders(self.programme, self.of.id)
        at_places = self.about == "organisations" and self.units == "places"
        return in_points.of_places(self.programme, self.of.id) if at_places else None

    def _worthwhile_seen(self, estimate: float, points: float, why_not: str) -> str:
        """Whether a change worth having could be seen: yes, no, or not known."""
        worth = self.of.smallest_worthwhile_change
        if worth is None:
            return "not known"
        if why_not:
            return "no"
        if isinstance(self.of, measure.Measure):
            return "yes" if abs(math.log(estimate)) <= abs(math.log(worth)) else "no"
        return "not known" if math.isnan(points) else "yes" if points <= abs(worth) else "no"

    def _burden(self) -> dict[str, Any]:
        """What asking takes: of everybody, in all waves, or in one where nothing says how many there will be."""
        if isinstance(self.of, measure.Measure):
            none = dict.fromkeys(("questions", "waves", "forms", "minutes_a_form", "hours_in_all"))
            return {"asked_of": "", **none}
        waves = len(self.waves) if self.waves else 1
        minutes, people = self.timed.get(self.of.id), self._forms_a_wave()
        forms = None if people is None else round(people * waves)
        return {
            "asked_of": words.listed([words.raters(rater) for rater in self.informants]),
            "questions": len(self.of.items), "waves": None if self.waves is None else waves, "forms": forms,
            "minutes_a_form": minutes,
            "hours_in_all": None if forms is None or minutes is None else forms * minutes / 60,
        }  # fmt: skip

    def _forms_a_wave(self) -> float | None:
        """One form a leader and informant; of places and teams, one from each who answers inside and one from each
        other informant."""
        if self.about == "leaders":
            return None if self.known.leaders is None else self.known.leaders * len(self.informants)
        if self.about != "organisations" or self.counted is None:
            return None
        others = sum(rater != in_points.INSIDERS for rater in self.informants)
        inside = self.answering if in_points.INSIDERS in self.informants else 0
        return self.counted * (inside + others)


def judged(
    name: str, programme: Programme | None, given: Mapping[str, Any], timed: Mapping[str, float], seed: int
) -> Judged:
    """The measure or questionnaire of this id with what is planned for it. Refuses names that are not known."""
    instruments = instrument.shipped() if programme is None else programme.instruments
    measures = measure.shipped() if programme is None else programme.measures
    if name in measures:
        known = numbers(programme, measure=name if programme is not None else None, **given)
        known = replace(known, seasonal=measures[name].seasonal)
        return Judged(measures[name], "lives", known, programme, seed)
    if name not in instruments:
        there = words.listed(sorted([*instruments, *measures]))
        raise ValueError(f"No questionnaire or measure is called {name!r}. There are: {there}.")
    one, known = instruments[name], numbers(programme, **given)
    waves = None if known.months is None else asking.half_years(known.months)
    waves = waves if programme is None else programme.plan.waves.get(name, waves)
    about = "leaders" if "person" in one.subjects or not one.subjects else "organisations"
    about = "sessions" if set(one.subjects) == {"session"} else about
    return Judged(one, about, known, programme, seed, waves, timed)
