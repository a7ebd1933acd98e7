"""Workbooks out: one that an evaluator fills in, and a copy of the data with every problem marked at its cell.

`template` writes a sheet a table, with drop-downs and limits from the same models that check the data afterwards.
`marked` writes what was read, the faulty cells coloured and explained. Nothing in either can run: text is text.
"""

from __future__ import annotations

from evalkit.workbook.blank import template as template
from evalkit.workbook.layout import NOT_DATA as NOT_DATA
from evalkit.workbook.layout import form_sheet as form_sheet
from evalkit.workbook.marking import marked as marked
