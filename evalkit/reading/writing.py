"""A typed table as text: the cells a file would hold, so that memory and files obey one set of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from data_schemas.tables import schema
from evalkit import periods
from evalkit.instrument import Instrument
from evalkit.reading import cells
from evalkit.reading.problems import HEADING
from evalkit.reading.reads import about, form_of
from evalkit.reading.sheets import Cells, Origin, Sheet, coded


def as_sheet(table: str, frame: pd.DataFrame, instruments: Mapping[str, Instrument]) -> Sheet:
    """A typed frame as its file would be read."""
    columns = {str(name): _cells(table, str(name), frame, instruments) for name in frame}
    for name in schema(table).columns:
        if about(table, name)["derived"]:
            columns.pop(name, None)
    return Sheet(columns, Origin(f"{table}.csv", np.arange(len(frame), dtype="int64") + HEADING + 1))


def to_csv_text(frame: pd.DataFrame, table: str, instruments: Mapping[str, Instrument] | None = None) -> str:
    """The table as CSV in its one canonical form: reading it again gives the same frame.

    UTF-8, a comma between cells, LF after each row, ISO dates, yes and no; the model's columns in the model's order,
    without optional columns that are wholly blank, nor those worked out from others. Answers in words (a, b, c, d)
    need the `instruments` they were given on.
    """
    sheet, kept = as_sheet(table, frame, instruments or {}), []
    for name, column in schema(table).columns.items():
        if name in sheet.columns and (column.required or (sheet.columns[name].texts() != "").any()):
            kept.append(name)
    written = []
    for name in kept:
        held = sheet.columns[name]
        quoted = np.array([cells.quoted(text) for text in held.distinct], dtype=object)
        written.append(quoted[held.which].tolist())
    return "".join(",".join(record) + "\n" for record in (kept, *zip(*written, strict=True)))


def _cells(table: str, name: str, frame: pd.DataFrame, instruments: Mapping[str, Instrument]) -> Cells:
    kind, form = form_of(table, name) if name in schema(table).columns else ("text", "")
    values = frame[name]
    if form == "period" and "span" in frame:
        pairs = frame.groupby([name, "span"], dropna=False, sort=False).ngroup()
        distinct = frame.loc[~pairs.duplicated(), [name, "span"]]
        texts = [_period(first, months) for first, months in zip(distinct[name], distinct["span"], strict=True)]
        return Cells(np.array(texts, dtype=object), np.asarray(pairs, dtype=np.intp))
    which, known = pd.factorize(values)
    texts = [cells.written(value, kind=kind, form=form) for value in known]
    plain = Cells(np.array([*texts, ""], dtype=object), np.where(which < 0, len(texts), which).astype(np.intp))
    return _in_words(plain, frame, instruments) if form == "answer" and "instrument" in frame else plain


def _period(first: Any, months: Any) -> str:
    if pd.isna(first):
        return ""
    if pd.isna(months) or months == 1 or not isinstance(first, pd.Timestamp) or first.day != 1:
        return cells.written(first, kind="date", form="period")
    return periods.printed(first.date(), int(months))


def _in_words(plain: Cells, frame: pd.DataFrame, instruments: Mapping[str, Instrument]) -> Cells:
    """Codes of answers as the words they stand for, on instruments that are answered in words."""
    names = frame["instrument"]
    wordy = [name for name in names.dropna().unique() if name in instruments and instruments[name].scale.codes]
    if not wordy:
        return plain
    texts = plain.texts()
    for name in wordy:
        scale, rows = instruments[name].scale, (names == name).fillna(False).to_numpy(dtype=bool)
        for code in frame.loc[rows, "answer"].dropna().unique():
            if scale.holds(pd.Series([code])).all():
                texts[rows & (frame["answer"] == code).to_numpy(dtype=bool)] = scale.word(code)
    return coded(texts)
