"""How far have events carried it beyond the programme?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.half_years import HalfYear, half_years
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "How far have events carried it beyond the programme?"
METHOD = Method(
    name="Guests of spread events counted by half year, organisation and role; beside them the size of the workforce",
    source="AQuA, ten learning points: spread events enable each leadership team to invite a wider group; create a "
    "critical mass of people in the local system. The root of the workforce: a rule of thumb, not verified.",
    assumes="Guests were counted at the door; a guest who came to two events is two.",
    design=Design.DESCRIBED,
)
CAME, OF_INVITED, OF_WORKFORCE = "Guests who came", "Guests who came, of those invited", "Guests, of the workforce"
HELD, NAMED, WORKFORCE = "Spread events held", "Organisations that guests came from", "Workforce of the organisations"
TWICE = "A guest who came twice is counted twice, so shares of a workforce are visits, not people reached."
ROOT = (
    "root_of_workforce is a rule of thumb (a group as large as the square root of the whole) that was not verified "
    "against a source: it is no target and says nothing about whether enough came."
)
SIGNS = "A sign says only that nothing is on record: no event in the last whole half year, or whose people guests were."


@dataclass(frozen=True, slots=True)
class _Log:
    """The guests of the window, a row a kind of guest with the organisation that stands now, and its half years."""

    programme: Programme
    window: register.Window
    guests: pd.DataFrame
    halves: list[HalfYear]
    organisations: pd.DataFrame
    elsewhere: int

    @property
    def came(self) -> int:
        """How many guests came."""
        return int(self.guests["came"].sum())

    @property
    def told(self) -> bool:
        """Whether anybody wrote down whose people the guests were."""
        return bool(self.guests["organisation_id"].notna().any())


def spread(programme: Programme, *, since: date | None = None, until: date | None = None) -> Result:
    """How far have events carried it beyond the programme?

    Needs: `spread_events`; `organisations` for whose people came and out of what workforce. Counted: guests of events
    held from `since` to `until`, by half year since the start (adding up), organisation and role; comparison places
    left out, an organisation that was merged counted as the one it was merged into. Nobody is known by name, so a guest
    who came twice is counted twice. Errors: `NotEnoughEvidence` when no event was recorded.

    >>> import evalkit as ek
    >>> spread(ek.load("sample_data/northmere")).about.counts
    'people'
    """
    log = _log(programme, register.window(programme, since, until))
    table = _table(log)
    held = int(log.guests["spread_id"].nunique())
    headline = Sentence(f"{words.counted(log.came, 'guest')} at {words.counted(held, 'spread event')}", rows=(0, 1))
    text = words.sentence_case(headline.text) if held else "No spread event is on record for this time"
    headline = Sentence(text, rows=headline.rows)
    asked_of = log.guests[log.guests["invited"].notna()]
    return register.counted(
        programme,
        f"process.spread({log.window.asked})",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(log, table),
        table=table,
        marks=_marks(log, table, headline.text),
        method=METHOD,
        cautions=_cautions(log, table),
        n=log.came,
        of=int(asked_of["invited"].sum()) if len(asked_of) == len(log.guests) else None,
        counts="people",
    )


def _log(programme: Programme, window: register.Window) -> _Log:
    every = programme.spread_events
    own = every[~every["place_id"].isin(circumstances.comparison_places(programme))]
    if own.empty:
        raise register.not_recorded(
            QUESTION,
            "No spread event was written down.",
            "spread_events.csv: one row an event and kind of guest (organisation and role), with the day, how many "
            "were invited and how many came. A count at the door is enough; no names.",
        )
    standing = own["organisation_id"].map(lambda told: programme.successor(told, window.until), na_action="ignore")
    guests = own.assign(organisation_id=standing)[window.holds(own["held_on"])]
    organisations = programme.organisations.set_index("organisation_id")
    ended = organisations["valid_to"] < pd.Timestamp(window.until)
    merged = organisations["successor_id"].notna() & organisations["valid_to"].isna()
    stands = organisations[~(ended | merged) | organisations.index.isin(guests["organisation_id"].dropna())]
    return _Log(programme, window, guests, half_years(programme, own["held_on"], window), stands, len(every) - len(own))


def _table(log: _Log) -> pd.DataFrame:
    """Rows for all, then by half year, organisation and role. Extras: by; so_far; root_of_workforce (not verified)."""
    guests = log.guests
    rows = [
        register.row(CAME, ALL, n=log.came, unit="guests", n_of="people", by="everybody"),
        _held(log),
        _of_invited(log),
        *_organisations(log),
        *_by_half_year(log),
    ]  # fmt: skip
    rows += _grouped(guests.assign(role=guests["role"].fillna(register.NOT_SAID)), "role") if len(guests) else []
    blank = {"so_far": pd.NA, "root_of_workforce": float("nan")}
    found = register.table([{**blank, **row} for row in rows], extras=("by", "so_far", "root_of_workforce"))
    return found.astype({"so_far": "Int64"})


def _held(log: _Log) -> dict[str, Any]:
    n = int(log.guests["spread_id"].nunique())
    row = register.row(HELD, ALL, n=n, unit="occasions", n_of="occasions", by="everything")
    whole = [half for half in log.halves if half.whole and half.number]
    if not whole or whole[-1].holds(log.guests["held_on"]).any():
        return row
    when = whole[-1].label
    ask = f"No spread event is on record for {when[0].lower()}{when[1:]}: whom did we want to reach next?"
    return register.signed(row, Sign.NOT_RECORDED, ask)


def _organisations(log: _Log) -> list[dict[str, Any]]:
    """How many organisations, their workforce, and the guests of each; none of it where nobody wrote it down."""
    guests, standing = log.guests, log.organisations
    known = standing["workforce"].dropna()
    if len(known):
        whole = int(known.sum())
        size = [
            register.row(
                WORKFORCE, ALL, n=whole, unit="people employed", n_of="people", by="everybody",
                root_of_workforce=math.sqrt(whole),
            )
        ]  # fmt: skip
    else:
        size = []
    if guests.empty:
        return size
    if not log.told:
        ask = f"Whose people {words.counted(log.came, 'guest')} were is not written down: whom have we not reached?"
        row = register.row(NAMED, ALL, n=None, unit="organisations", n_of="organisations", by="everything")
        return [*size, register.signed(row, Sign.NOT_RECORDED, ask)]
    n = int(guests["organisation_id"].nunique())
    named = register.share(
        NAMED, ALL, n, len(standing), of="organisations on record", n_of="organisations", by="everything"
    )
    names = guests["organisation_id"].map(standing["name"]).fillna(register.NOT_SAID)
    rows = _grouped(guests.assign(organisation=names), "organisation")
    return [*size, named, *_of_workforce(log, known), *rows]


def _of_workforce(log: _Log, known: pd.Series[int]) -> list[dict[str, Any]]:
    """Guests out of the workforce of their own organisation, where it is recorded; all such together first."""
    came = log.guests.groupby("organisation_id")["came"].sum()
    came = came[came.index.isin(known.index[known > 0])]
    if came.empty or _told_by_workforce(log, known):
        return []
    sizes, names = known[came.index], log.organisations["name"]
    told = [(ALL, int(came.sum()), int(sizes.sum()), "everybody")]
    told += sorted((str(names[at]), int(came[at]), int(sizes[at]), "organisation") for at in came.index)
    return [
        register.share(
            OF_WORKFORCE, group, n, size, of="its workforce", n_of="people", by=by, root_of_workforce=math.sqrt(size)
        )
        for group, n, size, by in told
    ]


def _told_by_workforce(log: _Log, known: pd.Series[int]) -> bool:
    """Whether guests out of a workforce would tell very few guests of one organisation that has no workforce recorded:
    what is shown of the others, taken from all guests, leaves them."""
    came = log.guests.groupby(log.guests["organisation_id"].fillna(""))["came"].sum()
    beside = int(came[~came.index.isin(known.index[known > 0])].sum())
    few = bool(came.between(1, log.programme.minimum_group - 1).any())
    return beside > 0 and (few or beside < log.programme.minimum_group)


def _of_invited(log: _Log) -> dict[str, Any]:
    """Guests of those invited, where that was noted; not known where it would leave very few others."""
    noted = log.guests[log.guests["invited"].notna()]
    came, beside = int(noted["came"].sum()), log.came - int(noted["came"].sum())
    told: dict[str, Any] = {"of": "those invited", "n_of": "people", "by": "everybody"}
    if 0 < beside < log.programme.minimum_group:
        return {**register.share(OF_INVITED, ALL, 0, 0, **told), "n": None}
    return register.share(OF_INVITED, ALL, came, int(noted["invited"].sum()), **told)


def _grouped(guests: pd.DataFrame, by: str) -> list[dict[str, Any]]:
    """Guests by organisation or role, in the order of the alphabet."""
    came = guests.groupby(by)["came"].sum()
    return [register.row(CAME, str(group), n=int(n), unit="guests", n_of="people", by=by) for group, n in came.items()]


def _by_half_year(log: _Log) -> list[dict[str, Any]]:
    """Guests by half year. What they add up to is told only at the end where one half year has too few to show: the
    sums before and after it would tell them."""
    came = [int(log.guests.loc[half.holds(log.guests["held_on"]), "came"].sum()) for half in log.halves]
    few = any(0 < n < log.programme.minimum_group for n in came)
    so_far = [sum(came[: at + 1]) if not few or at + 1 == len(came) else pd.NA for at in range(len(came))]
    return [
        register.row(CAME, half.label, n=n, unit="guests", n_of="people", by="half year", so_far=total)
        for half, n, total in zip(log.halves, came, so_far, strict=True)
    ]


def _sentences(log: _Log, table: pd.DataFrame) -> list[Sentence]:
    rows = {row["measure"]: (at, row) for at, row in enumerate(table.to_dict("records")) if row["group"] == ALL}
    events = int(rows[HELD][1]["n"])
    text = f"{words.sentence_case(words.counted(log.came, 'guest'))} came to {words.counted(events, 'spread event')}"
    text = text if events else "No spread event is on record"
    said = [Sentence(f"{text}, {log.window.words}.", rows=(rows[CAME][0], rows[HELD][0]))]
    at, asked = rows[OF_INVITED]
    if asked["out_of"]:
        said.append(
            Sentence(f"Of those invited, where noted, {words.of(asked['n'], asked['out_of'])} came.", rows=(at,))
        )
    roles = log.guests["role"].nunique()
    if NAMED in rows and log.told:
        at, named = rows[NAMED]
        text = f"They came from {words.of(named['n'], named['out_of'])} organisations on record, in "
        said.append(Sentence(f"{text}{words.counted(roles, 'role')}.", rows=(at,)))
    elif len(log.guests):
        said.append(
            Sentence(f"They came in {words.counted(roles, 'role')}; from which organisations was not recorded.")
        )
    if OF_WORKFORCE in rows:
        at, row = rows[OF_WORKFORCE]
        visits = f"{words.significant(row['estimate'])} visits for every 100 people employed"
        said.append(Sentence(f"From organisations whose workforce is known: {visits}.", rows=(at,)))
    return said


def _marks(log: _Log, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar a half year, with what it adds up to where that may be told."""
    drawn = []
    for at, row in table[table["by"] == "half year"].to_dict("index").items():
        total = "" if pd.isna(row["so_far"]) else f" ({row['so_far']:,} so far)"
        drawn.append({"mark": "bar", "x": row["group"], "y": row["n"], "n": row["n"], "row": at,
                      "label": f"{row['n']:,}{total}"})  # fmt: skip
    subtitle = f"Guests at spread events by half year since the start, {log.window.words}, {log.programme.title}"
    return charts.marks(drawn, headline=headline, subtitle=subtitle)


def _cautions(log: _Log, table: pd.DataFrame) -> list[Sentence]:
    said = [TWICE, "Coming to an event is not taking it further; some guests may take part in the programme."]
    if len(log.guests) and not log.told:
        said.append("Whose people the guests were was not recorded: no share of a workforce can be given.")
    unsized = log.organisations[log.organisations["workforce"].isna()]
    lacking = sorted(unsized.loc[unsized.index.isin(log.guests["organisation_id"].dropna()), "name"])
    if lacking:
        said.append(f"Workforce not recorded, so left out of its shares: {words.listed(lacking)}.")
    if len(unsized) > len(lacking):
        said.append(f"Of {len(log.organisations)} organisations on record, {len(unsized)} have no workforce recorded.")
    sized = log.organisations["workforce"].dropna()
    if log.told and _told_by_workforce(log, sized):
        said.append("Guests out of a workforce are not given: they would tell of very few guests of one organisation.")
    if table["root_of_workforce"].notna().any():
        said.append(ROOT)
    blank = int(log.guests["invited"].isna().sum())
    if blank:
        said.append(f"How many were invited was not noted in {words.of(blank, len(log.guests))} rows.")
    if table.loc[table["by"] == "half year", "so_far"].isna().any():
        said.append("A half year with very few guests: what they add up to is told only at the end.")
    if not all(half.whole for half in log.halves):
        said.append("A half year marked as a part lies only partly in the time asked about.")
    if log.elsewhere:
        said.append(f"{words.sentence_case(words.counted(log.elsewhere, 'row'))} of comparison places left out.")
    return [Sentence(text) for text in (*said, *([SIGNS] if "sign" in table else []))]
