"""Small programmes whose leaders were rated, for tests of questions about leaders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from evalkit.programme import Programme, Settings

WAVES = {1: "2024-04-30", 2: "2024-10-31", 3: "2025-04-30", 4: "2025-10-31"}
"""The day each wave closed; answers are given a week before."""


def rows(
    instrument: str,
    given: Mapping[str, Mapping[int, Mapping[str, float | None]]],
    *,
    rater: str = "self",
    by: Mapping[str, str] | None = None,
    timing: str = "",
) -> pd.DataFrame:
    """Rows of `responses`: leader → wave → item → answer; `by` says who answered about a leader who is not themselves.

    `timing` is pre at the first wave and post at later ones unless given (then, followup).
    """
    found = [
        {"respondent_id": (by or {}).get(leader, leader), "subject_kind": "person", "subject_id": leader,
         "rater": rater, "instrument": instrument, "item": item, "wave": wave,
         "timing": timing or ("pre" if wave == 1 else "post"),
         "answered_on": pd.Timestamp(WAVES[wave]) - pd.Timedelta(days=7), "answer": answer}
        for leader, waves in given.items()
        for wave, answers in waves.items()
        for item, answer in answers.items()
    ]  # fmt: skip
    return pd.DataFrame(found).astype({"wave": "Int64", "answer": "float64"})


def alike(items: Sequence[str], answer: float | None) -> dict[str, float | None]:
    """The same answer to every one of these items."""
    return dict.fromkeys(items, answer)


def programme(
    *answers: pd.DataFrame,
    teams: Mapping[str, str] | None = None,
    arms: Mapping[str, str] | None = None,
    seniority: Mapping[str, str] | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    **told: Any,
) -> Programme:
    """Everybody rated takes part, in no team and no arm unless said; everybody else who answered is a sponsor."""
    responses = pd.concat(answers, ignore_index=True)
    leaders = sorted(set(responses.loc[responses["subject_kind"] == "person", "subject_id"]) | set(teams or {}))
    others = sorted(set(responses["respondent_id"]) - set(leaders))
    people = [{"person_id": one, "kind": "participant"} for one in leaders]
    people += [{"person_id": one, "kind": "sponsor"} for one in others]
    participants = pd.DataFrame(
        {
            "participant_id": leaders,
            "team_id": [(teams or {}).get(one) for one in leaders],
            "arm": [(arms or {}).get(one) for one in leaders],
            "seniority": [(seniority or {}).get(one) for one in leaders],
        }
    )
    waves = sorted(responses["wave"].dropna().unique()) or [1]
    built: dict[str, pd.DataFrame] = {
        "responses": responses,
        "people": pd.DataFrame(people),
        "participants": participants,
        "waves": pd.DataFrame({"wave": waves, "closes_on": pd.to_datetime([WAVES[wave] for wave in waves])}),
    }
    if teams:
        built["teams"] = pd.DataFrame({"team_id": sorted(set(teams.values()))})
    said = {"name": "Testmere", "starts_on": date(2024, 4, 1), "as_of": date(2026, 3, 31), "fictional": True, **told}
    return Programme.build(settings=Settings(**said), tables=built | dict(tables or {}))
