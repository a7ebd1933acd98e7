"""Answers, scores and ties of a twin: the questions that were really asked, answered by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.instrument import Instrument, Scale
from evalkit.simulation.twin.cast import Cast, pairs
from evalkit.simulation.twin.cells import framed
from evalkit.simulation.twin.shape import STEP, Asked, Scored, Shape

LEFT_OUT = 0.05
"""Share of items left out by those who answer."""

SILENT = 0.2
"""Share of a roster who do not answer."""

FORM_DAYS = 3
"""Forms about a session are filled in this many days after it, at the latest."""

Days = NDArray[np.datetime64]


def options(scale: Scale) -> NDArray[np.float64]:
    """Every answer there is, those that are never scored too.

    >>> options(Scale(0, 1, words=("no", "yes"), unscored=("cannot say",))).tolist()
    [0.0, 1.0, -1.0]
    """
    scored = scale.low + scale.step * np.arange(scale.options)
    return np.append(np.round(scored, 9), scale.low - 1.0 - np.arange(len(scale.unscored)))


@dataclass(frozen=True)
class Answers:
    """What is answered in one twin; `held`: the day of each session in it."""

    shape: Shape
    cast: Cast
    instruments: Mapping[str, Instrument]
    held: Mapping[str, pd.Timestamp]

    def responses(self, rng: np.random.Generator) -> pd.DataFrame:
        """Every answer, each step of the scale as likely as the other; few items are left out."""
        return pd.concat([self._answers(asked, rng) for asked in self.shape.asked], ignore_index=True)

    def _answers(self, asked: Asked, rng: np.random.Generator) -> pd.DataFrame:
        subjects, raters = self._sittings(asked)
        items = len(asked.items)
        size = len(subjects) * items
        answers = rng.choice(options(self.instruments[asked.instrument].scale), size)
        answers[rng.random(size) < LEFT_OUT] = np.nan
        same = {name: [getattr(asked, name)] * size for name in ("subject_kind", "rater", "instrument", "edition",
                                                                "wave", "timing")}  # fmt: skip
        days = self._days(asked.wave, len(subjects), rng, subjects if asked.subject_kind == "session" else ())
        dated = asked.dated and "answered_on" in self.shape.columns["responses"]
        given = {
            "respondent_id": np.repeat(raters, items),
            "subject_id": np.repeat(subjects, items),
            "item": list(asked.items) * len(subjects),
            "answer": answers,
        }
        return framed("responses", {**same, **given, **({"answered_on": np.repeat(days, items)} if dated else {})})

    def _sittings(self, asked: Asked) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """Who answers about whom: the same pairs whenever it is asked again."""
        people = self.cast.people(asked.by) if asked.by or not asked.unnamed else []
        raters = [*people, *(self.cast.forms if asked.unnamed else [])]
        if asked.rater == "self" and asked.subject_kind == "person":
            own = np.array(raters[: asked.sittings], dtype=object)
            return own, own
        about = self.cast.subjects(asked.subject_kind, asked.about)[: asked.subjects]
        if asked.subject_kind == "team":
            raters = self.cast.members_first(raters, len(about))
        whom, who = pairs(len(about), len(raters), asked.sittings + min(len(about), len(raters)))
        subjects, by = np.array(about, dtype=object)[whom], np.array(raters, dtype=object)[who]
        other = np.flatnonzero(subjects != by)[: asked.sittings]
        other = other[: len(other) - len(other) % STEP]
        return subjects[other], by[other]

    def _days(self, wave: int | None, size: int, rng: np.random.Generator, sessions: Any = ()) -> Days:
        """Days while the wave was open, or in the programme's time; those about a session soon after it."""
        first, last = self.shape.days
        opens, closes = self.shape.waves.get(wave, (None, None)) if wave is not None else (None, None)
        low = np.datetime64(opens or first, "D")
        high = max(min(np.datetime64(closes or last, "D"), np.datetime64(last, "D")), low)
        after = rng.integers(0, int((high - low).astype(int)) + 1, size)
        if len(sessions) and self.held:
            held = np.array([self.held[session] for session in sessions], dtype="datetime64[D]")
            soon = np.minimum(held + rng.integers(0, FORM_DAYS, size), np.datetime64(last, "D"))
            return np.maximum(soon, low) if wave is not None else soon
        return low + after

    def scores(self, rng: np.random.Generator) -> pd.DataFrame:
        """Scores somewhere between the ends of each domain."""
        return pd.concat([self._scores(scored, rng) for scored in self.shape.scored], ignore_index=True)

    def _scores(self, scored: Scored, rng: np.random.Generator) -> pd.DataFrame:
        about = self.cast.subjects(scored.subject_kind, ())[: scored.subjects]
        bodies: list[Any] = self.cast.ids("organisations")[: scored.organisations] or [None]
        levels = ["word 1", "word 2"] if scored.levels else [None]
        rows = pd.MultiIndex.from_product(
            [about, bodies, levels, scored.domains], names=["subject_id", "organisation_id", "level", "domain"]
        )
        frame = rows.to_frame(index=False)
        bounds = self.instruments[scored.instrument].bounds
        low, high = np.array([bounds[domain] for domain in frame["domain"]]).T
        drawn: dict[str, Any] = {
            "mean": np.clip(np.round(rng.uniform(low, high), 2), low, high),
            "sd": np.round(rng.uniform(0.1, 0.25, len(frame)) * (high - low), 2),
            "n": STEP * rng.integers(1, 9, len(frame)),
            "measured_on": self._days(scored.wave, len(frame), rng),
        }
        for name in ("subject_kind", "instrument", "edition", "wave", "basis"):
            drawn[name] = [getattr(scored, name)] * len(frame)
        held = {name: values for name, values in drawn.items() if name in self.shape.columns["scores"]}
        return framed("scores", {**{str(name): frame[name].to_numpy(dtype=object) for name in frame}, **held})

    def network(self, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """`rosters` and `ties`: who is on a roster, who of them answers, and whom those name."""
        pool = self.cast.people(self.shape.network)
        waves = sorted({*self.shape.rosters, *(wave for wave, _ in self.shape.ties)})
        asked = {wave: pool[: self.shape.rosters.get(wave, len(pool))] for wave in waves}
        many = {wave: max((n for (at, _), n in self.shape.ties.items() if at == wave), default=0) for wave in waves}
        silent = {wave: _silent(len(asked[wave]), many[wave], rng) for wave in waves}
        made = {}
        if self.shape.rosters:
            listed = [(at, place) for at in self.shape.rosters for place in range(len(asked[at]))]
            columns = {
                "wave": [at for at, _ in listed],
                "person_id": [asked[at][place] for at, place in listed],
                "responded": [not silent[at][place] for at, place in listed],
            }
            made["rosters"] = framed("rosters", columns)
        if self.shape.ties:
            piles = [self._ties(at, asked[at[0]], ~silent[at[0]], rng) for at in self.shape.ties]
            made["ties"] = pd.concat(piles, ignore_index=True)
        return made

    def _ties(
        self, at: tuple[int, str], roster: list[str], answering: NDArray[np.bool_], rng: np.random.Generator
    ) -> pd.DataFrame:
        """Different ties of one relation at one wave, from those who answer."""
        named = np.array(roster, dtype=object)
        tie = np.argwhere(answering[:, None] & ~np.eye(len(named), dtype=bool))
        size = min(self.shape.ties[at], len(tie) - len(tie) % STEP)
        who, whom = tie[np.sort(rng.choice(len(tie), size, replace=False))].T
        wave, relation = at
        columns = {"wave": [wave] * size, "from_id": named[who], "to_id": named[whom], "relation": [relation] * size}
        strength = {"strength": rng.integers(1, 6, size)} if "strength" in self.shape.columns["ties"] else {}
        return framed("ties", {**columns, **strength})


def _silent(size: int, ties: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Who of a roster does not answer: nobody where all are needed for so many ties."""
    silent = np.asarray(rng.random(size) < SILENT, dtype=bool)
    answering = size - int(silent.sum())
    return silent if answering * (size - 1) >= ties and answering > 1 else np.zeros(size, dtype=bool)
