"""Which behaviours to talk about in a meeting: the one in use by fewest, and the one stopped most often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit import register, words
from evalkit.disclosure import KEEPS
from evalkit.terms import Sign

IN_USE = ("used", "embedded")
"""The answers that say a behaviour is in use."""


def in_use_by(row: Mapping[Any, Any]) -> int:
    """How many answers say that a behaviour is in use."""
    return int(sum(row[word] for word in IN_USE))


def talked_about(lead: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, the behaviour in use by fewest and the one stopped most often with a question for a meeting."""
    own = [at for at, row in enumerate(rows) if row["by"] == lead and row.get("answers")]
    if not own:
        return rows
    least = min(own, key=lambda at: rows[at]["estimate"])
    stopped = max(own, key=lambda at: rows[at]["stopped"] / rows[at]["answers"])
    told, n, stops = rows[least], rows[least]["answers"], rows[stopped]["stopped"]
    sign = register.sign_of(in_use_by(told), n)
    what = "what helped?" if sign is Sign.WORKING else "what is in the way, and does their own organisation back it?"
    ask = f"“{told['measure']}” is in use by {words.of(in_use_by(told), n)} who could say: {what}"
    signed = {least: register.signed(told, sign, ask)}
    if stops and stopped == least:
        signed[least] = register.signed(told, sign, f"{ask} Stopped by {stops}: what did they find?")
    elif stops:
        ask = f"“{rows[stopped]['measure']}” was stopped by {words.of(stops, rows[stopped]['answers'])} who could say: "
        signed[stopped] = register.signed(rows[stopped], Sign.UNCERTAIN, f"{ask}what did they find?")
    if stops and "stopped" in rows[stopped][KEEPS].split("; "):
        signed[stopped][KEEPS] += "; ask"
    return [signed.get(at, row) for at, row in enumerate(rows)]
