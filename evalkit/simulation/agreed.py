"""What Northmere, were it real, would have agreed before anyone looked: its settings and its plan."""

from __future__ import annotations

from evalkit.reading.settings import Notes, Plan, Settings
from evalkit.simulation import lives
from evalkit.simulation.scenario import START, Scenario

LAG_MONTHS = {"system_leadership": 12, "icfat": 18, lives.MEASURE: 60}
"""Months a change may take. Five years for admissions is the lower end of what the measures catalogue cites."""

WORTHWHILE = {"system_leadership": 0.25, "icfat": 0.5, lives.MEASURE: 0.95}
"""Points of 5; points of 5; a rate ratio. Made up, as an agreement would be."""


def settings(scenario: Scenario) -> Settings:
    """The settings of an invented programme of this size."""
    return Settings(
        name="Northmere",
        starts_on=START,
        as_of=scenario.as_of,
        fictional=True,
        source="Invented: nothing here was observed.",
        agreed_open="The programme board of Northmere (fictional) agreed on 12 September 2024 that places are named.",
        retention="Answers of people are kept until two years after the last report (fictional).",
        plan=Plan(
            primary={"individual": "system_leadership", "team": "icfat/leadership", "population": lives.MEASURE},
            lag_months=LAG_MONTHS,
            worthwhile=WORTHWHILE,
            informant="sponsor",
        ),
        people=Notes(
            paid_by="Northmere Care Commissioners (fictional)",
            evaluated_by="The Wendlewater Evaluation Unit (fictional)",
            checked_by="An evaluator from outside Northmere (fictional)",
            signed_by="",
        ),
    )
