"""Do teams hold the parts they need?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "Do teams hold the parts they need?"
METHOD = Method(
    name="Counts of teams in which each part is held by somebody, on the day the data speak of",
    source="Fillingham and Weir, System leadership, The King's Fund 2014: Leadership for Integration brought together "
    "commissioners and secondary care clinical leads, with a manager and their social care partners.",
    assumes="Parts are written in the same words in every team, and joining and leaving were recorded.",
    design=Design.DESCRIBED,
)
TIERS = ("micro", "meso", "macro")
HELD, NOT_HELD, NOT_KNOWN = "Held", "Not held", "Not recorded"
COUNTS = ("by", "not_held", "not_said")
"""Columns: all or tier; teams without the part; teams of which nobody knows, a member's part being blank."""
SIGN_RULE = (
    "Sign, where the parts needed were named: every team holds them all: working; fewer than half do: not working; "
    "between the two: uncertain. This is a judgement. Where nobody named them, there is no sign."
)


def composition(programme: Programme, *, roles: Sequence[str] | None = None) -> Result:
    """Do teams hold the parts they need?

    Needs: `memberships` with roles; `teams` for their tiers; `people` and `organisations` for whom a team joins.
    On the day the data speak of: whoever has left or not yet joined does not count. `roles` are the parts a team needs,
    in the words of the data, such as ("commissioner", "clinical lead", "manager", "social care"); without it, every
    part that anybody holds. A part not seen in a team with a member whose part is blank, or without any member, is not
    recorded. n counts teams, never people.
    Columns: by (all, or tier), out_of (teams), not_held, not_said.
    Errors: `NotEnoughEvidence` when nobody's part in a team was recorded.

    >>> import evalkit as ek
    >>> asked = ("commissioner", "clinical lead", "manager", "social care")
    >>> found = composition(ek.load("sample_data/northmere"), roles=asked).table
    >>> found["measure"].tolist()[:4]
    ['Commissioner', 'Clinical lead', 'Manager', 'Social care']
    """
    members = _members(programme)
    parts = _parts(members, roles)
    if members["part"].isna().all():
        raise register.not_recorded(
            QUESTION,
            f"No part that anybody has in a team on {words.day(programme.as_of)} was recorded.",
            "memberships.csv: who belongs to which team, with the role each has in it and the first and last day.",
        )
    teams = _teams(programme, members, parts)
    table = register.table(_rows(teams, parts, needed=roles is not None), extras=COUNTS)
    whole = table.loc[_at(table, _all_parts(parts))[0]].to_dict()
    headline = _headline(table, parts, whole, needed=roles is not None)
    return register.counted(
        programme,
        f"process.composition({'' if roles is None else f'roles={tuple(roles)!r}'})",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(programme, table, parts),
        table=table,
        marks=_marks(programme, table, parts, headline.text),
        chart="shares",
        method=METHOD,
        cautions=_cautions(members, parts, roles),
        n=whole["n"],
        of=whole["out_of"],
        counts="teams",
    )


def _headline(table: pd.DataFrame, parts: list[str], whole: Mapping[Any, Any], *, needed: bool) -> Sentence:
    """How many teams hold all the parts needed; where nobody said which those are, only how many parts are held."""
    teams = words.counted(whole["out_of"], "team")
    if not needed:
        said = f"{words.counted(len(parts), 'part')} held in {teams}; which of them a team needs, nobody said"
        return Sentence(said, _at(table, *(words.sentence_case(part) for part in parts)))
    return Sentence(
        f"{_all_parts(parts)}: held in {words.of(whole['n'], whole['out_of'])} teams", _at(table, _all_parts(parts))
    )


def _members(programme: Programme) -> pd.DataFrame:
    """Who is in a team of the programme on the day: team, part (in small letters), organisation and sector."""
    on, held = pd.Timestamp(programme.as_of), programme.memberships
    elsewhere = programme.teams["place_id"].isin(circumstances.comparison_places(programme))
    here = held["team_id"].isin(programme.teams.loc[~elsewhere, "team_id"])
    held = held[here & ~(held["start"] > on) & ~(held["end"] < on)]
    organisation = held["person_id"].map(programme.organisations_on(programme.as_of))
    sector = organisation.map(programme.organisations.set_index("organisation_id")["sector"])
    return held.assign(part=held["role"].map(_as_written, na_action="ignore"), organisation=organisation, sector=sector)


def _as_written(role: str) -> str:
    """A part in the words of the data, blind to large letters and stray spaces."""
    return " ".join(role.casefold().split())


def _parts(members: pd.DataFrame, roles: Sequence[str] | None) -> list[str]:
    """The parts asked for, in their order; else those anybody holds, in the order of the alphabet."""
    if roles is None:
        return sorted(members["part"].dropna().unique())
    if isinstance(roles, str) or not roles:
        raise ValueError(f"roles={roles!r} names no parts; write them in brackets, such as ('manager', 'social care').")
    return list(dict.fromkeys(_as_written(role) for role in roles))


def _all_parts(parts: list[str]) -> str:
    return "The one part" if len(parts) == 1 else f"All {len(parts)} parts"


def _teams(programme: Programme, members: pd.DataFrame, parts: list[str]) -> pd.DataFrame:
    """A row a team of the programme: each part True, False or missing (not recorded), all of them, and its spread."""
    teams = programme.teams[~programme.teams["place_id"].isin(circumstances.comparison_places(programme))]
    held = {str(team): found for team, found in members.groupby("team_id")}
    rows = [_team(held.get(str(team), members.head(0)), parts) for team in teams["team_id"]]
    return pd.DataFrame(rows).assign(tier=teams["tier"].to_numpy())


def _team(members: pd.DataFrame, parts: list[str]) -> dict[str, Any]:
    seen = set(members["part"].dropna())
    told = len(members) > 0 and bool(members["part"].notna().all())
    row: dict[str, Any] = {part: True if part in seen else (False if told else None) for part in parts}
    row[_all_parts(parts)] = True if seen.issuperset(parts) else (False if told else None)
    size = len(set(members["person_id"]))
    return row | {
        "People": size or None,
        "Organisations": members["organisation"].nunique() or None,
        "Sectors": members["sector"].nunique() or None,
    }


def _rows(teams: pd.DataFrame, parts: list[str], *, needed: bool) -> list[dict[str, Any]]:
    """A row a part, one for all of them, one a tier; then how many people, organisations and sectors a team joins."""
    rows = [_part(words.sentence_case(part), ALL, teams[part], by="all") for part in parts]
    whole = _part(_all_parts(parts), ALL, teams[_all_parts(parts)], by="all")
    n, out_of = whole["n"], whole["out_of"]
    if needed:
        ask = f"All parts named are held in {words.of(n, out_of)} teams: who could take up those missing in the others?"
        sign = Sign.NOT_RECORDED if whole["not_said"] == out_of else register.sign_of(n, out_of)
        whole = register.signed(whole, sign, "" if n == out_of else ask)
    rows.append(whole)
    for tier in TIERS:
        if (teams["tier"] == tier).any():
            rows.append(_part(_all_parts(parts), tier, teams.loc[teams["tier"] == tier, _all_parts(parts)], by="tier"))
    for what in ("People", "Organisations", "Sectors"):
        rows.append(_spread(what, teams[what].dropna()))
    return rows


def _part(measure: str, group: str, teams: pd.Series[Any], *, by: str) -> dict[str, Any]:
    held, blank = int((teams == True).sum()), int(teams.isna().sum())  # noqa: E712
    return register.share(
        measure, group, held, len(teams), of="teams", n_of="teams", by=by, not_held=len(teams) - held - blank,
        not_said=blank,
    )  # fmt: skip


def _spread(what: str, sizes: pd.Series[Any]) -> dict[str, Any]:
    """How many a team joins: the median of the teams, and the least and the most."""
    known = {"estimate": float(sizes.median()), "low": float(sizes.min()), "high": float(sizes.max())}
    said = known | {"interval": "range"} if len(sizes) else {}
    return register.row(
        f"{what} a team joins", ALL, n=len(sizes), unit=what.lower(), n_of="teams", by="all", not_held=0, not_said=0,
    ) | ({**said} if said else {"estimate": float("nan")})  # fmt: skip


def _at(table: pd.DataFrame, *measures: str) -> tuple[int, ...]:
    return tuple(int(at) for at in table.index[table["measure"].isin(measures)])


def _sentences(programme: Programme, table: pd.DataFrame, parts: list[str]) -> list[Sentence]:
    every = {str(row["measure"]): row for row in table[table["group"] == ALL].to_dict("records")}
    shares = [f"{part} {every[words.sentence_case(part)]['n']}" for part in parts]
    whole, names = every[_all_parts(parts)], [words.sentence_case(part) for part in parts]
    on = words.day(programme.as_of)
    text = f"On {on}, of {words.counted(whole['out_of'], 'team')}, the part is held in: {words.listed(shares)}."
    said = [Sentence(text, rows=_at(table, *names))]
    tiers = table[table["by"] == "tier"].to_dict("records")
    shares = [f"{row['group']} {words.of(row['n'], row['out_of'])}" for row in tiers]
    by_tier = f", by tier {words.listed(shares)}" if tiers else ""
    blank = f", and in {whole['not_said']} that was not recorded" if whole["not_said"] else ""
    text = f"{_all_parts(parts)}: held in {words.of(whole['n'], whole['out_of'])} teams{by_tier}{blank}."
    said.append(Sentence(text, rows=_at(table, _all_parts(parts))))
    joins = [_joins(what, every[f"{what} a team joins"]) for what in ("People", "Organisations", "Sectors")]
    known = [text for text in joins if text]
    if known:
        rows = _at(table, *(f"{what} a team joins" for what in ("People", "Organisations", "Sectors")))
        said.append(Sentence(f"A team in the middle (the median) joins {words.listed(known)}.", rows=rows))
    return said


def _joins(what: str, row: dict[Any, Any]) -> str:
    """The median with the least and most, nothing where no team is known."""
    if not row["n"]:
        return ""
    return f"{row['estimate']:g} {what.lower()} ({row['low']:g} to {row['high']:g})"


def _marks(programme: Programme, table: pd.DataFrame, parts: list[str], headline: str) -> pd.DataFrame:
    """A bar a part, cut into held, not recorded (the pale middle of the colours) and not held."""
    names = [*(words.sentence_case(part) for part in parts), _all_parts(parts)]
    shown = table[table["measure"].isin(names) & (table["group"] == ALL)]
    pieces = [
        {"mark": "share", "series": series, "x": row["measure"],
         "y": 100 * row[column] / row["out_of"], "label": str(row[column]), "n": row["out_of"], "row": at}
        for at, row in shown.to_dict("index").items()
        for series, column in ((HELD, "n"), (NOT_KNOWN, "not_said"), (NOT_HELD, "not_held"))
    ]  # fmt: skip
    subtitle = f"Parts held in teams on {words.day(programme.as_of)}, {programme.title}"
    return charts.marks(pieces, headline=headline, subtitle=subtitle, x_axis="% of teams")


def _cautions(members: pd.DataFrame, parts: list[str], roles: Sequence[str] | None) -> list[Sentence]:
    said = ["That somebody holds a part does not say that they come, or that they can speak for others."]
    used = sorted(members["part"].dropna().unique())
    unknown = [part for part in parts if part not in used]
    if unknown:
        not_held, held = (words.listed(some) for some in (unknown, used))
        said.append(f"Nobody's part is written as {not_held}; the parts written are {held}.")
    if roles is None:
        said.append("Nobody said which parts a team needs, so every part that anybody holds is counted.")
    blank = int(members["part"].isna().sum())
    if blank:
        said.append("Where a member's part is blank, a part not seen in that team counts as not recorded.")
    return [Sentence(text) for text in [*said, SIGN_RULE]]
