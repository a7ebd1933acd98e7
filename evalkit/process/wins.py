"""What small wins were noted?"""

from __future__ import annotations

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

QUESTION = "What small wins were noted?"
METHOD = Method(
    name="Small wins counted by six months since the start, by size and by whether anyone else could see them",
    source="The King's Fund 2014, lesson 9: hold the nerve and generate a series of small wins.",
    assumes="Wins were noted when they came, by the same teams all along.",
    design=Design.DESCRIBED,
)
SIZES = {"small": "Small", "middling": "Middling", "large": "Large"}
NOTED, SEEN = "Wins noted", "With evidence others could see"
SIGNS = "A sign says only that nothing is on record, for some teams or for the last whole half year: a question."


@dataclass(frozen=True, slots=True)
class _Log:
    """The wins of the window, the half years it covers, and the teams and places that could have noted one."""

    programme: Programme
    window: register.Window
    wins: pd.DataFrame
    halves: list[HalfYear]
    teams: frozenset[str]
    places: frozenset[str]
    elsewhere: int


def wins(programme: Programme, *, since: date | None = None, until: date | None = None) -> Result:
    """What small wins were noted?

    Needs: `wins`; `teams` and `places` for who noted none, comparison places left out. Counted: wins from `since` to
    `until`, by half year since the programme began, adding up. The size is what those who won it think. A team is out
    of all teams of the programme, a place out of all its places in which no other lies; a team's win is its place's
    too. More wins noted may be more wins, or more noting. Errors: `NotEnoughEvidence` when no win was recorded.

    >>> import evalkit as ek
    >>> wins(ek.load("sample_data/northmere")).about.counts
    'wins'
    """
    log = _log(programme, register.window(programme, since, until))
    table = _table(log)
    n = len(log.wins)
    headline = Sentence(f"{words.sentence_case(words.counted(n, 'small win'))} noted, {log.window.words}", rows=(0,))
    return register.counted(
        programme,
        f"process.wins({log.window.asked})",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(log, table),
        table=table,
        marks=_marks(log, table, headline.text),
        method=METHOD,
        cautions=_cautions(log, table),
        n=n,
        of=None,
        counts="wins",
    )


def _log(programme: Programme, window: register.Window) -> _Log:
    compared = circumstances.comparison_places(programme)
    every, teams, places = programme.wins, programme.teams, programme.places
    ours = teams[~teams["place_id"].isin(compared)]
    home = every["team_id"].map(teams.set_index("team_id")["place_id"])
    at = every["place_id"].fillna(home.astype(every["place_id"].dtype))
    own = every.assign(place_id=at)[~at.isin(compared)]
    if own.empty:
        raise register.not_recorded(
            QUESTION,
            "No small win was written down.",
            "wins.csv: one row a win, noted when it comes: the day, what was won in a sentence, and where anyone else "
            "could see it. Asking for one at the end of each meeting is enough to begin.",
        )
    own_places = places.loc[~places["place_id"].isin({*compared, *places["parent_id"].dropna()}), "place_id"]
    held = own[window.holds(own["won_on"])]
    return _Log(
        programme, window, held, half_years(programme, own["won_on"], window), frozenset(ours["team_id"]),
        frozenset(own_places), len(every) - len(own),
    )  # fmt: skip


def _table(log: _Log) -> pd.DataFrame:
    """Rows for all, then a row a half year. Extra: so_far, the wins noted until its end."""
    found, so_far = log.wins, 0
    rows = [register.row(NOTED, ALL, n=len(found), unit="wins", n_of="wins", so_far=len(found))]
    sizes = [(label, found["size"] == size) for size, label in SIZES.items()]
    for measure, held in (*sizes, ("Size not said", found["size"].isna()), (SEEN, found["evidence"].notna())):
        rows.append(register.share(measure, ALL, int(held.sum()), len(found), of="wins", n_of="wins"))
    rows += [_noting("team", log.teams, found["team_id"]), _noting("place", log.places, found["place_id"])]
    for half in log.halves:
        n = int(half.holds(found["won_on"]).sum())
        so_far += n
        rows.append(register.row(NOTED, half.label, n=n, unit="wins", n_of="wins", so_far=so_far))
    whole = [at for at, half in enumerate(log.halves) if half.whole and half.number]
    if whole and rows[last := whole[-1] - len(log.halves)]["n"] == 0:
        when = log.halves[whole[-1]].label
        ask = f"No small win is written down for {when[0].lower()}{when[1:]}: did none come, or was none noted?"
        rows[last] = register.signed(rows[last], Sign.NOT_RECORDED, ask)
    return register.table(rows, extras=("so_far",)).astype({"so_far": "Int64"})


def _noting(kind: str, ours: frozenset[str], named: pd.Series[str]) -> dict[str, Any]:
    """How many teams or places noted a win, of all; how many did not is a question."""
    n = len(ours & set(named.dropna()))
    row = register.share(f"{kind.title()}s that noted one", ALL, n, len(ours), of=f"{kind}s", n_of=f"{kind}s")
    without = len(ours) - n
    if kind == "place" or without == 0:  # the same question is not asked twice
        return row
    ask = f"No small win is on record for {words.of(without, len(ours))} teams: what went well that nobody wrote down?"
    return register.signed(row, Sign.NOT_RECORDED, ask)


def _sentences(log: _Log, table: pd.DataFrame) -> list[Sentence]:
    held = [(at, row) for at, row in enumerate(table.to_dict("records")) if row["group"] == ALL]
    rows = {row["measure"]: (at, row) for at, row in held}
    n = len(log.wins)
    at = tuple(int(place) for place in table.index[(table["measure"] == NOTED) & (table["group"] != ALL)])
    halves = ", ".join(f"{table['n'][place]}" for place in at)
    noted = f"{words.sentence_case(words.counted(n, 'small win'))} {'was' if n == 1 else 'were'} noted"
    text = f"{noted}, {log.window.words}"
    said = [Sentence(f"{text}; by half year {halves}." if len(at) > 1 else f"{text}.", rows=(0, *at))]
    if n:
        called = [rows[label] for label in SIZES.values()]
        sizes = [(place, f"{row['n']} {row['measure'].lower()}") for place, row in called]
        unsaid, blank = rows["Size not said"]
        sizes += [(unsaid, f"{blank['n']} without a size")] if blank["n"] else []
        seen, shown = rows[SEEN]
        said.append(
            Sentence(
                f"Those who won them call them: {words.listed([text for _, text in sizes])}; for "
                f"{words.of(shown['n'], n)} it is written where anyone else could see it.",
                rows=(*(place for place, _ in sizes), seen),
            )
        )
    noting = [rows[f"{kind}s that noted one"] for kind in ("Team", "Place")]
    told = [(place, row) for place, row in noting if row["out_of"]]
    if told:
        who = words.listed([f"{words.of(row['n'], row['out_of'])} {row['n_of']}" for _, row in told])
        said.append(Sentence(f"A win is on record for {who}.", rows=tuple(place for place, _ in told)))
    return said


def _marks(log: _Log, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar a half year, with what it adds up to."""
    halves = table[(table["measure"] == NOTED) & (table["group"] != ALL)]
    drawn = [
        {"mark": "bar", "x": row["group"], "y": row["n"], "row": at, "label": f"{row['n']} ({row['so_far']} so far)"}
        for at, row in halves.to_dict("index").items()
    ]
    subtitle = f"Small wins by half year since the start, {log.window.words}, {log.programme.title}"
    return charts.marks(drawn, headline=headline, subtitle=subtitle)


def _cautions(log: _Log, table: pd.DataFrame) -> list[Sentence]:
    said = ["More wins noted may be more wins, or more noting; who notes none may have them all the same."]
    said.append("The size is the word of those who won it; a place to see it was written down, not visited.")
    single = int(log.wins["team_id"].isna().sum())
    if single:
        said.append(f"{words.counted(single, 'win')} of no single team: counted for no team.")
    if log.elsewhere:
        said.append(f"{words.counted(log.elsewhere, 'win')} of comparison places left out.")
    if not all(half.whole for half in log.halves):
        said.append("A half year marked as a part lies only partly in the time asked about.")
    if log.programme.starts_on is None:
        said.append("Nobody recorded when the programme began: half years are counted from the first win.")
    if "sign" in table:
        said.append(SIGNS)
    return [Sentence(words.sentence_case(text)) for text in said]
