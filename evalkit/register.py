"""What logs and registers say, in one form: rows of counts, the time they speak of, and the Result they make.

A register holds everybody and everything that was written down, so a share of it has no interval. What was not written
down is not in it: an empty log is *not recorded*, never *none*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, result, words
from evalkit.disclosure import PEOPLE
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.result import FIRST, Method, Sentence
from evalkit.terms import Attribution, Design, Level, Sign, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

MOST = 0.5
"""Less than this share of what was due done is not working (a judgement, printed with what rests on it)."""
SIGN_RULE = "everything due was done: working; less than half of it: not working; between the two: uncertain"
"""The rule of `sign`, as it is printed."""
NOT_SAID = "not recorded"
NO_TEST = "A count of what was written down; nothing is tested."


@dataclass(frozen=True, slots=True)
class Window:
    """The time an answer speaks of, both ends included. `since` None is from the beginning of the log.

    `cut`: it ends before the day the data speak of.
    """

    since: date | None
    until: date
    cut: bool = False

    def holds(self, days: pd.Series[Any]) -> pd.Series[bool]:
        """Which of these days lie in it; a missing day does not."""
        held = days <= pd.Timestamp(self.until)
        return held if self.since is None else held & (days >= pd.Timestamp(self.since))

    @property
    def words(self) -> str:
        """The window as a subtitle says it."""
        until = f"to {words.day(self.until)}"
        return until if self.since is None else f"{words.day(self.since)} {until}"

    @property
    def asked(self) -> str:
        """The window as an argument of a question, nothing where it is the whole log."""
        said = {"since": self.since, "until": self.until if self.cut else None}
        return ", ".join(
            f"{name}=date({day.year}, {day.month}, {day.day})" for name, day in said.items() if day is not None
        )


def window(programme: Programme, since: date | None, until: date | None) -> Window:
    """The window asked for, which never goes beyond the day the data speak of."""
    last = min(until or programme.as_of, programme.as_of)
    found = Window(since, last, cut=last < programme.as_of)
    if since is not None and since > found.until:
        raise ValueError(f"since={since} lies after {found.until}; the earlier day comes first.")
    return found


def by_now(programme: Programme, days: pd.Series[Any]) -> pd.Series[bool]:
    """Which of these days the data speak of; a missing day is not known to lie after them."""
    return ~(days > pd.Timestamp(programme.as_of))


def of_programme(programme: Programme, log: pd.DataFrame) -> pd.DataFrame:
    """The rows of a log of places and teams that are not of places to compare with, each with its `place`: its own, or
    its team's."""
    home = log["team_id"].map(programme.teams.set_index("team_id")["place_id"])
    place = log["place_id"].astype(object).fillna(home.astype(object))
    return log.assign(place=place)[~place.isin(circumstances.comparison_places(programme))]


def answered(programme: Programme) -> pd.DataFrame:
    """The answers given by the day the data speak of; one without a day counts from the day its wave opened."""
    held = programme.responses[programme.responses["answer"].notna()]
    opens = dict(zip(programme.waves["wave"], programme.waves["opens_on"], strict=True))
    opened = pd.to_datetime(pd.Series([opens.get(wave) for wave in held["wave"]], index=held.index, dtype=object))
    return held[by_now(programme, pd.to_datetime(held["answered_on"]).fillna(opened))]


def not_recorded(question: str, missing: str, would_answer: str) -> NotEnoughEvidence:
    """The refusal of a question whose log is empty: nobody wrote it down, which is not the same as none."""
    return NotEnoughEvidence(
        question, missing=f"{missing} That it was not recorded does not say that there was none.",
        would_answer=would_answer,
    )  # fmt: skip


def row(
    measure: str, group: str, *, n: int | None, unit: str, n_of: str, estimate: float | None = None, **extras: Any
) -> dict[str, Any]:
    """One row: `n` things counted, which are the estimate too unless another is given. No interval.

    `n_of` what `n` counts (people, leaders … come under the minimum group; actions, meetings, milestones do not).
    """
    value = n if estimate is None else estimate
    return {
        "measure": measure, "group": group, "estimate": float("nan") if value is None else float(value),
        "low": float("nan"), "high": float("nan"), "interval": "none given", "n": n, "unit": unit, "n_of": n_of,
        **extras,
    }  # fmt: skip


def share(measure: str, group: str, n: int, out_of: int, *, of: str, n_of: str, **extras: Any) -> dict[str, Any]:
    """One row: `n` of `out_of`, in % of what `of` says; nothing of none is not known.

    >>> share("Kept", "all", 3, 4, of="promises due", n_of="promises")["estimate"]
    75.0
    """
    found = 100 * n / out_of if out_of else float("nan")
    return row(measure, group, n=n, unit=f"% of {of}", n_of=n_of, estimate=found, out_of=out_of, **extras)


def signed(rows: Mapping[str, Any], sign: Sign, ask: str) -> dict[str, Any]:
    """The row with how it looks and what to talk about: a question for a meeting, never an instruction."""
    return {**rows, "sign": sign.value, "ask": words.without_why(ask)}


def sign_of(done: int, due: int) -> Sign:
    """How it looks when so many of what was due are done, by `SIGN_RULE`; nothing due is uncertain.

    >>> sign_of(4, 4), sign_of(1, 4), sign_of(3, 4)
    (<Sign.WORKING: 'working'>, <Sign.NOT_WORKING: 'not working'>, <Sign.UNCERTAIN: 'uncertain'>)
    """
    if due == 0:
        return Sign.UNCERTAIN
    if done >= due:
        return Sign.WORKING
    return Sign.NOT_WORKING if done < MOST * due else Sign.UNCERTAIN


def table(rows: Sequence[Mapping[str, Any]], *, extras: Sequence[str] = ()) -> pd.DataFrame:
    """The rows as a Result's table: the eight first columns, n_of, the `extras` named, then out_of, sign and ask where
    any row has them."""
    frame = pd.DataFrame(rows)
    last = [name for name in ("out_of", "sign", "ask") if name in frame]
    frame = frame[[*FIRST, "n_of", *extras, *last]]
    whole = {name: "Int64" for name in ("n", "out_of") if name in frame}
    return frame.astype(whole).fillna({name: "" for name in ("sign", "ask") if name in frame})


def bars(
    found: pd.DataFrame, rows: Iterable[int], *, headline: str, subtitle: str, by: str = "measure"
) -> pd.DataFrame:
    """Marks of the `bars` chart: a bar for each of these rows of the table, as long as its n, named by column `by`."""
    drawn = []
    for at, held in found.loc[[*rows]].to_dict("index").items():
        whole = held.get("out_of", pd.NA)
        label = f"{held['n']:,}" if pd.isna(whole) else words.of(held["n"], whole)
        people = held["n"] if held["n_of"] in PEOPLE else None  # other things come under no minimum
        drawn.append({"mark": "bar", "x": held[by], "y": held["n"], "n": people, "row": at, "label": label})
    return charts.marks(drawn, headline=headline, subtitle=subtitle)


def counted(
    programme: Programme,
    asked: str,
    *,
    question: str,
    headline: Sentence,
    sentences: Sequence[Sentence],
    table: pd.DataFrame,
    marks: pd.DataFrame,
    method: Method,
    cautions: Sequence[Sentence],
    n: int | None,
    of: int | None,
    counts: str,
    level: Level = Level.PROCESS,
    chart: str = "bars",
    step: Step | None = None,
    why: str = NO_TEST,
) -> result.Result:  # by its full name, for this is no question
    """A Result that counts what was written down: described, and never asked why. `asked` is how to ask it again."""
    return result.Result.of(
        question=question,
        level=level,
        kirkpatrick=step,
        headline=headline,
        sentences=sentences,
        decided=described(why),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=marks,
        chart=charts.named(chart),
        method=method,
        evidence=grade(Design.DESCRIBED),
        cautions=cautions,
        about=circumstances.about(programme, asked, n=n, of=of, counts=counts),
    )
