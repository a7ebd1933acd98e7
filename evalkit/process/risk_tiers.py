"""How far does the work reach people at most risk?"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.register import Window
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "How far does the work reach people at most risk?"
METHOD = Method(
    name="Share of the people of each tier of risk whom the programme reaches, over places, at the latest count",
    source="Fillingham and Weir, System leadership, The King's Fund 2014: risk stratification and self-management "
    "support; coverage is people reached of people in the tier.",
    assumes="Each place counts everybody in the tier, and by the same rule at every count.",
    design=Design.DESCRIBED,
)
LATEST, FIRST_COUNT, MATCHED = "latest count", "first count", "latest count, places counted twice"
COUNTED = "Places that counted"
SIGN_RULE = "Sign: where a place has not counted, that is not recorded; how far the work should reach is not judged."


def risk_tiers(programme: Programme, *, since: date | None = None, until: date | None = None) -> Result:
    """How far does the work reach people at most risk?

    Needs: `risk_tiers`: a row a place, day of counting and tier. The latest count of each place in the window, against
    its first ever. Everybody in the tier is counted, so no interval is given. A blank `reached` is not recorded: that
    place and tier is left out of both numbers. Tiers stand in the order of the file, and are not known to be ordered.
    Columns: by (which count), places (that stand behind the row), not_said (places counted, reached left blank),
    not_counted (places without a count of the tier).
    Errors: `NotEnoughEvidence` when nobody counted in the window, or who is reached was never recorded.

    >>> import evalkit as ek
    >>> found = risk_tiers(ek.load("sample_data/northmere")).table
    >>> found.loc[found["by"] == "latest count", "measure"].tolist()
    ['Reached: top 2%', 'Reached: next 3%', 'Reached: next 15%']
    """
    span = register.window(programme, since, until)
    counts = _counts(programme, span)
    if not counts.loc[counts["reached"].notna(), "people"].sum():
        raise register.not_recorded(
            QUESTION,
            "In no place of the programme was it counted how many people of a tier are reached.",
            "risk_tiers.csv: for each place and day of counting, the people in each tier and how many are reached.",
        )
    places = concerned(programme, set(counts["place_id"]))
    rows = _rows(counts, places, programme.minimum_group)
    table = register.table(rows, extras=("by", "places", "not_said", "not_counted"))
    latest = table[(table["by"] == LATEST) & table["estimate"].notna()]
    top, row = latest.index[0], latest.to_dict("records")[0]
    headline = Sentence(f"{words.sentence_case(_tier(row))}: {_share(row)} reached", rows=(int(top),))
    return register.counted(
        programme,
        f"process.risk_tiers({span.asked})",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(table, counts),
        table=table,
        marks=_marks(programme, table, span, headline.text),
        chart="profile",
        method=METHOD,
        cautions=_cautions(programme, counts, table),
        n=counts["place_id"].nunique(),
        of=len(places),
        counts="places",
    )


def concerned(programme: Programme, seen: set[str]) -> set[str]:
    """The programme's places that could have been seen: those of a kind of which any was, and any that was.

    A larger place that others are parts of is not missing where people look at its parts.
    """
    places = programme.places[~programme.places["place_id"].isin(circumstances.comparison_places(programme))]
    kinds = places["kind"].fillna("")
    return seen | set(places.loc[kinds.isin(set(kinds[places["place_id"].isin(seen)])), "place_id"])


def _counts(programme: Programme, span: Window) -> pd.DataFrame:
    """A row a programme place and tier: its latest count in the window, and its first where that was another day."""
    held = programme.risk_tiers
    held = held[~held["place_id"].isin(circumstances.comparison_places(programme))]
    held = held.assign(tier=pd.Categorical(held["tier"], held["tier"].unique()))
    dated = held.sort_values(["tier", "place_id", "counted_on"], kind="stable")
    latest = dated[span.holds(dated["counted_on"])].drop_duplicates(["place_id", "tier"], keep="last")
    first = dated.drop_duplicates(["place_id", "tier"])
    both = latest.merge(first, on=["place_id", "tier"], suffixes=("", "_first"), sort=False)
    again = both["counted_on_first"] < both["counted_on"]
    for name in ("people_first", "reached_first"):
        both[name] = both[name].where(again)
    return both.assign(twice=again & both["reached"].notna() & both["reached_first"].notna())


def _rows(counts: pd.DataFrame, places: set[str], minimum: int) -> list[dict[str, Any]]:
    """A row a tier and count, then how many places counted. The matched latest only where it differs."""
    rows = []
    for tier, held in counts.groupby("tier", observed=True, sort=True):
        told = held[held["reached"].notna()]
        unseen = {"not_said": len(held) - len(told), "not_counted": len(places) - len(held)}
        rows.append(_row(str(tier), told, "", by=LATEST, **unseen))
        twice = held[held["twice"]]
        if len(twice) and not _told_by_once(told, minimum):
            rows.append(_row(str(tier), twice, "_first", by=FIRST_COUNT, not_said=0, not_counted=0))
        if 0 < len(twice) < len(told) and not _told_by_once(told, minimum):
            rows.append(_row(str(tier), twice, "", by=MATCHED, not_said=0, not_counted=0))
    counted, whole = counts["place_id"].nunique(), len(places)
    row = register.share(
        COUNTED, ALL, counted, whole, of="places", n_of="places", by="", places=counted, not_said=0,
        not_counted=whole - counted,
    )  # fmt: skip
    if counted < whole:
        ask = f"{words.of(whole - counted, whole)} places have not counted whom they reach: what would they need to?"
        row = register.signed(row, Sign.NOT_RECORDED, ask)
    return [*rows, row]


def _told_by_once(told: pd.DataFrame, minimum: int) -> bool:
    """Whether very few people are reached, or not, in the places counted once only: those counted twice, taken from all
    places, would tell how many."""
    once = told[~told["twice"]]
    reached, others = int(once["reached"].sum()), int((once["people"] - once["reached"]).sum())
    return 0 < reached < minimum or 0 < others < minimum


def _row(tier: str, held: pd.DataFrame, which: str, **said: Any) -> dict[str, Any]:
    reached, people = int(held[f"reached{which}"].sum()), int(held[f"people{which}"].sum())
    return register.share(
        f"Reached: {tier}", ALL, reached, people, of="people in the tier", n_of="people", places=len(held), **said
    )


def _tier(row: dict[Any, Any]) -> str:
    return str(row["measure"]).removeprefix("Reached: ")


def _share(row: dict[Any, Any]) -> str:
    """So many of so many, and in every 100."""
    return f"{words.of(row['n'], row['out_of'])} ({words.number(row['estimate'], 0)}%)"


def _sentences(table: pd.DataFrame, counts: pd.DataFrame) -> list[Sentence]:
    """Each tier at the latest count; the same places at their first count; how many places counted."""
    latest = table[(table["by"] == LATEST) & table["estimate"].notna()]
    days = counts.loc[counts["reached"].notna(), "counted_on"]
    shares = [f"{_tier(row)} {_share(row)}" for row in latest.to_dict("records")]
    said = [Sentence(f"Reached at the latest count ({_days(days)}): {words.listed(shares)}.", rows=_at(latest))]
    matched = table["by"].isin([LATEST, MATCHED, FIRST_COUNT]) & table["estimate"].notna()
    moved = [(rows.iloc[0], rows.iloc[-1], rows.index) for rows in _pairs(table[matched])]
    if moved:
        text = [f"{_tier(dict(was))} {was['estimate']:.0f}% then, {now['estimate']:.0f}% now" for was, now, _ in moved]
        first = counts.loc[counts["twice"], "counted_on_first"]
        rests_on = tuple(int(at) for *_, index in moved for at in index)
        said.append(Sentence(f"In the places counted twice (first {_days(first)}): {words.listed(text)}.", rests_on))
    at = table.index[table["measure"] == COUNTED][0]
    whole = table.loc[at].to_dict()
    return [*said, Sentence(f"{words.of(whole['n'], whole['out_of'])} places counted.", rows=(int(at),))]


def _pairs(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Of each tier counted twice, its first row and the latest one of the same places."""
    order = {FIRST_COUNT: 0, LATEST: 1, MATCHED: 2}
    found = []
    for _, rows in table.groupby("measure", sort=False):
        if FIRST_COUNT in set(rows["by"]):
            found.append(rows.sort_values("by", key=lambda by: by.map(order)).iloc[[0, -1]])
    return found


def _days(days: pd.Series[pd.Timestamp]) -> str:
    """A day, or the first and last of several."""
    first, last = days.min(), days.max()
    return words.day(first) if first == last else f"{words.day(first)} to {words.day(last)}"


def _at(rows: pd.DataFrame) -> tuple[int, ...]:
    return tuple(int(at) for at in rows.index)


def _marks(programme: Programme, table: pd.DataFrame, span: Window, headline: str) -> pd.DataFrame:
    """A row a tier, a dot a count; where some places counted once only, the latest of those counted twice too."""
    shown = table[table["by"].isin([LATEST, FIRST_COUNT, MATCHED]) & table["estimate"].notna()]
    shown = shown.sort_values("by", key=lambda by: by != FIRST_COUNT, kind="stable")
    points: list[dict[str, Any]] = [
        {"mark": "point", "series": row["by"], "x": _tier(row), "y": row["estimate"], "n": row["n"], "row": at}
        for at, row in shown.to_dict("index").items()
    ]
    points.append({"mark": "scale", "low": 0, "high": 100})
    subtitle = f"Tiers of risk, {programme.title}, {span.words}"
    return charts.marks(points, headline=headline, subtitle=subtitle, x_axis="% of people in the tier who are reached")


def _cautions(programme: Programme, counts: pd.DataFrame, table: pd.DataFrame) -> list[Sentence]:
    said = ["Reached is as each place counts it; what the work is for those reached is not said here."]
    blank = int(counts["reached"].isna().sum())
    if blank:
        held = words.counted(blank, "count")
        said.append(
            f"In {held} of a place and tier who is reached was left blank: not recorded, and not taken as none."
        )
    if (table["by"] == MATCHED).any():
        said.append("Some places counted once only: then and now are compared in those that counted twice.")
    seen_twice = counts[counts["reached"].notna()].groupby("tier", observed=True)
    if any(held["twice"].any() and _told_by_once(held, programme.minimum_group) for _, held in seen_twice):
        said.append("Then is not set beside now where it would tell of very few people in the places counted once.")
    elsewhere = programme.risk_tiers["place_id"].isin(circumstances.comparison_places(programme))
    if elsewhere.any():
        said.append("Counts of places to compare with are left out.")
    said.append("Everybody in a tier is counted, so there is no sampling interval; who stands in a tier changes.")
    return [Sentence(text) for text in [*said, SIGN_RULE]]
