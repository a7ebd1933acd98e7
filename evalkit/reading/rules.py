"""Rules inside a table (its Pandera model) and between tables, each broken one named at its row and column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray

from data_schemas.catalogues import close_to, nearest, read_toml
from data_schemas.tables import models
from evalkit.instrument import OVERALL, Instrument
from evalkit.measure import Measure
from evalkit.reading.problems import Problems
from evalkit.resources import catalogues

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

ID_LIKENESS = 0.75
"""How alike two ids must be (difflib's ratio) before one is suggested: short ids are all a little alike."""

SUGGESTED = 50
"""Distinct unknown ids for which a near one is looked for; beyond these something else is wrong with the file."""


@dataclass(frozen=True, slots=True)
class Read:
    """A table with typed columns, and the row a spreadsheet shows for each of its rows."""

    file: str
    frame: pd.DataFrame
    rows: NDArray[np.int64]
    absent: frozenset[str] = frozenset()
    """Needed columns the file lacks: reported once, held as missing, and passed over by every other rule."""


@cache
def schema(table: str) -> pa.DataFrameSchema:
    """The table's Pandera schema, built once."""
    return models()[table].to_schema()


def about(table: str, column: str) -> dict[str, Any]:
    """What the model says of a column beside its checks: remedy, unit, refers, form, happened."""
    return dict(schema(table).columns[column].metadata or {})


def check_table(table: str, read: Read, problems: Problems) -> None:
    """Every rule of the table's own model. Rules that need a column the file lacks are passed over."""
    unreadable = problems.rows(read.file)
    try:
        schema(table).validate(read.frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        failures = errors.failure_cases
    else:
        return
    failures = failures[failures["index"].notna()]
    for column, number, check in (
        failures[["column", "check_number", "check"]].drop_duplicates().itertuples(index=False)
    ):
        alike = (failures["column"] == column) & (failures["check"] == check)
        found = np.unique(failures.loc[alike, "index"].to_numpy(dtype="int64"))
        if column in read.absent:
            continue
        if check == "not_nullable":
            _report(table, column, found, read, problems, "The cell is blank, and this column needs a value.")
        elif check not in ("field_uniqueness", "multiple_fields_uniqueness") and not _whole_row(table, check):
            checks = schema(table).columns[column].checks
            _report_check(table, column, found, read, problems, checks[int(number)])
    _report_broken_rows(table, failures, read, unreadable, problems)
    _report_repeats(table, read, unreadable, problems)


def _whole_row(table: str, check: str) -> bool:
    return any(check == rule.error for rule in schema(table).checks)


def _report(
    table: str, column: str, found: NDArray[np.int64], read: Read, problems: Problems, problem: str, remedy: str = ""
) -> None:
    values = read.frame[column].iloc[found]
    remedy = remedy or about(table, column)["remedy"]
    problems.add_rows(read.file, problem, remedy, rows=read.rows[found], column=column, values=values)


def _report_check(
    table: str, column: str, found: NDArray[np.int64], read: Read, problems: Problems, check: pa.Check
) -> None:
    said = check.statistics or {}
    if "allowed_values" in said:
        _report_unlisted(table, column, found, read, problems, list(said["allowed_values"]))
        return
    words = {
        "greater_than_or_equal_to": "The value is below {min_value}.",
        "greater_than": "The value is not above {min_value}.",
        "in_range": "The value is not between {min_value} and {max_value}.",
    }
    problem = words.get(str(check.name), "The text is not in the form this column uses.").format(**said)
    _report(table, column, found, read, problems, problem)


def _report_unlisted(
    table: str, column: str, found: NDArray[np.int64], read: Read, problems: Problems, allowed: list[str]
) -> None:
    values = read.frame[column].iloc[found].astype("str")
    for value in values.unique():
        close = close_to(value, allowed)
        hint = f"Did you mean {close!r}? " if close else ""
        remedy = f"{hint}Write one of: {', '.join(allowed)}."
        _report(
            table, column, found[(values == value).to_numpy()], read, problems, "Not a word this column uses.", remedy
        )


def _report_broken_rows(
    table: str, failures: pd.DataFrame, read: Read, unreadable: set[int], problems: Problems
) -> None:
    """Rules over a whole row, blamed on one column; rows with a cell that could not be read are passed over."""
    for rule in schema(table).checks:
        found = np.unique(failures.loc[failures["check"] == rule.error, "index"].to_numpy(dtype="int64"))
        found = found[[row not in unreadable for row in read.rows[found].tolist()]] if len(found) else found
        if len(found) and rule.name not in read.absent:
            _report(table, str(rule.name), found, read, problems, str(rule.error), str(rule.description))


def _report_repeats(table: str, read: Read, unreadable: set[int], problems: Problems) -> None:
    """Each row that repeats an earlier one, once, naming the earlier row and the columns that make it the same."""
    alone = [name for name, column in schema(table).columns.items() if column.unique and name not in read.absent]
    together = [name for name in schema(table).unique or [] if name in read.frame]
    sets = [[name] for name in alone] + ([together] if together and not set(together) & read.absent else [])
    fit = np.array([row not in unreadable for row in read.rows.tolist()], dtype=bool)
    for names in sets:
        keys = read.frame.loc[fit, names].dropna(how="all")
        group = keys.groupby(names, dropna=False, sort=False).ngroup()
        firsts = pd.Series(read.rows[keys.index], index=group.to_numpy()).groupby(level=0).first()
        repeats = keys.index[keys.duplicated()]
        for position in repeats:
            problems.add(
                read.file,
                f"The row repeats row {firsts[group[position]]}: the same {', '.join(names)}.",
                "Keep one of the two. " + (about(table, names[0])["remedy"] if len(names) == 1 else ""),
                row=int(read.rows[position]),
                column=names[0] if len(names) == 1 else ", ".join(names),
                value=read.frame[names[0]].iloc[position] if len(names) == 1 else "",
            )


@dataclass(frozen=True, slots=True)
class Between:
    """Rules that hold between tables, and between tables and catalogues. `as_of` is the file's own, when it says.

    `unread`: tables whose file could not be read, so that nobody knows which ids they list.
    """

    tables: Mapping[str, Read]
    instruments: Mapping[str, Instrument]
    measures: Mapping[str, Measure]
    as_of: date | None
    problems: Problems
    unread: frozenset[str] = frozenset()

    def check(self) -> None:
        """All of them; a rule whose other table is not in the folder is passed over."""
        for table, read in self.tables.items():
            for column in schema(table).columns:
                self._references(table, read, column)
                if about(table, column)["happened"] and self.as_of is not None:
                    late = (read.frame[column] > pd.Timestamp(self.as_of)).to_numpy()
                    words = f"The date lies after {self.as_of.isoformat()}, the as_of day of programme.toml."
                    self._report(read, late, column, words, "Check the date, or as_of in programme.toml.")
        for table in ("responses", "scores"):
            if table in self.tables:
                self._subjects(self.tables[table])
                self._instruments(table, self.tables[table])
        for table, other in ONE_LIST:
            if self._lists_ids(table) and self._lists_ids(other):
                self._apart(self.tables[table], self.tables[other])
        if "responses" in self.tables and "waves" in self.tables:
            self._waves_opened(self.tables["responses"], self.tables["waves"].frame)
        if "ties" in self.tables and "rosters" in self.tables:
            self._rosters(self.tables["ties"], self.tables["rosters"].frame)
        self._catalogues()

    def _report(self, read: Read, broken: NDArray[np.bool_], column: str, problem: str, remedy: str) -> None:
        if broken.any():
            cells = read.frame.loc[broken, column]
            self.problems.add_rows(read.file, problem, remedy, rows=read.rows[broken], column=column, values=cells)

    def _references(self, table: str, read: Read, column: str) -> None:
        named = about(table, column)["refers"].split(" or ")
        targets = [target for target in named if self._lists_ids(target)]
        unknown = [target for target in named if target in self.unread or target in self.tables.keys() - targets]
        if targets and not unknown:
            ids = pd.concat([self.tables[target].frame.iloc[:, 0] for target in targets])
            where = " or ".join(self.tables[target].file for target in targets)
            self._unknown(read, column, read.frame[column].notna(), ids, where, about(table, column)["remedy"])

    def _lists_ids(self, target: str) -> bool:
        """Whether the table is there, with the column its ids stand in: the first."""
        return target in self.tables and self.tables[target].frame.columns[0] not in self.tables[target].absent

    def _unknown(
        self, read: Read, column: str, asked: pd.Series[bool], ids: pd.Series[Any], where: str, remedy: str
    ) -> None:
        """Ids that are not among those listed; a near one is suggested."""
        broken = (asked & ~read.frame[column].isin(ids)).to_numpy()
        if not broken.any():
            return
        values, known = read.frame[column], ids.dropna().astype("str").tolist()
        unknown = values[broken].unique()
        for value in unknown:
            close = close_to(str(value), known, cutoff=ID_LIKENESS) if len(unknown) <= SUGGESTED else None
            hint = f"Did you mean {close!r}? " if close else ""
            alike = broken & (values == value).fillna(False).to_numpy(dtype=bool)
            self._report(read, alike, column, f"The id is not in {where}.", hint + remedy)

    def _apart(self, read: Read, other: Read) -> None:
        """Two tables whose ids are used side by side may not share one."""
        column = str(read.frame.columns[0])
        twice = read.frame[column].notna() & read.frame[column].isin(other.frame.iloc[:, 0])
        words = f"The id stands in {other.file} too, where it is something else."
        self._report(read, twice.to_numpy(), column, words, "Give it an id of its own, here and where it is used.")

    def _subjects(self, read: Read) -> None:
        for kind, target in SUBJECT_TABLES.items():
            if self._lists_ids(target):
                asked = (read.frame["subject_kind"] == kind).fillna(False) & read.frame["subject_id"].notna()
                listed = self.tables[target]
                remedy = f"Mend the id, or add it to {listed.file}."
                self._unknown(read, "subject_id", asked, listed.frame.iloc[:, 0], listed.file, remedy)

    def _instruments(self, table: str, read: Read) -> None:
        names = read.frame["instrument"]
        for name in names.dropna().unique():
            own = (names == name).fillna(False).to_numpy(dtype=bool)
            if name not in self.instruments:
                remedy = f"{nearest(name, self.instruments)} Or describe it in instruments/{name}.toml in this folder."
                self._report(read, own, "instrument", "No instrument of this name is known.", remedy)
                continue
            known = self.instruments[name]
            self._menu(read, own, "edition", (known.edition,), f"{name} is known in another edition.")
            self._menu(read, own, "subject_kind", known.subjects, f"{name} is not about such a subject.")
            if table == "responses":
                self._answers(read, own, known)
            else:
                self._scores(read, own, known)

    def _answers(self, read: Read, own: NDArray[np.bool_], known: Instrument) -> None:
        self._menu(read, own, "rater", known.raters, f"{known.id} is not answered by such a rater.")
        self._menu(read, own, "item", [item.key for item in known.items], f"{known.id} has no such item.")
        scale = known.scale
        off = own & ~scale.holds(read.frame["answer"]).to_numpy()
        steps = "" if scale.step == 1 else f" in steps of {scale.step:g}"
        words = f"The answer is off the scale: {known.id} goes from {scale.low:g} to {scale.high:g}{steps}."
        if scale.step == 1:
            words = words[:-1] + " in whole numbers."
        self._report(read, off, "answer", words, "Check the answer, or leave it blank where the item was left out.")

    def _scores(self, read: Read, own: NDArray[np.bool_], known: Instrument) -> None:
        domains = [domain.key for domain in known.domains] + ([OVERALL] if known.overall else [])
        self._menu(read, own, "domain", domains, f"{known.id} has no such domain.")
        mean, scale = read.frame["mean"], known.scale
        off = own & (mean.notna() & ~mean.between(scale.low, scale.high)).to_numpy()
        words = f"The score is off the scale: {known.id} goes from {scale.low:g} to {scale.high:g}."
        self._report(read, off, "mean", words, "Check the score.")

    def _menu(
        self, read: Read, own: NDArray[np.bool_], column: str, allowed: tuple[str, ...] | list[str], problem: str
    ) -> None:
        values = read.frame[column]
        broken = own & (values.notna() & ~values.isin(allowed)).to_numpy() if len(allowed) else np.zeros_like(own)
        for value in values[broken].unique():
            alike = broken & (values == value).fillna(False).to_numpy(dtype=bool)
            self._report(read, alike, column, problem, nearest(str(value), allowed))

    def _waves_opened(self, read: Read, waves: pd.DataFrame) -> None:
        opened = read.frame["wave"].map(waves.drop_duplicates("wave").set_index("wave")["opens_on"])
        early = (read.frame["answered_on"] < opened).to_numpy()
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
        everything = {"outcomes": "measure", "events": "measure", "sessions": "intervention"}
        menu = [
            code
            for part in read_toml(catalogues() / "interventions.toml").values()
            if isinstance(part, dict)
            for code in part
        ]
        for table, column in everything.items():
            if table in self.tables:
                allowed = list(self.measures) if column == "measure" else menu
                read = self.tables[table]
                own = np.ones(len(read.frame), dtype=bool)
                self._menu(read, own, column, allowed, f"No {column} of this name is known.")
        if "outcomes" in self.tables:
            self._proportions(self.tables["outcomes"])

    def _proportions(self, read: Read) -> None:
        shares = [name for name, measure in self.measures.items() if measure.kind == "proportion"]
        counts, out_of = read.frame["count"].astype("float64"), read.frame["denominator"]
        above = (read.frame["measure"].isin(shares) & (counts > out_of)).to_numpy()
        self._report(read, above, "count", "The count is larger than its denominator.", "Check both.")
