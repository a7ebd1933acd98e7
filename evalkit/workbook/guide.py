"""What a workbook says about itself: the first sheet, in plain words, and the sheet of the programme's settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from data_schemas.tables import families, references
from evalkit.instrument import Instrument
from evalkit.reading.forms import FORM
from evalkit.reading.settings import MINIMUM_GROUP
from evalkit.stats.reliable_methods import METHODS
from evalkit.terms import Audience
from evalkit.workbook.columns import LAST_ROW, Column, of_table
from evalkit.workbook.layout import SETTINGS_SHEET, form_sheet

TITLE = "How to fill in this workbook"
SCHEMA = 1
"""The form of data this workbook is for, as programme.toml names it."""

SETTINGS_HEADINGS = ("setting", "value", "what it means")
"""The third column is for people; the first two are read."""


@dataclass(frozen=True, slots=True)
class Line:
    """A sheet of the workbook: what it is for, and whether it is needed."""

    sheet: str
    purpose: str
    need: str


def how_to(*, forms: bool) -> list[tuple[str, str]]:
    """What to do, a heading and a sentence or two each."""
    said = [
        ("Begin", f"With the sheet {SETTINGS_SHEET}: the name, the first day. Then the sheets you have data for."),
        ("Leave empty", "Every sheet you have no data for. Hardly any sheet is needed; more can be filled in later."),
        (
            "Rows",
            "One row is one thing: one person, one answer, one session. Begin in row 2, below the headings.",
        ),
        ("Headings", "Leave them as they are. White on dark blue is needed in every row; the others may be blank."),
        ("What belongs there", "Rest the pointer on a heading, or click a cell, and read the note."),
        ("People", "Are ids such as L001, never names. Keep the list of who is who somewhere else, and locked."),
        ("Blank", "Means not known, or does not apply. 0 means none were counted. Do not write n/a or a dash."),
        ("Dates", "Write 2026-03-31. A month is 2024-03, a quarter 2024/25 Q1, a financial year 2024/25."),
        ("A red message", "The cell cannot take what was typed: press Retry, and read the note beside the cell."),
        ("A blue message", "The word is not in the list yet. Press OK to keep it, and add it to the sheet it names."),
        ("Pasting", "Goes past these checks, in Excel itself. So check the whole workbook when you are done:"),
        ("The whole check", "Run: evalkit check, and the workbook's name. It finds everything, and says what to do."),
        ("More rows", f"Lists and limits end at row {LAST_ROW}. Rows below are read, and checked, all the same."),
    ]
    if forms:
        sheets = f"Fill in the sheets that begin with “{FORM}”, one row a form, and not responses too."
        said.insert(8, ("Questionnaires", sheets))
    return said


def lines(tables: Sequence[str], asked: Iterable[Instrument]) -> dict[str, list[Line]]:
    """Every sheet by its family, in the order of the workbook."""
    found = {"The programme": [Line(SETTINGS_SHEET, "What the programme is, when it began, who it is for.", "Needed")]}
    forms = [Line(form_sheet(one.id), f"{one.name} ({one.edition}): one row a form.", "Optional") for one in asked]
    if forms:
        found["Questionnaires, as people fill them in"] = forms
    for family, models in families().items():
        own = [Line(table, _first_line(models[table].__doc__), _need(table, tables)) for table in models]
        kept = [line for line in own if line.sheet in tables]
        if kept:
            found[family] = kept
    return found


def settings(asked: Iterable[Instrument]) -> list[Column]:
    """The settings of programme.toml, in its order."""
    raters = next(column.choices for column in of_table("responses") if column.heading == "rater")
    rows = [
        _setting("schema", "The form of this workbook. Leave it at 1.", kind="whole", needed=True),
        _setting("name", "What the programme is called.", needed=True),
        _setting("starts_on", "The day it began. Where nobody knows it, give as_of instead.", kind="date"),
        _setting("as_of", "The day the data were drawn: nothing lies after it. Blank: their latest day.", kind="date"),
        _setting(
            "minimum_group", f"Smaller groups are never shown. Blank: {MINIMUM_GROUP}.", kind="whole", low=(">=", 1)
        ),
        _setting("audience", "Who the report is for. Blank: commissioner.", choices=tuple(Audience)),
        _setting("source", "Where published figures come from."),
        _setting("agreed_open", "Who agreed that their scores are shown, and when."),
        _setting("retention", "How long the data are kept, and who deletes them."),
    ]
    rows += [_setting(f"people.{who}", meaning) for who, meaning in _STAND_BEHIND.items()]
    rows += [
        _setting(f"plan.primary.{level}", f"What decides “{question}”, agreed beforehand. Such as {such}.")
        for level, (question, such) in _DECIDES.items()
    ]
    rows += [
        _setting("plan.informant", "Whose clear disagreement makes a finding mixed.", choices=raters),
        _setting("plan.reliable_change", "How one leader's change is told from error of measurement.", choices=METHODS),
        _setting("plan.agreed_with", "Who agreed to what is planned."),
        _setting("plan.agreed_on", "The day they did, before anyone looked at the data.", kind="date"),
    ]
    rows += [
        _setting(f"plan.meetings.{level}", f"The meeting where findings about {about} are talked about.")
        for level, about in _TALKED_ABOUT.items()
    ]
    for one in asked:
        rows += [_setting(f"plan.waves.{one.id}", "Months after the start it is answered in, such as 0; 6; 12; 24.")]
        rows += [_setting(f"plan.informants.{one.id}", f"Who answers it. Some of: {'; '.join(one.raters)}.")]
    for one in (one for one in asked if not one.recorded):
        lag, change = "Months a change may take to show, agreed beforehand.", "The smallest change worth having."
        rows += [_setting(f"plan.lag_months.{one.id}", lag, kind="whole", low=(">=", 0))]
        rows += [_setting(f"plan.worthwhile.{one.id}", change, kind="number", low=(">", 0))]
    return rows


_TALKED_ABOUT = {
    "individual": "leaders",
    "team": "organisations together",
    "population": "people's lives",
    "process": "what was done",
}
_STAND_BEHIND = {
    "paid_by": "Who pays for the evaluation.",
    "evaluated_by": "Who evaluates, and whether they ran the programme too.",
    "checked_by": "Who checked the facts of the report, and when.",
    "signed_by": "Who signed the report.",
}
_DECIDES = {
    "individual": ("Are people leading differently?", "system_leadership"),
    "team": ("Are organisations working better together?", "icfat/leadership"),
    "population": ("Is anything different for people?", "emergency_admissions_65_plus"),
}


def _setting(
    name: str,
    meaning: str,
    *,
    kind: str = "text",
    needed: bool = False,
    choices: tuple[str, ...] = (),
    low: tuple[str, float] | None = None,
) -> Column:
    title = "Needed" if needed else "May be blank"
    form = "" if kind != "text" or choices else "prose"
    return Column(
        heading=name, title=title, description=meaning, kind=kind, form=form, needed=needed, choices=choices, low=low
    )


def _need(table: str, tables: Sequence[str]) -> str:
    """Ids are listed before they are used, so say where they are."""
    users = [user for user in tables if user != table and any(table in named for named in references(user).values())]
    if not users:
        return "Optional"
    named = " and ".join(users)
    return f"Optional. Its ids are used in {named if len(users) <= 2 else f'{len(users)} other sheets'}"


def _first_line(words: str | None) -> str:
    return (words or "").strip().splitlines()[0]
