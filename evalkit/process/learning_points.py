"""How much of what the sources advise is in place?"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.errors import Refused
from evalkit.process.risk_tiers import concerned
from evalkit.register import Window
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.menu import Menu
    from evalkit.programme import Programme

QUESTION = "How much of what the sources advise is in place?"
FORMS = ("absent", "partly", "in_place")
"""What an observer writes of each point, from the least to the most."""
DIFFER, UNSEEN = "differ", "not_looked_at"
STATES = {"absent": "Absent", DIFFER: "Readers differ", UNSEEN: "Not looked at", "partly": "Partly",
          "in_place": "In place"}  # fmt: skip
"""What is known of a point in a place, in the order it is drawn: not looked at is the pale middle of the colours."""
COUNTS = ("partly", "absent", DIFFER, UNSEEN, "more", "less")
"""Columns beside n (in place): the other states, and how many are more or less in place than at the first look."""
SAME_LOOK = pd.Timedelta(days=92)
"""Readers who looked within a quarter of each other saw the same time; a reader of longer before is not set against
one of now (judgement)."""
GATE = "will_built"
"""The first of the ten lessons: the will comes before the rest, so it is asked as a gate (Fillingham and Weir 2014)."""
LESS = "Less in place than at the first look"
NOT_SEEN = "Not looked at"
SIGN_RULE = (
    "Signs: in place wherever somebody looked: working; in less than half: not working; between the two: uncertain; "
    "not looked at: not recorded. This is a judgement, not a rule of the source."
)


def learning_points(
    programme: Programme, *, on: str = "learning_points", since: date | None = None, until: date | None = None
) -> Result:
    """How much of what the sources advise is in place?

    Needs: `observations` of the entries of the menu `on` (learning_points, lessons, virtuous_triangle, or one of the
    folder's own), each absent, partly or in_place. The latest look in the window counts, against the first look ever.
    Readers who looked within a quarter and wrote different forms are counted as such and never averaged; where they
    differ, neither more nor less is said. A place nobody looked at is not recorded. `on="lessons"` asks the first
    lesson, the will for a new kind of leader, as a gate.
    Columns: phase, n (in place), out_of (looked at), partly, absent, differ, not_looked_at, more, less.
    Errors: `NotEnoughEvidence` when nobody looked in the window; `Refused` when the menu's forms are other ones;
    `ValueError` when there is no such menu.

    >>> import evalkit as ek
    >>> found = learning_points(ek.load("sample_data/northmere")).table
    >>> found.loc[found["group"] == "all", "measure"].iloc[0]
    'Theory and method blended'
    """
    menu = _menu(programme, on)
    span = register.window(programme, since, until)
    cells = _cells(programme, menu, span)
    if not (cells["now"] != UNSEEN).any():
        raise register.not_recorded(
            QUESTION,
            f"In no place of the programme did anybody look at {menu.name!r} in the time asked about.",
            f"observations.csv: for each place, entry of the menu {on!r}, reader and day: absent, partly or in_place.",
        )
    table = register.table(_rows(programme, menu, cells), extras=("phase", *COUNTS))
    whole = _row_of(table, "All points")
    headline = Sentence(
        f"{menu.name}: {words.of(whole['n'], whole['out_of'])} findings are in place",
        rows=_at(table, "All points"),
    )
    seen = cells.loc[cells["now"] != UNSEEN, "place_id"].nunique()
    return register.counted(
        programme,
        f"process.learning_points({', '.join(part for part in (f'on={on!r}', span.asked) if part)})",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(table, cells, menu),
        table=table,
        marks=_marks(programme, menu, table, span, headline.text),
        chart="shares",
        method=_method(menu),
        cautions=_cautions(programme, cells, menu),
        n=seen,
        of=cells["place_id"].nunique(),
        counts="places",
    )


def _menu(programme: Programme, on: str) -> Menu:
    """The menu asked about, whose forms are steps from absent to in place."""
    known = sorted(name for name, menu in programme.menus.items() if set(menu.forms) == set(FORMS))
    if on not in programme.menus:
        raise ValueError(f"No menu is called {on!r}. Menus an observer writes of: {words.listed(known)}.")
    menu = programme.menus[on]
    if set(menu.forms) != set(FORMS):
        kinds = f"An observer writes {words.listed([*menu.forms])}" if menu.forms else "No observer writes"
        raise Refused(
            f"{kinds} of {menu.name!r}, and neither absent, partly nor in place: how much of it is in place is no "
            f"question there. Ask it of {words.listed(known)}."
        )
    return menu


def _method(menu: Menu) -> Method:
    return Method(
        name="Counts of places where each point is in place, partly or absent, at the latest look",
        source=menu.source,
        assumes="Readers mean the same by in place, partly and absent, and those who looked knew the place.",
        design=Design.DESCRIBED,
    )


def _cells(programme: Programme, menu: Menu, span: Window) -> pd.DataFrame:
    """A row a place of the programme and point: the state now, the state at first, and whether the readers are other.

    `now`: a form, `differ` or `not_looked_at`. `was`: a form, `differ`, or missing where there was no earlier look.
    """
    held = programme.observations
    elsewhere = held["place_id"].isin(circumstances.comparison_places(programme))
    held = held[held["feature"].isin(menu.labels) & ~elsewhere & (held["observed_on"] <= pd.Timestamp(span.until))]
    looks = dict(iter(held.groupby(["place_id", "feature"])))
    places = sorted(concerned(programme, set(held["place_id"]))) if len(held) else []
    return pd.DataFrame(
        [_cell(place, entry, looks.get((place, entry)), span) for place in places for entry in menu.labels],
        columns=["place_id", "feature", "now", "was", "on", "readers", "other_readers"],
    )


def _cell(place: str, entry: str, looks: pd.DataFrame | None, span: Window) -> dict[str, Any]:
    cell: dict[str, Any] = {"place_id": place, "feature": entry, "now": UNSEEN, "was": None, "on": pd.NaT,
                            "readers": 0, "other_readers": False}  # fmt: skip
    now = None if looks is None else looks[span.holds(looks["observed_on"])]
    if looks is None or now is None or now.empty:
        return cell
    day, first = now["observed_on"].max(), looks["observed_on"].min()
    latest = now[now["observed_on"] >= day - SAME_LOOK].sort_values("observed_on").drop_duplicates("coder", keep="last")
    cell |= {"now": _state(latest["form"]), "on": day, "readers": len(latest)}
    if first + SAME_LOOK < latest["observed_on"].min():
        early = looks[looks["observed_on"] <= first + SAME_LOOK].sort_values("observed_on").drop_duplicates("coder")
        cell |= {"was": _state(early["form"]), "other_readers": set(early["coder"]) != set(latest["coder"])}
    return cell


def _state(forms: pd.Series[str]) -> str:
    """The form all readers wrote; else they differ."""
    return str(forms.iloc[0]) if forms.nunique() == 1 else DIFFER


def _counted(measure: str, group: str, cells: pd.DataFrame, *, of: str, n_of: str, phase: str = "") -> dict[str, Any]:
    """In place of what was looked at, the other states beside it, and what is more or less in place than at first."""
    states = cells["now"].value_counts()
    steps = [cells[name].map({form: step for step, form in enumerate(FORMS)}) for name in ("now", "was")]
    moved = steps[0] - steps[1]
    said = {state: int(states.get(state, 0)) for state in STATES}
    seen = len(cells) - said[UNSEEN]
    row = register.share(
        measure, group, said["in_place"], seen, of=of, n_of=n_of, phase=phase,
        **{state: said[state] for state in COUNTS[:4]}, more=int((moved > 0).sum()), less=int((moved < 0).sum()),
    )  # fmt: skip
    return row if seen else {**row, "n": None}  # nobody looked: not recorded, and not none


def _rows(programme: Programme, menu: Menu, cells: pd.DataFrame) -> list[dict[str, Any]]:
    """A row a point over places; a row a phase and one for all; what needs talking about; then a row a place."""
    rows = []
    for entry in menu.entries:
        held = cells[cells["feature"] == entry.key]
        phase = menu.groups.get(entry.group, "")
        row = _counted(entry.label, ALL, held, of="places looked at", n_of="places", phase=phase)
        rows.append(_gated(row) if entry.key == GATE else row)
    grouped = {entry.key: entry.group for entry in menu.entries}
    for key, phase in menu.groups.items():
        held = cells[cells["feature"].map(grouped) == key]
        rows.append(_counted("All points of the phase", phase, held, of="findings", n_of="findings", phase=phase))
    rows += _overall(cells, gate=GATE in menu.labels)
    for place, held in _by_name(programme, cells):
        rows.append(_counted("All points of the place", place, held, of="points looked at", n_of="points"))
    return rows


def _gated(row: dict[str, Any]) -> dict[str, Any]:
    """The first lesson as a gate: a question where it is not yet in place everywhere somebody looked."""
    if not row["out_of"]:
        return row
    ask = (
        f"The will for a new kind of leader is in place in {words.of(row['n'], row['out_of'])} places looked at: are "
        "the others ready to begin, and what would they want first?"
    )
    return register.signed(row, register.sign_of(row["n"], row["out_of"]), "" if row["n"] == row["out_of"] else ask)


def _overall(cells: pd.DataFrame, *, gate: bool) -> list[dict[str, Any]]:
    """All points of all places; what was once more in place; what nobody looked at."""
    whole = _counted("All points", ALL, cells, of="findings", n_of="findings")
    n, seen, unseen, less = whole["n"], whole["out_of"], whole[UNSEEN], whole["less"]
    blank = {"phase": "", **dict.fromkeys(COUNTS, 0)}
    compared = int((cells[["now", "was"]].isin(FORMS)).all(axis="columns").sum())
    fell = register.share(
        LESS, ALL, less, compared, of="findings at two looks", n_of="findings", **{**blank, "less": less}
    )
    gaps = register.share(
        NOT_SEEN, ALL, unseen, len(cells), of="points of all places", n_of="findings", **{**blank, UNSEEN: unseen}
    )
    if not gate:  # where there is a gate, it is the thing to talk about
        ask = f"{words.of(n, seen)} points looked at are in place: which of the rest matter most here, and to whom?"
        whole = register.signed(whole, register.sign_of(n, seen), "" if n == seen else ask)
    if less:
        ask = f"{words.of(less, compared)} findings seen twice are less in place than at first: what happened there?"
        fell = register.signed(fell, Sign.UNCERTAIN, ask)
    if unseen:
        ask = (
            f"{words.of(unseen, len(cells))} points were not looked at in the places of the programme: who could look?"
        )
        gaps = register.signed(gaps, Sign.NOT_RECORDED, ask)
    return [whole, fell, gaps]


def _by_name(programme: Programme, cells: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The cells of each place under its name, in the order of the alphabet; the id where it asked not to be named."""
    places = programme.places.set_index("place_id")
    shown = places["name"].where(places["may_be_named"].fillna(True).astype(bool), places.index.to_series())
    found = [(str(shown[place]), held) for place, held in cells.groupby("place_id")]
    return sorted(found, key=lambda named: named[0].casefold())


def _row_of(table: pd.DataFrame, measure: str) -> dict[Any, Any]:
    return table.loc[_at(table, measure)[0]].to_dict()


def _at(table: pd.DataFrame, *measures: str) -> tuple[int, ...]:
    return tuple(int(at) for at in table.index[table["measure"].isin(measures)])


def _sentences(table: pd.DataFrame, cells: pd.DataFrame, menu: Menu) -> list[Sentence]:
    whole, seen = _row_of(table, "All points"), cells[cells["now"] != UNSEEN]
    places = words.of(seen["place_id"].nunique(), cells["place_id"].nunique())
    states = [f"{whole['n']} in place", *(f"{whole[state]} {STATES[state].lower()}" for state in COUNTS[:3])]
    first = (
        f"{menu.name}, {places} places looked at, last on {words.day(seen['on'].max())}: of "
        f"{whole['out_of']} findings {words.listed(states[:3])}; readers differ on {whole[DIFFER] or 'none'}."
    )
    said = [Sentence(first, rows=_at(table, "All points"))]
    phases = table[table["measure"] == "All points of the phase"]
    if len(phases):
        by_phase = words.listed([f"{row['group']} {_seen_of(row)}" for row in phases.to_dict("records")])
        said.append(Sentence(f"In place by phase: {by_phase}.", rows=tuple(map(int, phases.index))))
    said.append(Sentence(_since(whole, _row_of(table, LESS)["out_of"]), rows=_at(table, "All points", LESS)))
    label = menu.labels.get(GATE)
    if label:
        gate = _row_of(table, label)
        text = f"The first lesson comes before the rest: places where it is in place, {_seen_of(gate)}."
        said.append(Sentence(text, rows=_at(table, label)))
    return said


def _seen_of(row: dict[Any, Any]) -> str:
    """How many of those looked at are in place."""
    return words.of(row["n"], row["out_of"]) if row["out_of"] else "not looked at"


def _since(whole: dict[Any, Any], compared: int) -> str:
    """How many findings are more or less in place than at the first look, of those that can be compared."""
    if not compared:
        return "No finding can be set against an earlier look."
    return (
        f"Of {words.counted(compared, 'finding')} seen at two looks, {whole['more']} more in place than at the first, "
        f"{whole['less']} less, {compared - whole['more'] - whole['less']} the same."
    )


def _marks(programme: Programme, menu: Menu, table: pd.DataFrame, span: Window, headline: str) -> pd.DataFrame:
    """A bar a point, cut into the states over all places."""
    shown = table[table["measure"].isin(menu.labels.values()) & (table["group"] == ALL)]
    pieces: list[dict[str, Any]] = []
    for at, row in shown.to_dict("index").items():
        every = row["out_of"] + row[UNSEEN]
        counts = {**row, "in_place": 0 if pd.isna(row["n"]) else row["n"]}
        pieces += [
            {"mark": "share", "series": series, "x": row["measure"],
             "y": 100 * counts[state] / every, "label": str(counts[state]), "n": every, "row": at}
            for state, series in STATES.items()
        ]  # fmt: skip
    subtitle = f"{menu.name}, places of {programme.title}, {span.words}"
    return charts.marks(pieces, headline=headline, subtitle=subtitle, x_axis="% of places")


def _cautions(programme: Programme, cells: pd.DataFrame, menu: Menu) -> list[Sentence]:
    seen = cells[cells["now"] != UNSEEN]
    said = [f"{words.of(int((seen['readers'] == 1).sum()), len(seen))} findings rest on one reader alone."]
    other = int((seen["other_readers"] & seen["was"].notna()).sum())
    if other:
        held = words.counted(other, "finding")
        said.append(f"In {held} the first look was by other readers than the latest: part of any change may be that.")
    if not menu.verified:
        said.append(f"The words of {menu.name!r} were not all checked against a source.")
    observed = programme.observations
    elsewhere = observed["place_id"].isin(circumstances.comparison_places(programme))
    if (elsewhere & observed["feature"].isin(menu.labels)).any():
        said.append("What was seen in places to compare with is left out.")
    said.append("In place is what a reader saw on a day; whether it works is not said.")
    return [Sentence(text) for text in [*said, SIGN_RULE]]
