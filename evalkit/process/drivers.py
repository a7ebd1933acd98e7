"""Do leaders' own organisations back new ways of leading?"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.register import Window
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign, Step

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "Do leaders' own organisations back new ways of leading?"
METHOD = Method(
    name="Counts of organisations in which each driver was there, at the latest look and at the first",
    source="Kirkpatrick's required drivers (reinforce, monitor, encourage, reward); selection, reward and recognition "
    "systems: Fillingham and Weir, System leadership, The King's Fund 2014, lesson 8.",
    assumes="Whoever looked asked the same of each organisation and at each look.",
    design=Design.DESCRIBED,
)
KINDS = {"reinforce": "Reinforce", "monitor": "Monitor", "encourage": "Encourage", "reward": "Reward"}
TOGETHER = "All four drivers"
LOST = "There at the first look and gone"
UNSEEN = "Leaders' organisations looked at"
LATEST, FIRST_LOOK = "latest look", "first look"
EXTRAS = ("by", "gained", "lost", "same", "seen_once")
"""Columns: which look; and, of those seen at two looks, how many drivers are new, gone or the same; seen once only."""
SIGN_RULE = (
    "Signs: every driver there at the latest look: working; fewer than half: not working; between the two, or any gone "
    "since the first look: uncertain; an organisation nobody looked at: not recorded. This is a judgement."
)


def drivers(programme: Programme, *, since: date | None = None, until: date | None = None) -> Result:
    """Do leaders' own organisations back new ways of leading?

    Needs: `drivers`: one row an organisation, kind and day of looking; `people` and `participants`, to know whose
    organisations nobody looked at. The latest look in the window, against the first ever. An organisation not looked
    at is not recorded, which is not the same as no driver. A driver that is there is not yet one that leaders notice.
    Columns: by (which look), out_of (looked at), gained, lost, same, seen_once. Organisations by name, in the order of
    the alphabet.
    Errors: `NotEnoughEvidence` when nobody looked in the window.

    >>> import evalkit as ek
    >>> found = drivers(ek.load("sample_data/northmere")).table
    >>> found.loc[found["measure"] == "Encourage", ["by", "n", "out_of"]].to_numpy().tolist()
    [['latest look', 5, 12], ['first look', 10, 12]]
    """
    span = register.window(programme, since, until)
    looks = _looks(programme, span)
    if looks.empty:
        raise register.not_recorded(
            QUESTION,
            "Nobody looked at what leaders' own organisations do in the time asked about.",
            "drivers.csv: for each organisation and day of looking, whether it reinforces, monitors, encourages and "
            "rewards new ways of leading.",
        )
    employing = _employing(programme, span)
    table = register.table(_rows(programme, looks, employing), extras=EXTRAS)
    whole = table.loc[_at(table, TOGETHER)[0]].to_dict()
    headline = Sentence(f"{words.of(whole['n'], whole['out_of'])} drivers looked for were there", _at(table, TOGETHER))
    organisations = set(looks["organisation_id"])
    return register.counted(
        programme,
        f"process.drivers({span.asked})",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(table, looks),
        table=table,
        marks=_marks(programme, table, span, headline.text),
        chart="profile",
        method=METHOD,
        cautions=_cautions(programme, looks, span),
        n=len(organisations),
        of=len(organisations | employing),
        counts="organisations",
        step=Step.BEHAVIOUR,
    )


def _looks(programme: Programme, span: Window) -> pd.DataFrame:
    """A row an organisation and kind: there at the latest look in the window, and at its first where that was before.

    `was` is missing where it was seen once only.
    """
    dated = programme.drivers.sort_values("observed_on", kind="stable")
    key = ["organisation_id", "kind"]
    latest = dated[span.holds(dated["observed_on"])].drop_duplicates(key, keep="last")
    first = dated.drop_duplicates(key).rename(columns={"present": "was", "observed_on": "first_on"})
    looks = latest.merge(first[[*key, "was", "first_on"]], on=key)
    again = looks["first_on"] < looks["observed_on"]
    return looks.assign(was=looks["was"].astype("boolean").where(again), first_on=looks["first_on"].where(again))


def _employing(programme: Programme, span: Window) -> set[str]:
    """The organisations those who take part worked for on the last day of the window."""
    taking_part = circumstances.taking_part(programme)["participant_id"]
    return set(programme.organisations_on(span.until).reindex(taking_part).dropna())


def _rows(programme: Programme, looks: pd.DataFrame, employing: set[str]) -> list[dict[str, Any]]:
    """A row a driver and look, all of them together, what was lost, who was not looked at, then the organisations."""
    rows = []
    for kind, label in KINDS.items():
        held = looks[looks["kind"] == kind]
        if len(held):
            rows += _both(label, held, of="organisations looked at", n_of="organisations")
    rows += _talked_about(_both(TOGETHER, looks, of="drivers looked for", n_of="drivers"))
    unseen = employing - set(looks["organisation_id"])
    row = register.share(
        UNSEEN, ALL, len(employing) - len(unseen), len(employing), of="organisations of those who take part",
        n_of="organisations", **_moves(looks.head(0)), by="",
    )  # fmt: skip
    if unseen:
        ask = f"In {words.of(len(unseen), len(employing))} of leaders' organisations nobody has looked: who could ask?"
        row = register.signed(row, Sign.NOT_RECORDED, ask)
    return [*rows, row, *_organisations(programme, looks, unseen)]


def _both(measure: str, held: pd.DataFrame, *, of: str, n_of: str) -> list[dict[str, Any]]:
    """The latest look, and the first of those seen before it."""
    now = register.share(
        measure, ALL, int(held["present"].sum()), len(held), of=of, n_of=n_of, **_moves(held), by=LATEST
    )
    twice = held[held["was"].notna()]
    if twice.empty:
        return [now]
    was = register.share(
        measure, ALL, int(twice["was"].sum()), len(twice), of=of, n_of=n_of, **_moves(held.head(0)), by=FIRST_LOOK
    )
    return [now, was]


def _moves(held: pd.DataFrame) -> dict[str, int]:
    """How many are new, gone or the same since the first look, and how many were seen once only."""
    twice = held[held["was"].notna()]
    now, was = twice["present"].astype(bool), twice["was"].astype(bool)
    return {"gained": int((now & ~was).sum()), "lost": int((was & ~now).sum()), "same": int((now == was).sum()),
            "seen_once": len(held) - len(twice)}  # fmt: skip


def _talked_about(together: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All drivers together with how they look (SIGN_RULE), and those lost since the first look."""
    now, *was = together
    n, looked_for, lost = now["n"], now["out_of"], now["lost"]
    ask = (
        f"Of {looked_for} signs that organisations back their leaders, {n} were there: which would help leaders most, "
        "and who decides it?"
    )
    now = register.signed(now, register.sign_of(n, looked_for), "" if n == looked_for else ask)
    if not was:
        return [now]
    there = was[0]["n"]
    gone = register.share(
        LOST, ALL, lost, there, of="drivers there at the first look", n_of="drivers", gained=0, lost=lost, same=0,
        seen_once=0, by="",
    )  # fmt: skip
    if lost:
        ask = (
            f"{words.of(lost, there)} drivers there at the first look are gone ({now['gained']} are new): what changed?"
        )
        gone = register.signed(gone, Sign.UNCERTAIN, ask)
    return [now, *was, gone]


def _organisations(programme: Programme, looks: pd.DataFrame, unseen: set[str]) -> list[dict[str, Any]]:
    """A row an organisation, by name: how many of the drivers looked for were there, where somebody looked."""
    named = programme.organisations.set_index("organisation_id")["name"]
    rows = []
    for organisation, held in looks.groupby("organisation_id"):
        rows.append(
            register.share(
                "Drivers there", str(named[organisation]), int(held["present"].sum()), len(held),
                of="drivers looked for", n_of="drivers", **_moves(held), by=LATEST,
            )
        )  # fmt: skip
    for organisation in unseen:
        rows.append(
            register.row(
                "Drivers there", str(named[organisation]), n=None, unit="% of drivers looked for", n_of="drivers",
                **_moves(looks.head(0)), by=LATEST, out_of=0,
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: str(row["group"]).casefold())


def _at(table: pd.DataFrame, *measures: str) -> tuple[int, ...]:
    return tuple(int(at) for at in table.index[table["measure"].isin(measures) & (table["group"] == ALL)])


def _sentences(table: pd.DataFrame, looks: pd.DataFrame) -> list[Sentence]:
    latest, days = table[(table["by"] == LATEST) & (table["group"] == ALL)], looks["observed_on"]
    kinds = latest[latest["measure"].isin(KINDS.values())].to_dict("records")
    shares = [f"{row['measure'].lower()} {words.of(row['n'], row['out_of'])}" for row in kinds]
    first = (
        f"There at the latest look (to {words.day(days.max())}), of organisations looked at: {words.listed(shares)}."
    )
    said = [Sentence(first, rows=_at(table, *KINDS.values()))]
    whole = table.loc[_at(table, TOGETHER)[0]].to_dict()
    twice = whole["out_of"] - whole["seen_once"]
    if twice:
        since = words.day(looks["first_on"].min())
        text = (
            f"Of {words.counted(twice, 'driver')} looked for twice, first from {since}: {whole['gained']} new, "
            f"{whole['lost']} gone, {whole['same']} the same."
        )
        said.append(Sentence(text, rows=_at(table, TOGETHER, LOST)))
    else:
        said.append(Sentence("Nobody looked twice, so nothing is set against an earlier look.", _at(table, TOGETHER)))
    seen = table.loc[_at(table, UNSEEN)[0]].to_dict()
    if seen["out_of"]:
        text = f"Somebody looked in {words.of(seen['n'], seen['out_of'])} organisations of those who take part."
        said.append(Sentence(text, rows=_at(table, UNSEEN)))
    return said


def _marks(programme: Programme, table: pd.DataFrame, span: Window, headline: str) -> pd.DataFrame:
    """A row a driver, a dot a look."""
    shown = table[table["measure"].isin(KINDS.values()) & (table["group"] == ALL)]
    shown = shown.sort_values("by", key=lambda by: by != FIRST_LOOK, kind="stable")
    points: list[dict[str, Any]] = [
        {"mark": "point", "series": row["by"], "x": row["measure"], "y": row["estimate"], "n": row["n"], "row": at}
        for at, row in shown.to_dict("index").items()
    ]
    points.append({"mark": "scale", "low": 0, "high": 100})
    subtitle = f"Drivers in leaders' own organisations, {programme.title}, {span.words}"
    return charts.marks(points, headline=headline, subtitle=subtitle, x_axis="% of organisations looked at")


def _cautions(programme: Programme, looks: pd.DataFrame, span: Window) -> list[Sentence]:
    said = ["That a driver is there was judged by whoever looked; whether leaders notice it is not said."]
    if looks["was"].notna().any():
        said.append("A look at another time may be by another reader: small differences may be that.")
    seen = [str(organisation) for organisation in looks["organisation_id"].unique()]
    merged = [one for one in seen if programme.successor(one, span.until) != one]
    if merged:
        held = words.counted(len(merged), "organisation")
        said.append(
            f"{words.sentence_case(held)} looked at has since become part of another and stands as it was seen."
        )
    return [Sentence(text) for text in [*said, SIGN_RULE]]
