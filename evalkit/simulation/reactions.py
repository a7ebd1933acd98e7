"""The forms left at the end of the first and the last session for everybody: what people made of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.instrument import Instrument
from evalkit.simulation.scoring import Floats

RETURNED = 0.72
"""The share of those who came that leave a form."""

PERSON, ITEM = 0.45, 0.75
"""Standard deviations of one person's kindness to everything, and of each answer's own noise, in points."""

LIKED = {
    "worth_the_time": (3.9, 4.2),
    "well_run": (4.2, 4.1),
    "took_part": (3.7, 4.0),
    "could_speak": (3.2, 3.6),
    "fits_my_work": (3.6, 3.9),
    "works_with_partners": (3.5, 3.5),
}
"""Where answers to each item lie on average, before they are rounded and held on the scale: first session, last."""


def asked_at(sessions: pd.DataFrame, attendance: pd.DataFrame) -> tuple[str, str]:
    """The first and the last session that most people were asked to."""
    held = attendance["session_id"].value_counts().reindex(sessions["session_id"])
    to_all = held.index[held > held.max() / 2]
    return str(to_all[0]), str(to_all[-1])


def rows(
    form: Instrument, sessions: pd.DataFrame, attendance: pd.DataFrame, rng: np.random.Generator
) -> list[pd.DataFrame]:
    """Rows of `responses`, a frame a session: one answer to one item by one who came."""
    dates = sessions.set_index("session_id")["held_on"]
    items = [item.key for item in form.items]
    piles = []
    for time, session in enumerate(asked_at(sessions, attendance)):
        came = attendance.query("session_id == @session and status == 'attended'")["person_id"].to_numpy()
        who = came[rng.random(len(came)) < RETURNED]
        position = np.array([LIKED[item][time] for item in items]) + PERSON * rng.standard_normal((len(who), 1))
        position = position + ITEM * rng.standard_normal(position.shape)
        answers = np.clip(np.rint(position), form.scale.low, form.scale.high)
        piles.append(
            pd.DataFrame(
                {
                    "respondent_id": np.repeat(who, len(items)),
                    "subject_kind": "session",
                    "subject_id": session,
                    "rater": "self",
                    "instrument": form.id,
                    "item": np.tile(items, len(who)),
                    "timing": "post",
                    "answered_on": dates.loc[session],
                    "answer": answers.ravel(),
                }
            )
        )
    return piles


def expected() -> dict[str, dict[str, list[float]]]:
    """The share of those who came that would agree with each item at the first session and the last: exact."""
    from scipy.special import ndtr

    spread = np.hypot(PERSON, ITEM)

    def agreeing(positions: tuple[float, float]) -> Floats:
        return np.asarray(ndtr((np.array(positions) - 3.5) / spread))

    return {item: {"share_agreeing": [round(float(share), 6) for share in agreeing(at)]} for item, at in LIKED.items()}
