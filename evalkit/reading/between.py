"""Rules between tables, and between tables and catalogues: ids that are listed, words that are known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data_schemas.catalogues import close_to, nearest
from data_schemas.tables import schema
from evalkit import menu as menus
from evalkit.instrument import OVERALL, Instrument
from evalkit.measure import Measure
from evalkit.menu import Menu
from evalkit.reading.problems import Problems
from evalkit.reading.reads import Mask, Read, about
from evalkit.reading.rules import report

SUBJECT_TABLES = {
    "person": "people",
    "team": "teams",
    "place": "places",
    "organisation": "organisations",
    "session": "sessions",
}
"""Where the ids of each kind of subject are listed."""

ONE_LIST = (("respondents", "people"), ("excerpts", "stories"))
"""Pairs of tables whose ids are used side by side in a third, so that no id may stand in both."""

CHAINS = (("organisations", "successor_id"), ("places", "parent_id"), ("respondents", "alias_of"))
"""References from a table to itself, which must not lead back to where they began."""

MEASURED = (("outcomes", "measure"), ("events", "measure"))
"""Columns that name a measure."""

ON_MENUS = {
    ("sessions", "intervention"): "interventions",
    ("sessions", "theory"): "theories",
    ("interventions", "menu_code"): "interventions",
}
"""Columns whose words a menu lists."""

ID_LIKENESS = 0.75
"""How alike two ids must be (difflib's ratio) before one is suggested: short ids are all a little alike."""

SUGGESTED = 50
"""Distinct unknown ids for which a near one is looked for; beyond these something else is wrong with the file."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogues list, the folder's own included."""

    instruments: Mapping[str, Instrument]
    measures: Mapping[str, Measure]
    menus: Mapping[str, Menu]


@dataclass(frozen=True, slots=True)
class Between:
    """The rules that need more than one table. `as_of` is the file's own, when it says.

    `unread`: tables whose file could not be read, so that nobody knows which ids they list.
    """

    tables: Mapping[str, Read]
    known: Known
    as_of: date | None
    problems: Problems
    unread: frozenset[str] = frozenset()

    def check_one(self, read: Read) -> None:
        """What the other tables say of one table's ids, and `as_of` of its days."""
        for column in schema(read.table).columns:
            self._references(read, column)
            if about(read.table, column)["happened"] and self.as_of is not None:
                late = read.held[column].rows(read.held[column].distinct > pd.Timestamp(self.as_of))
                words = f"The date lies after {self.as_of.isoformat()}, the as_of day of programme.toml."
                self._report(read, late, column, words, "Check the date, or as_of in programme.toml.")

    def check(self) -> None:
        """All of them; a rule whose other table is not in the folder is passed over."""
        for read in self.tables.values():
            self.check_one(read)
        for table, column in CHAINS:
            if table in self.tables:
                self._circles(self.tables[table], column)
        for table in ("responses", "scores"):
            if table in self.tables:
                self._subjects(self.tables[table])
                self._instruments(self.tables[table])
        for table, other in ONE_LIST:
            if self._lists_ids(table) and self._lists_ids(other):
                self._apart(self.tables[table], self.tables[other])
        if "responses" in self.tables and "waves" in self.tables:
            self._waves_opened(self.tables["responses"], self.tables["waves"].frame)
        if "ties" in self.tables and "rosters" in self.tables:
            self._rosters(self.tables["ties"], self.tables["rosters"].frame)
        self._catalogues()

    def _report(self, read: Read, broken: Mask, column: str, problem: str, remedy: str) -> None:
        report(read, broken, column, problem, remedy, self.problems)

    def _references(self, read: Read, column: str) -> None:
        named = about(read.table, column)["refers"].split(" or ")
        targets = [target for target in named if self._lists_ids(target)]
        unknown = [target for target in named if target in self.unread or target in self.tables.keys() - targets]
        if targets and not unknown:
            ids = pd.concat([self.tables[target].frame.iloc[:, 0] for target in targets])
            where = " or ".join(self.tables[target].file for target in targets)
            self._unknown(read, column, read.given(column), ids, where, about(read.table, column)["remedy"])

    def _lists_ids(self, target: str) -> bool:
        """Whether the table is there, with the column its ids stand in: the first."""
        return target in self.tables and self.tables[target].frame.columns[0] not in self.tables[target].absent

    def _unknown(self, read: Read, column: str, asked: Mask, ids: pd.Series[str], where: str, remedy: str) -> None:
        """Ids that are not among those listed; a near one is suggested."""
        broken = asked & ~read.among(column, set(ids.dropna()))
        if not broken.any():
            return
        listed = ids.dropna().astype("str").tolist()
        unknown = read.frame.loc[broken, column].unique()
        for value in unknown:
            close = close_to(str(value), listed, cutoff=ID_LIKENESS) if len(unknown) <= SUGGESTED else None
            hint = f"Did you mean {close!r}? " if close else ""
            alike = broken & read.holding(column, value)
            self._report(read, alike, column, f"The id is not in {where}.", hint + remedy)

    def _circles(self, read: Read, column: str) -> None:
        """Rows whose chain of references leads back to themselves."""
        own, other = read.frame.iloc[:, 0], read.frame[column]
        leads = {mine: theirs for mine, theirs in zip(own, other, strict=True) if pd.notna(theirs) and pd.notna(mine)}
        back = [_leads_back(mine, leads) if pd.notna(mine) else False for mine in own]
        words = "The chain leads back to where it began."
        self._report(read, np.array(back, dtype=bool), column, words, "Leave the last one of the chain blank.")

    def _apart(self, read: Read, other: Read) -> None:
        """Two tables whose ids are used side by side may not share one."""
        column = str(read.frame.columns[0])
        twice = read.given(column) & read.among(column, set(other.frame.iloc[:, 0].dropna()))
        words = f"The id stands in {other.file} too, where it is something else."
        self._report(read, twice, column, words, "Give it an id of its own, here and where it is used.")

    def _subjects(self, read: Read) -> None:
        for kind, target in SUBJECT_TABLES.items():
            if self._lists_ids(target):
                asked = read.holding("subject_kind", kind) & read.given("subject_id")
                listed = self.tables[target]
                remedy = f"Mend the id, or add it to {listed.file}."
                self._unknown(read, "subject_id", asked, listed.frame.iloc[:, 0], listed.file, remedy)

    def _instruments(self, read: Read) -> None:
        for name in read.held["instrument"].distinct.dropna().unique():
            own = read.holding("instrument", name)
            if name not in self.known.instruments:
                near = nearest(name, self.known.instruments)
                remedy = f"{near} Or describe it in instruments/{name}.toml in this folder."
                self._report(read, own, "instrument", "No instrument of this name is known.", remedy)
                continue
            found = self.known.instruments[name]
            self._menu(read, own, "edition", (found.edition,), f"{name} is known in another edition.")
            self._menu(read, own, "subject_kind", found.subjects, f"{name} is not about such a subject.")
            if read.table == "responses":
                self._answers(read, own, found)
            else:
                self._scores(read, own, found)

    def _answers(self, read: Read, own: Mask, known: Instrument) -> None:
        self._menu(read, own, "rater", known.raters, f"{known.id} is not answered by such a rater.")
        self._menu(read, own, "item", [item.key for item in known.items], f"{known.id} has no such item.")
        scale, held = known.scale, read.held["answer"]
        off = own & ~held.rows(scale.holds(held.distinct.astype("float64")))
        steps = "" if scale.step == 1 else f" in steps of {scale.step:g}"
        words = f"The answer is off the scale: {known.id} goes from {scale.low:g} to {scale.high:g}{steps}."
        if scale.step == 1:
            words = words[:-1] + " in whole numbers."
        self._report(read, off, "answer", words, "Check the answer, or leave it blank where the item was left out.")

    def _scores(self, read: Read, own: Mask, known: Instrument) -> None:
        domains = [domain.key for domain in known.domains] + ([OVERALL] if known.overall else [])
        self._menu(read, own, "domain", domains, f"{known.id} has no such domain.")
        if known.recorded:
            words = f"{known.id} is recorded, never averaged: it has no scores."
            self._report(read, own, "instrument", words, "Give single answers in responses, or leave the row out.")
            return
        for domain, (low, high) in known.bounds.items():
            here = own & read.holding("domain", domain)
            off = here & (read.frame["mean"].notna() & ~read.frame["mean"].between(low, high)).to_numpy()
            words = f"The score is off the scale: {known.id} goes from {low:g} to {high:g}."
            self._report(read, off, "mean", words, "Check the score.")

    def _menu(self, read: Read, own: Mask, column: str, allowed: Collection[str], problem: str) -> None:
        broken = own & ~read.among(column, allowed) if len(allowed) else np.zeros_like(own)
        for value in read.frame.loc[broken, column].unique():
            alike = broken & read.holding(column, value)
            self._report(read, alike, column, problem, nearest(str(value), allowed))

    def _waves_opened(self, read: Read, waves: pd.DataFrame) -> None:
        wave, listed = read.held["wave"], waves.dropna(subset="wave")
        opens = dict(zip(listed["wave"], listed["opens_on"], strict=True))
        first = pd.Series([opens.get(number, pd.NaT) for number in wave.distinct], dtype="datetime64[us]")
        opened = first.array.take(wave.which)
        early = np.asarray(read.frame["answered_on"].array < opened, dtype=bool)
        remedy = "Check the date and the wave, or opens_on in waves.csv."
        self._report(read, early, "answered_on", "The answer was given before its wave opened.", remedy)

    def _rosters(self, ties: Read, rosters: pd.DataFrame) -> None:
        """A tie can only join people who were asked about in that wave, and only come from one who answered."""
        asked = pd.MultiIndex.from_frame(rosters[["wave", "person_id"]])
        silent = pd.MultiIndex.from_frame(rosters.loc[~rosters["responded"].fillna(True), ["wave", "person_id"]])
        in_wave = ties.frame["wave"].isin(rosters["wave"]).to_numpy()
        for column in ("from_id", "to_id"):
            ends = pd.MultiIndex.from_frame(ties.frame[["wave", column]])
            off = in_wave & ties.frame[column].notna().to_numpy() & ~ends.isin(asked)
            remedy = "Add the person to rosters.csv for this wave, or remove the tie."
            self._report(ties, off, column, "The person is not on the roster of this wave.", remedy)
            if column == "from_id":
                words = "The person named others in a wave that rosters.csv says they did not answer."
                self._report(
                    ties, ends.isin(silent), column, words, "Mend responded in rosters.csv, or remove the tie."
                )

    def _catalogues(self) -> None:
        listed = {place: list(self.known.measures) for place in MEASURED}
        listed |= {place: list(self.known.menus[menu].labels) for place, menu in ON_MENUS.items()}
        for (table, column), allowed in listed.items():
            if table in self.tables:
                read = self.tables[table]
                words = f"No {column.replace('_', ' ')} of this name is known."
                self._menu(read, np.ones(len(read.frame), dtype=bool), column, allowed, words)
        if "observations" in self.tables:
            self._observed(self.tables["observations"])
        if "outcomes" in self.tables:
            self._proportions(self.tables["outcomes"])

    def _observed(self, read: Read) -> None:
        """What was seen in a place: a feature some menu lists, in one of that menu's forms."""
        features = menus.observed(self.known.menus)
        every = np.ones(len(read.frame), dtype=bool)
        self._menu(read, every, "feature", features, "No feature of this name is on a menu.")
        for feature in read.held["feature"].distinct.dropna().unique():
            if feature in features:
                words = f"{feature} is not described in such a form."
                self._menu(read, read.holding("feature", feature), "form", features[feature].forms, words)

    def _proportions(self, read: Read) -> None:
        shares = [name for name, measure in self.known.measures.items() if measure.kind == "proportion"]
        counts, out_of = read.frame["count"].astype("float64"), read.frame["denominator"]
        share = read.given("measure") & read.among("measure", shares)
        above = share & (counts > out_of).to_numpy()
        self._report(read, above, "count", "The count is larger than its denominator.", "Check both.")


def _leads_back(start: str, leads: Mapping[str, str]) -> bool:
    """Whether a chain comes back to its start; a chain that ends elsewhere, in a circle or not, does not."""
    seen, at = {start}, leads.get(start)
    while at is not None and at not in seen:
        seen.add(at)
        at = leads.get(at)
    return at == start
