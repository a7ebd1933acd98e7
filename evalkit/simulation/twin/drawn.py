"""All tables of a twin, drawn from a shape and a seed: no other thing of the programme comes this far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data_schemas.tables import models, schema
from evalkit.instrument import Instrument
from evalkit.reading.reads import about
from evalkit.simulation.twin import figures
from evalkit.simulation.twin.answered import Answers
from evalkit.simulation.twin.cast import Cast
from evalkit.simulation.twin.cells import Cells, framed
from evalkit.simulation.twin.shape import Shape

Known = dict[str, Sequence[Any]]

SCHEMES = ("GSS", "ODS", "local")
"""Code schemes of places in turn, with codes that nobody uses: no GSS code begins with X."""


@dataclass(frozen=True)
class Drawn:
    """One twin's tables."""

    shape: Shape
    cells: Cells
    instruments: Mapping[str, Instrument]
    seed: int

    @property
    def cast(self) -> Cast:
        """Who and what there is."""
        return self.cells.cast

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table that the programme has, in the order of the models; none without rows."""
        made = {table: self._table(table) for table in models() if table in self.shape.rows and table not in LATER}
        made |= self._figures()
        held = made.get("sessions", pd.DataFrame({"session_id": [], "held_on": []}))
        answers = Answers(
            self.shape, self.cast, self.instruments, dict(zip(held["session_id"], held["held_on"], strict=True))
        )
        made |= answers.network(self._chance("ties"))
        if self.shape.asked:
            made["responses"] = answers.responses(self._chance("responses"))
        if self.shape.scored:
            made["scores"] = answers.scores(self._chance("scores"))
        if "corrections" in self.shape.rows:
            made["corrections"] = self._corrections(made)
        return {table: made[table] for table in models() if table in made and len(made[table])}

    def _chance(self, table: str) -> np.random.Generator:
        """A stream of random numbers a table, so that one table more changes nothing in the others."""
        return np.random.default_rng([self.seed, list(models()).index(table)])

    def _table(self, table: str) -> pd.DataFrame:
        known = KNOWN[table](self.cast) if table in KNOWN else {}
        held = {column: values for column, values in known.items() if column in self.shape.columns[table]}
        return self.cells.table(table, self.shape.rows[table], self._chance(table), held)

    def _figures(self) -> dict[str, pd.DataFrame]:
        made = {}
        if self.shape.outcomes:
            chance = self._chance("outcomes")
            made["outcomes"] = [figures.measured(said, self.cast.places, chance) for said in self.shape.outcomes]
        if self.shape.denominators:
            chance = self._chance("denominators")
            made["denominators"] = [figures.peopled(said, self.cast.places, chance) for said in self.shape.denominators]
        return {
            table: framed(table, {str(name): frame[name].to_numpy(dtype=object) for name in frame})
            for table, frame in ((table, pd.concat(piles, ignore_index=True)) for table, piles in made.items())
        }

    def _corrections(self, made: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Corrections of cells that stand in the twin: of texts, in tables whose rows have ids."""
        if not {"old", "new"} <= {*self.shape.columns["corrections"]}:
            return framed("corrections", {"file": []})
        chance = self._chance("corrections")
        cells = [
            (f"{table}.csv", str(row), name, str(text))
            for table, frame in made.items()
            if schema(table).columns[str(frame.columns[0])].unique
            for name in frame.columns[1:]
            if about(table, str(name))["form"] == "prose"
            for row, text in frame[[frame.columns[0], name]].dropna().itertuples(index=False)
        ]
        chosen = sorted(chance.choice(len(cells), min(self.shape.rows["corrections"], len(cells)), replace=False))
        file, row, column, old = zip(*(cells[at] for at in chosen), strict=True) if chosen else ([], [], [], [])
        new = [f"{text}, put right" for text in old]
        known = {"file": file, "row_id": row, "column": column, "old": old, "new": new}
        return self.cells.table("corrections", len(file), chance, known)


LATER = ("outcomes", "denominators", "responses", "scores", "ties", "rosters", "corrections")
"""Tables that follow the design more closely than one row after the other."""


def _people(cast: Cast) -> Known:
    return {"person_id": cast.ids("people"), "kind": cast.kinds}


def _participants(cast: Cast) -> Known:
    """Leaders are dealt to the teams in turn, and join when the programme begins."""
    teams = cast.ids("teams")
    return {
        "participant_id": list(cast.team_of),
        "team_id": [teams[at] for at in cast.team_of.values()],
        "joined": [pd.Timestamp(cast.shape.days[0])] * len(cast.team_of),
    }


def _teams(cast: Cast) -> Known:
    teams, places = cast.ids("teams"), cast.subjects("place", ())
    programme = cast.places["programme"] or places
    return {"team_id": teams, "place_id": [programme[at % len(programme)] for at in range(len(teams))]}


def _organisations(cast: Cast) -> Known:
    """The last one was merged into the first."""
    ids = cast.ids("organisations")
    return {"organisation_id": ids, "successor_id": [None] * (len(ids) - 1) + ids[:1]}


def _respondents(cast: Cast) -> Known:
    """The last one is known under the first one's id."""
    ids = cast.ids("respondents")
    return {"respondent_id": ids, "alias_of": [None] * (len(ids) - 1) + ids[:1]}


def _posts(cast: Cast) -> Known:
    """Everybody has a post since before anything began, and only one person's has ended, with no other after it."""
    people, bodies, days = cast.ids("people"), cast.ids("organisations"), cast.shape.days
    rows = range(cast.shape.rows["posts"])
    half = pd.Timestamp(days[0]) + pd.Timedelta(days=(days[1] - days[0]).days // 2)
    began = min([days[0], *(opens for opens, _ in cast.shape.waves.values() if opens)])
    return {
        "person_id": [people[(at - 1) % len(people)] for at in rows],
        "organisation_id": [bodies[(at + at // len(people)) % len(bodies)] for at in rows],
        "start": [pd.Timestamp(began) - pd.Timedelta(days=1 + at) for at in rows],
        "end": [half if at == 0 else None for at in rows],
    }


def _places(cast: Cast) -> Known:
    """All others lie in the first; programme places begin with the programme."""
    ids, arms = cast.ids("places"), cast.arms
    began = pd.Timestamp(cast.shape.days[0])
    schemes = [SCHEMES[at % len(SCHEMES)] for at in range(len(ids))]
    codes = {"GSS": "X{:08d}", "ODS": "TWIN{:05d}", "local": "local {}"}
    return {
        "place_id": ids,
        "name": [f"Place {at} (FICTIONAL)" for at in range(1, len(ids) + 1)],
        "parent_id": [None] + ids[:1] * (len(ids) - 1),
        "code": [codes[scheme].format(at) for at, scheme in enumerate(schemes, start=1)],
        "code_scheme": schemes,
        "arm": [arm or None for arm in arms],
        "start": [None if arm == "comparison" else began for arm in arms],
        "population": [10_000 + 1000 * at for at in range(len(ids))],
    }


def _waves(cast: Cast) -> Known:
    waves = cast.shape.waves
    opens, closes = zip(*waves.values(), strict=True)
    labels = [f"Wave {wave} (FICTIONAL)" for wave in waves]
    return {"wave": list(waves), "label": labels, "opens_on": opens, "closes_on": closes}


def _burden(cast: Cast) -> Known:
    return {"instrument": cast.shape.words["burden", "instrument"]}


KNOWN = {
    "people": _people,
    "participants": _participants,
    "teams": _teams,
    "organisations": _organisations,
    "respondents": _respondents,
    "posts": _posts,
    "places": _places,
    "waves": _waves,
    "burden": _burden,
}
"""Columns in which the rows of a table hang together."""
