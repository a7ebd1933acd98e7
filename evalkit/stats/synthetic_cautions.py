"""What to print with a synthetic control: where it stands on thin ice, in sentences, each with its threshold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from evalkit.stats.donor_mix import DonorMix, limit, outside

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Chosen = Literal["not said", "by lot", "for being extreme"]

OUTSIDE = 0.1
"""Above this share of periods outside all donors, no mix can follow the treated places. Our choice."""
POOR_FIT = 0.25
"""Above this many standard deviations between places a fit is poor: the What Works Clearinghouse takes groups that
differ by more than .25 standard deviations before as not equivalent (Standards Handbook 4.1, 2020, baseline
equivalence). That is about people; for places it is our choice."""
FEW_BEFORE = 10
"""Below this many periods before, chance before the start is matched as if it would last: mean gaps were called
unusual at 5 % in up to 40 % of trials with nothing going on and 4 periods before, and in 26 % with 10 (Illenberger,
Small & Shaw 2020, Epidemiology 31(6), 815-822, table 1)."""
WORSE = 1.05
"""Predictors that leave a fit so many times the least possible were stopped by the search, or by themselves."""


def cautions(mix: DonorMix, chosen: Chosen) -> tuple[str, ...]:
    """The sentences, in the order of weight; `chosen` says how the treated units came to be treated.

    What each looks at is `OUTSIDE`, `POOR_FIT`, `FEW_BEFORE` and `WORSE`, and whether no donor has as high or low a
    level, or as large a change, before the start. Raises ValueError on another `chosen`.
    """
    if chosen not in get_args(Chosen):
        raise ValueError(f"chosen {chosen!r} is none of {', '.join(get_args(Chosen))}.")
    past = mix.panel.values[:, mix.used]
    fit, _, ratio = mix.spreads()
    return (
        *_design(mix.treated, 1 / len(ratio)),
        *_hull(past, outside(mix), float(fit[0])),
        *_periods(past, mix.treated, bool(np.isinf(ratio).any())),
        *_predictors(float(fit[0]), mix.mean_gap, *limit(mix)),
        *_selection(past, mix.treated, chosen),
    )


def _design(treated: Flags, smallest_p: float) -> Iterator[str]:
    if treated.sum() == 1:
        yield (
            f"One treated place: its rank among the others is shown, and the smallest p it could have is "
            f"{smallest_p:.3f}. That is no ground for a verdict."
        )


def _hull(past: Floats, beyond: float, fit: float) -> Iterator[str]:
    if beyond > OUTSIDE:
        yield (
            f"The treated lie outside all donors in {100 * beyond:.0f} % of the periods fitted (more than "
            f"{100 * OUTSIDE:.0f} %): no mix can follow them."
        )
    between = float(np.sqrt(past.var(axis=0, ddof=1).mean()))
    if fit > POOR_FIT * between:
        yield (
            f"The fit before the start is poor: {fit / between:.2f} standard deviations between places (more than "
            f"{POOR_FIT:g}). What opens up after it may have been there before."
        )


def _periods(past: Floats, treated: Flags, unbounded: bool) -> Iterator[str]:
    periods, donors = past.shape[1], int((~treated).sum())
    if periods < FEW_BEFORE:
        yield (
            f"{periods} periods before the start (fewer than {FEW_BEFORE}): a mix can match their chance as well as "
            "their course."
        )
    if donors > periods:
        yield f"More donors ({donors}) than periods ({periods}): several mixes may fit equally well, and this is one."
    if unbounded:
        yield (
            "Some labellings fit to the last digit, so that their ratio of gaps is infinite and nothing ranks above "
            "them: read p_gap instead of p."
        )


def _predictors(fit: float, gap: float, least: float, least_gap: float) -> Iterator[str]:
    if fit > WORSE * least:
        yield (
            f"With these predictors the fit is {fit:.3g}, where past outcomes alone would give {least:.3g} and a mean "
            f"gap of {least_gap:.3g} instead of {gap:.3g}. The search for their importance has many ends."
        )


def _selection(past: Floats, treated: Flags, chosen: Chosen) -> Iterator[str]:
    """Regression to the mean: a peak does not last, be it that of the treated or of the donors that match them."""
    if chosen == "for being extreme":
        yield (
            "The places were chosen for being extreme. A peak does not last, theirs or that of donors matched to them, "
            "and a gap opens without any programme: trust p_gap and the size of the gap least. Fit periods before "
            "those that the choice was made on."
        )
        return
    if chosen == "by lot":
        return
    half = past.shape[1] // 2
    measures = {"level": past.mean(axis=1)}
    if half:
        measures["change"] = past[:, -half:].mean(axis=1) - past[:, :half].mean(axis=1)
    for what, value in measures.items():
        mine, others = value[treated], value[~treated]
        if mine.min() > others.max() or mine.max() < others.min():
            yield (
                f"No donor has as {'high' if mine.min() > others.max() else 'low'} a {what} before the start. If the "
                "places were chosen for that, a gap would have opened in any case: a peak does not last."
            )
