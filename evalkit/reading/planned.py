"""Tables held to every rule, and to what [plan] declares before anyone looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from data_schemas.catalogues import nearest
from data_schemas.tables.answers import RATERS
from evalkit.instrument import Instrument
from evalkit.reading.admissions import into_outcomes
from evalkit.reading.between import Between, Known
from evalkit.reading.contents import Contents
from evalkit.reading.in_parts import Parts
from evalkit.reading.long_tables import looked_through
from evalkit.reading.plan import Plan
from evalkit.reading.problems import Problems
from evalkit.reading.reads import Read
from evalkit.reading.rules import check_table


def checked(
    contents: Contents,
    tables: Mapping[str, Read],
    problems: Problems,
    unread: frozenset[str] = frozenset(),
    long: Mapping[str, Sequence[Path]] | None = None,
) -> Contents:
    """The contents with their tables, every broken rule among the problems; `long` names files read in parts."""
    for read in tables.values():
        check_table(read, problems)
    known = Known(contents.instruments, contents.measures, contents.menus)
    between = Between(tables, known, contents.settings.as_of, problems, unread)
    between.check()
    parts = {table: _in_parts(table, files, between) for table, files in (long or {}).items()}
    for table in parts.keys() & tables.keys():
        words = f"The table {table} is here in a file of its own, and one of the two would not be read."
        problems.add(tables[table].file, words, "Keep one of them.")
    frames = {name: read.frame for name, read in tables.items()}
    found = into_outcomes(replace(contents, tables=frames, parts=parts), problems)
    if "outcomes" in found.tables:
        _check_rebases(contents.settings.plan, found.tables["outcomes"], problems)
    return _planned(found, problems)


def _in_parts(table: str, files: Sequence[Path], between: Between) -> Parts:
    """A table too long to be held, held to every rule all the same."""

    def check(read: Read, problems: Problems) -> None:
        check_table(read, problems)
        replace(between, problems=problems).check_one(read)

    return looked_through(table, files, check, between.problems)


def _check_rebases(plan: Plan, outcomes: pd.DataFrame, problems: Problems) -> None:
    """Limits can be drawn anew only from a month that has a figure and one before it."""
    for measure, months in plan.rebase.items():
        known = sorted(outcomes.loc[outcomes["measure"] == measure, "period"].dropna().unique())
        for month in months:
            if known and pd.Timestamp(month) not in known[1:]:
                problems.add(
                    "programme.toml",
                    f"[plan.rebase.{measure}] draws limits anew from a month without a figure, or from the first.",
                    "Write a month of outcomes.csv after the first.",
                    value=f"{month:%Y-%m}",
                )


def _planned(contents: Contents, problems: Problems) -> Contents:
    """What [plan] declares takes the place of what instruments and measures say of lags and worthwhile changes."""
    plan = contents.settings.plan
    instruments, measures = dict(contents.instruments), dict(contents.measures)
    domains = [f"{one.id}/{domain.key}" for one in instruments.values() for domain in one.domains]
    known = [*instruments, *measures, *domains]
    _check_asking(plan, instruments, problems)
    for name in [
        *plan.primary.values(), *plan.lag_months, *plan.worthwhile, *sum(plan.families.values(), ()), *plan.rebase,
        *plan.trajectory, *plan.chosen, *plan.plausible, *plan.watch,
    ]:  # fmt: skip
        if name not in known:
            problems.add(
                "programme.toml",
                "[plan] names no known measure, instrument or domain.",
                nearest(name, known),
                value=name,
            )
    for name, months in plan.lag_months.items():
        if name in measures:
            measures[name] = replace(measures[name], expected_lag_months=months, **_declared("expected_lag"))
    for name, change in plan.worthwhile.items():
        said: dict[str, Any] = {"smallest_worthwhile_change": change, **_declared("smallest_worthwhile_change")}
        if name in measures:
            measures[name] = replace(measures[name], **said)
        elif name in instruments:
            instruments[name] = replace(instruments[name], **said)
    for name, change in plan.plausible.items():
        if name in measures:
            said = {"largest_plausible_change": change, **_declared("largest_plausible_change")}
            measures[name] = replace(measures[name], **said)
    return replace(contents, instruments=instruments, measures=measures)


def _check_asking(plan: Plan, instruments: Mapping[str, Instrument], problems: Problems) -> None:
    """Who is to answer which questionnaire, and when: instruments that exist, answered by raters they are for."""
    for part in (plan.waves, plan.informants):
        for name in part:
            if name not in instruments:
                what = "[plan] says when, or by whom, something is answered that is no known questionnaire."
                problems.add("programme.toml", what, nearest(name, instruments), value=name)
    if plan.informant and plan.informant not in RATERS:
        what = "[plan] names an informant who is no kind of rater."
        problems.add("programme.toml", what, nearest(plan.informant, RATERS), value=plan.informant)
    for name, raters in plan.informants.items():
        known = (instruments[name].raters if name in instruments else ()) or RATERS
        for rater in raters:
            if rater not in known:
                what = f"[plan.informants] has {name!r} answered by somebody it is not for."
                problems.add("programme.toml", what, nearest(rater, known), value=rater)


def _declared(number: str) -> dict[str, Any]:
    return {f"{number}_source": "Declared in [plan] of programme.toml.", f"{number}_verified": False}
