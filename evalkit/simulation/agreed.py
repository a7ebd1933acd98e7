"""What Northmere, were it real, would have agreed before anyone looked: its settings and its plan."""

from __future__ import annotations

from datetime import date

from evalkit.reading.plan import Plan, Watch
from evalkit.reading.settings import Notes, Settings
from evalkit.simulation import lives
from evalkit.simulation.scenario import START, Scenario

LAG_MONTHS = {"system_leadership": 12, "icfat": 18, lives.MEASURE: 60}
"""Months a change may take. Five years for admissions is the lower end of what the measures catalogue cites."""

MONTHS = (0, 6, 12, 18, 24)
"""Months after the start in which questionnaires were to be answered: at the start and every half-year."""

MEETINGS = {
    "individual": "The learning sets (fictional)",
    "team": "The partners' meeting of each place (fictional)",
    "population": "The health and wellbeing board (fictional)",
    "process": "The programme board (fictional)",
}

WATCH = Watch(
    owner="The public health team of Northmere (fictional)",
    data="outcomes.csv, drawn anew each quarter from the hospitals' returns (fictional)",
    key_holder="Nobody: the counts hold no ids",
    delete_on=date(2031, 3, 31),
)

WORTHWHILE = {"system_leadership": 0.25, "icfat": 0.5, lives.MEASURE: 0.95}
"""Points of 5; points of 5; a rate ratio. Made up, as an agreement would be."""


PLAUSIBLE = 0.90
"""A rate ratio, made up as well."""


def settings(scenario: Scenario) -> Settings:
    """The settings of an invented programme of this size."""
    return Settings(
        name="Northmere",
        starts_on=START,
        as_of=scenario.as_of,
        fictional=True,
        source="Invented: nothing here was observed.",
        agreed_open="The programme board of Northmere (fictional) agreed on 12 September 2024 that scores are shown.",
        retention="Answers of people are kept until two years after the last report (fictional).",
        plan=Plan(
            primary={"individual": "system_leadership", "team": "icfat/leadership", "population": lives.MEASURE},
            lag_months=LAG_MONTHS,
            worthwhile=WORTHWHILE,
            agreed_with="The programme board of Northmere (fictional)",
            agreed_on=date(2024, 2, 1),
            informant="sponsor",
            waves={"system_leadership": MONTHS, "icfat": MONTHS, "role_ambiguity": (0, 12, 18)},
            informants={"system_leadership": ("self", "sponsor", "partner"), "icfat": ("team_member", "partner")},
            meetings=MEETINGS,
            watch={lives.MEASURE: WATCH},
            chosen={lives.MEASURE: "willing"},
            plausible={lives.MEASURE: PLAUSIBLE},
        ),
        people=Notes(
            paid_by="Northmere Care Commissioners (fictional)",
            evaluated_by="The Wendlewater Evaluation Unit (fictional)",
            checked_by="An evaluator from outside Northmere (fictional)",
            signed_by="",
        ),
    )
