"""How the domains of an instrument are drawn: a dot a domain and date, anatomy and physiology apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, words
from evalkit.result import ALL

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "Are organisations working better together?"


def marks(programme: Programme, instrument: Instrument, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """The marks of a table with measure, group, estimate, n, measured_on and aspect."""
    shown = table.sort_values("aspect", kind="stable")
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": words.month(row["measured_on"]), "y": row["estimate"], "n": row["n"], "row": place,
         "x": f"{row['measure']} ({row['aspect']})" if row["aspect"] else row["measure"]}
        for place, row in zip(shown.index, shown.to_dict("records"), strict=True)
    ]  # fmt: skip
    rows.append({"mark": "scale", "low": instrument.scale.low, "high": instrument.scale.high})
    places = words.listed(sorted(table["group"].unique()))
    where = programme.title if places == ALL else places
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{instrument.name}, {where}",
        x_axis=f"score, {instrument.scale.low:g} to {instrument.scale.high:g}",
    )
