"""A workbook for an evaluator to fill in: a sheet a table, a sheet a questionnaire, checked while somebody types."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from data_schemas.catalogues import nearest
from data_schemas.tables import models
from evalkit import menu as menus
from evalkit.errors import DataProblems, Refused
from evalkit.instrument import Instrument
from evalkit.reading.between import MEASURED, ON_MENUS, Known
from evalkit.reading.catalogued import FOLDERS, Catalogues
from evalkit.reading.problems import Problems
from evalkit.workbook import guide, layout
from evalkit.workbook.columns import LAST_ROW, Column, Lists, letters, of_form, of_item, of_table, validation
from evalkit.workbook.layout import DARK, LINK, PALE

ITEM_WIDTH, ITEM_LINE = 24, 18
"""How wide an item's column is, and the letters of its heading that fit in a line."""

LINE = 15
"""Points a line of a cell takes."""

GUIDE_WIDTHS, SETTINGS_WIDTHS = (30, 92, 46), (36, 44, 92)
"""Letters the columns of the first two sheets show."""

WIDEST_PAGE = 220
"""Letters a line of paper takes, small; wider sheets are printed over several pages."""


def template(
    out: str | Path,
    *,
    instruments: Sequence[str] = (),
    tables: Sequence[str] | None = None,
    folder: str | Path | None = None,
) -> Path:
    """Write a workbook to fill in, and say where it is.

    `instruments`: questionnaires that get a sheet of their own, a row a form. `tables`: the tables wanted, all when
    None. `folder`: a programme's folder, whose own questionnaires and measures are offered too. The same choices give
    the same bytes. Raises Refused for a name nobody knows and where a file is there already, and
    DataProblems where the folder's own catalogues are amiss.
    """
    known = _known(None if folder is None else Path(folder))
    asked = [known.instruments[name] for name in _among(instruments, list(known.instruments), "questionnaire")]
    _told_apart(asked)
    wanted = _among(models() if tables is None else tables, list(models()), "table")
    chosen = [table for table in models() if table in wanted]
    book = _Book(chosen, asked, _offers(asked, known))
    return layout.write_new(out, book.bytes())


def _known(folder: Path | None) -> Known:
    """The questionnaires, measures and menus that come with evalkit, and a folder's own."""
    catalogues, problems = Catalogues(), Problems()
    if folder is not None:
        if not folder.is_dir():
            raise Refused(f"There is no folder {folder.name!r}. Give the folder that holds programme.toml.")
        found = [path for part in (".", *FOLDERS) for path in sorted((folder / part).glob("*.toml"))]
        catalogues.add({path.relative_to(folder).as_posix(): path for path in found}, problems)
    if problems:
        raise DataProblems(problems.table())
    return catalogues.known


def _among(wanted: Sequence[str] | Mapping[str, Any], known: list[str], what: str) -> list[str]:
    for name in wanted:
        if name not in known:
            raise Refused(f"No {what} is called {name!r}. {nearest(name, known)}")
    return list(dict.fromkeys(wanted))


def _told_apart(asked: Sequence[Instrument]) -> None:
    """Two long ids may be cut to the same name."""
    names = [layout.form_sheet(one.id) for one in asked]
    for name in names:
        if names.count(name) > 1:
            alike = " and ".join(one.id for one in asked if layout.form_sheet(one.id) == name)
            raise Refused(f"{alike} would share the sheet {name!r}. Ask for a workbook for each.")


Offers = Mapping[tuple[str, str], tuple[str, ...]]


def _offers(asked: list[Instrument], known: Known) -> Offers:
    """What catalogues suggest, by table and column; a programme may describe more in its folder."""
    features = menus.observed(known.menus)
    found = {place: tuple(known.measures) for place in MEASURED}
    found |= {place: tuple(known.menus[menu].labels) for place, menu in ON_MENUS.items()}
    found["observations", "feature"] = tuple(features)
    found["observations", "form"] = tuple(dict.fromkeys(form for menu in features.values() for form in menu.forms))
    ids = tuple(one.id for one in asked) or tuple(known.instruments)
    found |= {("responses", "instrument"): ids, ("scores", "instrument"): ids}
    found["responses", "item"] = tuple(dict.fromkeys(item.key for one in asked for item in one.items))
    found["scores", "domain"] = tuple(dict.fromkeys(key for one in asked for key in one.domain_labels))
    return found


@dataclass(slots=True)
class _Book:
    """One workbook on its way out."""

    tables: list[str]
    asked: list[Instrument]
    offers: Offers
    lists: Lists = field(default_factory=Lists)
    book: Any = None
    formats: dict[tuple[tuple[str, object], ...], Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        import xlsxwriter

        page = io.BytesIO()
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(page, options) as self.book:
            self.book.set_properties({"title": guide.TITLE, "created": layout.CREATED})
            self._guide()
            self._settings()
            for one in self.asked:
                items = tuple(of_item(item, one.scale) for item in one.items)
                roles = {column.heading: item.role for column, item in zip(items, one.items, strict=True)}
                self._sheet(layout.form_sheet(one.id), (*of_form(one, layout.FORM_COLUMNS), *items), roles)
            for table in self.tables:
                self._sheet(table, tuple(self._offered(table, column) for column in of_table(table)))
            self._hidden_lists()
        return page.getvalue()

    def _format(self, **said: object) -> Any:
        """The same format once."""
        key = tuple(sorted(said.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format({"valign": "top", **said})
        return self.formats[key]

    def _offered(self, table: str, column: Column) -> Column:
        words = self.offers.get((table, column.heading), ())
        return replace(column, suggested=words) if words and not column.choices else column

    def _guide(self) -> None:
        sheet = self.book.add_worksheet(layout.GUIDE)
        for column, width in enumerate(GUIDE_WIDTHS):
            sheet.set_column(column, column, width)
        sheet.set_row(0, 30)
        sheet.write_string(0, 0, guide.TITLE, self._format(bold=True, font_size=16, font_color=DARK))
        said = guide.how_to(forms=bool(self.asked))
        for row, (heading, words) in enumerate(said, 2):
            sheet.write_string(row, 0, heading, self._format(bold=True))
            sheet.write_string(row, 1, words, self._format(text_wrap=True))
            sheet.set_row(row, _height(len(words), GUIDE_WIDTHS[1]))
        self._contents(sheet, len(said) + 3)
        _printed(sheet)

    def _contents(self, sheet: Any, row: int) -> None:
        """A line a sheet, each linked to it, under the name of its family."""
        self._headings(sheet, row, ("Sheet", "What it is for", "Needed or optional"))
        wrapped, link = self._format(text_wrap=True), self._format(font_color=LINK, underline=1)
        for family, lines in guide.lines(self.tables, self.asked).items():
            row += 1
            for column, words in enumerate((family, "", "")):
                sheet.write_string(row, column, words, self._format(bold=True, bg_color=PALE))
            for line in lines:
                row += 1
                sheet.write_url(row, 0, f"internal:'{line.sheet}'!A1", link, line.sheet)
                sheet.write_string(row, 1, line.purpose, wrapped)
                sheet.write_string(row, 2, line.need, wrapped)
                sheet.set_row(row, _height(len(line.purpose), GUIDE_WIDTHS[1]))

    def _headings(self, sheet: Any, row: int, headings: Sequence[str]) -> None:
        for column, heading in enumerate(headings):
            sheet.write_string(row, column, heading, self._format(bold=True, bg_color=DARK, font_color="#FFFFFF"))

    def _settings(self) -> None:
        sheet = self.book.add_worksheet(layout.SETTINGS_SHEET)
        sheet.set_tab_color(DARK)
        for column, width in enumerate(SETTINGS_WIDTHS):
            sheet.set_column(column, column, width)
        self._headings(sheet, 0, guide.SETTINGS_HEADINGS)
        sheet.freeze_panes(1, 0)
        for row, setting in enumerate(guide.settings(self.asked), 1):
            needed = "Needed. " if setting.needed else ""
            sheet.write_string(row, 0, setting.heading, self._format(bold=setting.needed))
            sheet.write_string(row, 2, needed + setting.description, self._format(text_wrap=True, indent=1))
            sheet.set_row(row, _height(len(needed + setting.description), SETTINGS_WIDTHS[2]))
            cell = self._format(align="left", border=1, border_color="#A6A6A6", **_shown_as(setting))
            if setting.heading == "schema":
                sheet.write_number(row, 1, guide.SCHEMA, cell)
            else:
                sheet.write_blank(row, 1, None, cell)
            sheet.data_validation(row, 1, row, 1, validation(setting, self.lists, {}))
        _printed(sheet)

    def _sheet(self, name: str, columns: tuple[Column, ...], roles: Mapping[str, str] | None = None) -> None:
        """Headings in row 1, and below each the cells it allows."""
        sheet = self.book.add_worksheet(name)
        roles = roles or {}
        if roles:
            sheet.set_tab_color("#28A197")
            sheet.set_row(0, _height(max(map(len, roles)), ITEM_LINE))
        sheets = {table: letters(0) for table in self.tables}
        widths: list[int] = []
        for at, column in enumerate(columns):
            item = column.heading in roles
            said = f"Role: {roles[column.heading]}" if roles.get(column.heading) else column.note
            widths.append(ITEM_WIDTH if item else column.width)
            sheet.set_column(at, at, widths[-1], self._format(**_shown_as(column)))
            sheet.write_string(0, at, column.heading, self._heading(column.needed, wrapped=bool(roles)))
            sheet.write_comment(0, at, **layout.note(said))
            sheet.data_validation(1, at, LAST_ROW - 1, at, validation(column, self.lists, sheets))
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, LAST_ROW - 1, len(columns) - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A1:{letters(len(columns) - 1)}{LAST_ROW}"})
        _printed(sheet, sum(widths))
        sheet.repeat_rows(0)
        sheet.repeat_columns(0)

    def _heading(self, needed: bool, *, wrapped: bool) -> Any:
        colours = {"bg_color": DARK, "font_color": "#FFFFFF"} if needed else {"bg_color": PALE, "font_color": "#000000"}
        return self._format(bold=needed, text_wrap=wrapped, border=1, border_color="#FFFFFF", num_format="@", **colours)

    def _hidden_lists(self) -> None:
        if self.lists.held:
            sheet = self.book.add_worksheet(layout.LISTS)
            sheet.hide()
            for column, words in enumerate(self.lists.held):
                for row, word in enumerate(words):
                    sheet.write_string(row, column, word)


def _shown_as(column: Column) -> dict[str, object]:
    if column.is_text:
        return {"text_wrap": column.form == "prose", "num_format": "@"}
    return {"text_wrap": False, "num_format": "yyyy-mm-dd" if column.kind == "date" else "General"}


def _height(letters_long: int, width: int) -> int:
    """A row high enough for a text wrapped at this width: most letters are a little narrower than a figure."""
    return LINE * math.ceil(letters_long / (1.1 * width))


def _printed(sheet: Any, width: int = 0) -> None:
    """On A4, lying; as wide as the paper unless nobody could read it so."""
    sheet.set_paper(9)
    sheet.set_landscape()
    if width <= WIDEST_PAGE:
        sheet.fit_to_pages(1, 0)
