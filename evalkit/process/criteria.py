"""Does each intervention meet the five useful criteria, and is it fully described?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, register, words
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "Does each intervention meet the five useful criteria, and is it fully described?"
METHOD = Method(
    name="Counts of interventions: each criterion met, each part of the description written, success agreed beforehand",
    source="Developing Systems Leadership: Interventions, Options and Opportunities: Useful Criteria, Start Anywhere "
    "(who, what, where, for what purpose), and measures of success described when agreed with the recipients.",
    assumes="Each intervention was written down once, and yes or no to a criterion means the same for all of them.",
    design=Design.DESCRIBED,
)
DESCRIBED = {
    "who": "Says who it is for",
    "what": "Says what is to be worked on",
    "where": "Says in what place",
    "purpose": "Says for what purpose",
}
"""The four parts of a description (Start Anywhere), by their columns."""
AGREEMENT = ("agreed_success", "agreed_with", "agreed_on")
"""What an agreement on success holds: what, with whom, and when."""
WHOLE = "Says who, what, where and purpose"
AGREED = "Success agreed, with whom and when"
BEFORE = "Success agreed before the first session"
SIGN_RULE = (
    "Signs: every intervention meets it: working; fewer than half do: not working; between the two: uncertain; "
    "nothing written for any: not recorded. This is a judgement, not a rule of the source."
)
CHECKED = ("said_no", "not_said")
"""Columns beside `n` (yes): how many say no, and for how many it was not recorded."""


def criteria(programme: Programme) -> Result:
    """Does each intervention meet the five useful criteria, and is it fully described?

    Needs: `interventions`; `sessions` with the same menu code, to see whether success was agreed before the first of
    them was held. A criterion left blank is not recorded, which is neither yes nor no. Agreed on the day of the first
    session is not before it. Sessions of another place or team than the intervention's are not its own.
    Columns: n (yes), out_of, said_no, not_said; for each intervention `open_points` in words.
    Errors: `NotEnoughEvidence` when no intervention was written down.

    >>> import evalkit as ek
    >>> found = criteria(ek.load("sample_data/northmere")).table
    >>> found.loc[found["measure"] == "Says who, what, where and purpose", ["n", "out_of"]].to_numpy().tolist()
    [[6, 6]]
    """
    if programme.interventions.empty:
        raise register.not_recorded(
            QUESTION,
            "No intervention was written down.",
            "interventions.csv: one row an intervention, with who, what, where and purpose, yes or no to each of the "
            "five criteria, and the success agreed, with whom and when.",
        )
    labels = _criteria(programme)
    checks = _checks(programme, labels)
    table = register.table(_rows(programme, checks, labels), extras=(*CHECKED, "open_points"))
    every = {str(row["measure"]): row for row in table[table["group"] == ALL].to_dict("records")}
    meets = every[_all_met(labels)]
    headline = Sentence(
        f"All {len(labels)} useful criteria: met by {words.of(meets['n'], meets['out_of'])} interventions",
        rows=_at(table, _all_met(labels)),
    )
    return register.counted(
        programme,
        "process.criteria()",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(table, every, labels),
        table=table,
        marks=_marks(programme, table, headline.text),
        chart="shares",
        method=METHOD,
        cautions=_cautions(programme, checks),
        n=meets["n"],
        of=meets["out_of"],
        counts="interventions",
    )


def _criteria(programme: Programme) -> dict[str, str]:
    """The criteria the table can answer, by column; a menu of the folder's own may name more."""
    held = programme.interventions.columns
    return {key: label for key, label in programme.menus["criteria"].labels.items() if key in held}


def _all_met(labels: dict[str, str]) -> str:
    return f"Meets all {len(labels)}"


def _checks(programme: Programme, labels: dict[str, str]) -> pd.DataFrame:
    """A row an intervention, a column a check: True, False, or missing where nobody wrote it (or it is not due)."""
    held = programme.interventions.reset_index(drop=True)
    later = ~register.by_now(programme, held["agreed_on"])
    held = held.assign(**{name: held[name].mask(later) for name in AGREEMENT})  # not agreed by then
    met = held[[*labels]].astype("boolean")
    written = held[[*DESCRIBED]].notna().astype("boolean")
    first = held.apply(lambda row: _first_session(programme, row), axis="columns").astype("datetime64[ns]")
    agreed = held[[*AGREEMENT]].notna().all(axis="columns").astype("boolean")
    before = (held["agreed_on"] < first).astype("boolean").mask(held["agreed_on"].isna() | first.isna())
    checks = met.rename(columns=labels)
    refused = (~met).fillna(False).any(axis="columns")
    checks[_all_met(labels)] = met.fillna(False).all(axis="columns").where(refused | met.notna().all(axis="columns"))
    checks = checks.join(written.where(written).rename(columns=DESCRIBED))
    checks[WHOLE] = written.all(axis="columns").where(written.all(axis="columns"))
    checks[AGREED] = agreed.where(agreed)
    checks[BEFORE] = before
    return checks.assign(held=first.notna())


def _first_session(programme: Programme, intervention: pd.Series[Any]) -> pd.Timestamp | Any:
    """The day of the first session of the same menu code, up to the day the data speak of; missing where none was."""
    sessions = programme.sessions
    its = (sessions["intervention"] == intervention["menu_code"]) & sessions["held_on"].notna()
    for where in ("place_id", "team_id"):
        if pd.notna(intervention[where]):
            its &= sessions[where].isna() | (sessions[where] == intervention[where])
    return sessions.loc[its & (sessions["held_on"] <= pd.Timestamp(programme.as_of)), "held_on"].min()


def _rows(programme: Programme, checks: pd.DataFrame, labels: dict[str, str]) -> list[dict[str, Any]]:
    """A row a check for all, then a row an intervention with what is still open, by its label."""
    asks = {
        _all_met(labels): "{n} of {out_of} interventions are written down as meeting all of the criteria: which of the "
        "others do we still want, and what is missing for each?",
        WHOLE: "Who, what, where and purpose are all written for {n} of {out_of} interventions: whom can we ask about "
        "the rest?",
        BEFORE: "Success was agreed before the first session for {n} of {out_of} interventions that were held: what "
        "would those who take part in the others call success?",
    }
    rows = [_check(measure, checks, asks.get(measure, "")) for measure in map(str, checks.drop(columns="held"))]
    return [*rows, *_open(programme, checks.drop(columns=["held", _all_met(labels), WHOLE]))]


def _check(measure: str, checks: pd.DataFrame, ask: str) -> dict[str, Any]:
    """One check over the interventions it is due for: for the order of agreement, those that were held."""
    said = checks.loc[checks["held"], measure] if measure == BEFORE else checks[measure]
    yes, no, due = int(said.sum()), int((~said).sum()), len(said)
    of = "interventions held" if measure == BEFORE else "interventions"
    row = register.share(
        measure, ALL, yes, due, of=of, n_of="interventions", said_no=no, not_said=due - yes - no, open_points=""
    )
    if not ask or not due:
        return row
    sign = register.sign_of(yes, due) if yes + no else Sign.NOT_RECORDED
    return register.signed(row, sign, "" if yes == due else ask.format(n=yes, out_of=due))


def _open(programme: Programme, checks: pd.DataFrame) -> list[dict[str, Any]]:
    """A row an intervention: how many points are open, and which; each is one thing to ask."""
    held, menu = programme.interventions.reset_index(drop=True), programme.menus["interventions"].labels
    named = held["menu_code"].map(menu).fillna("Not on the menu")
    named = named.where(~named.duplicated(keep=False), named + " (" + held["intervention_id"] + ")")
    rows = []
    order = named.sort_values(kind="stable")
    for name, (_, said) in zip(order, checks.loc[order.index].iterrows(), strict=True):
        no = [measure for measure, yes in said.items() if pd.notna(yes) and not yes]
        blank = [measure for measure, yes in said.items() if pd.isna(yes) and measure != BEFORE]
        open_points = [*(f"{measure}: no" for measure in no), *(f"{measure}: {register.NOT_SAID}" for measure in blank)]
        rows.append(
            register.row(
                "Open points", str(name), n=len(open_points), unit="points", n_of="points", said_no=len(no),
                not_said=len(blank), open_points="; ".join(open_points) or "none",
            )
        )  # fmt: skip
    return rows


def _at(table: pd.DataFrame, *measures: str) -> tuple[int, ...]:
    return tuple(table.index[(table["group"] == ALL) & table["measure"].isin(measures)])


def _sentences(table: pd.DataFrame, every: Mapping[str, dict[Any, Any]], labels: dict[str, str]) -> list[Sentence]:
    meets, whole, agreed, before = (every[measure] for measure in (_all_met(labels), WHOLE, AGREED, BEFORE))
    first = f"All {len(labels)} useful criteria: met by {words.of(meets['n'], meets['out_of'])} interventions"
    rest = {"no to at least one": meets["said_no"], "no answer to at least one": meets["not_said"]}
    others = [f"{what}: {n}" for what, n in rest.items() if n]
    said = [Sentence(f"{'; '.join([first, *others])}.", rows=_at(table, _all_met(labels)))]
    gaps = [_gap(every[label]) for label in labels.values() if every[label]["n"] < every[label]["out_of"]]
    if gaps:
        said.append(Sentence(f"Open, by criterion: {words.listed(gaps)}.", rows=_at(table, *labels.values())))
    text = (
        f"Who, what, where and purpose are all written for {words.of(whole['n'], whole['out_of'])}; "
        f"success was agreed, with whom and when, for {words.of(agreed['n'], agreed['out_of'])}."
    )
    said.append(Sentence(text, rows=_at(table, WHOLE, AGREED)))
    if before["out_of"]:
        late = {"not before it": before["said_no"], "on no recorded day": before["not_said"]}
        parts = [f"{what} for {n}" for what, n in late.items() if n]
        held = words.counted(before["out_of"], "intervention")
        text = f"Of {held} already held, success was agreed before the first session for {before['n']}"
        said.append(Sentence(f"{', '.join([text, *parts])}.", rows=_at(table, BEFORE)))
    return said


def _gap(row: dict[Any, Any]) -> str:
    """A criterion with how many say no or nothing."""
    held = {"no": row["said_no"], register.NOT_SAID: row["not_said"]}
    return f"{row['measure']} ({', '.join(f'{what} for {n}' for what, n in held.items() if n)})"


def _marks(programme: Programme, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar a check, cut into yes, not recorded (the pale middle of the colours) and no."""
    shown = table[(table["group"] == ALL) & (table["out_of"] > 0)]
    pieces = [
        {"mark": "share", "series": series, "x": row["measure"],
         "y": 100 * row[column] / row["out_of"], "label": str(row[column]), "n": row["out_of"], "row": at}
        for at, row in shown.to_dict("index").items()
        for series, column in (("No", "said_no"), ("Not recorded", "not_said"), ("Yes", "n"))
    ]  # fmt: skip
    subtitle = f"Interventions written down, {programme.title}"
    return charts.marks(pieces, headline=headline, subtitle=subtitle, x_axis="% of interventions")


def _cautions(programme: Programme, checks: pd.DataFrame) -> list[Sentence]:
    said = ["These are answers of those who plan the work; nobody else checked them here."]
    held = programme.interventions.reset_index(drop=True)
    unheld = int((~checks["held"]).sum())
    if unheld:
        said.append(
            f"No session was recorded for {words.of(unheld, len(held))} interventions, so whether their success was "
            "agreed beforehand is not asked of them."
        )
    codes = held["menu_code"].dropna()
    if codes.duplicated().any():
        said.append("Interventions with one menu code share their sessions unless place or team tells them apart.")
    beyond = [label for key, label in programme.menus["criteria"].labels.items() if key not in held.columns]
    if beyond:
        named = words.listed(beyond)
        said.append(f"On this programme's own menu, and in no column that could be counted: {named}.")
    said.append("Meeting a criterion says that it was worth offering, not that it works.")
    return [Sentence(text) for text in [*said, SIGN_RULE]]
