"""Totals of points as a table: means, changes, points still to be had, how far people differ, and who answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.disclosure import TELLS
from evalkit.instrument import OVERALL
from evalkit.result import ALL, FIRST
from evalkit.team.told import few
from evalkit.team.totals import Totals, pooled

if TYPE_CHECKING:
    from evalkit.stats.change import PairedChange

SPREAD = "Diversity of opinion within teams"
PEOPLE, SUBJECTS, UNSUMMED = "People who answered", "Scored by anybody", "Sittings without a total"
EXTRAS = ("n_of", "out_of", "wave", "what", "teams", "most", "band", TELLS)


def table(asked: Totals, changes: dict[str, PairedChange]) -> pd.DataFrame:
    """Means and changes of the total and the domains; points to be had by factor; spread; who answered."""
    rows = [*_means(asked), *_moves(asked, changes), *_to_be_had(asked), *_spread(asked), *_answered(asked)]
    blank = {"group": ALL, "interval": "none given", "band": ""}
    made = pd.DataFrame([{**blank, **row} for row in rows]).reindex(columns=[*FIRST, *EXTRAS])
    whole = dict.fromkeys(("n", "out_of", "wave", "teams", TELLS), "Int64")
    return made.astype({**whole, **dict.fromkeys(("estimate", "low", "high", "most"), "float64")})


def _means(asked: Totals) -> Iterator[dict[str, Any]]:
    """A row a domain and wave, the total first."""
    for domain in asked.order:
        own, most = asked.scored(domain), asked.instrument.bounds[domain][1]
        for wave in asked.waves:
            held = asked.of(own, "score", wave)
            band = asked.instrument.band(float(held.mean())) if domain == OVERALL else None
            yield {
                "measure": asked.instrument.domain_labels[domain], "estimate": held.mean(), "what": "mean",
                "n": own.loc[own["wave"] == wave, "respondent_id"].nunique(), "n_of": "respondents",
                "unit": f"points of {most:g}", "wave": wave, "teams": len(held),
                "most": most, "band": band.label if band else "", TELLS: _tells(asked, own, wave),
            }  # fmt: skip


def _tells(asked: Totals, own: pd.DataFrame, wave: int) -> int | None:
    """How few people the mean at an end would tell beside the change, which is over teams with both ends."""
    other = [end for end in asked.ends if end != wave]
    if wave not in asked.ends or not other:
        return None
    there = asked.of(own, "score", wave).index
    left_out = there.difference(asked.of(own, "score", other[0]).index)
    people = own[(own["wave"] == wave) & own["subject_id"].isin(left_out)]["respondent_id"].nunique()
    return few(int(people), asked.programme.minimum_group)


def _moves(asked: Totals, changes: dict[str, PairedChange]) -> Iterator[dict[str, Any]]:
    """A row a domain whose change can be tested; n counts people of teams with both ends, at the end with fewer."""
    for domain, moved in changes.items():
        own, most = asked.scored(domain), asked.instrument.bounds[domain][1]
        first, last = (own[own["wave"] == wave] for wave in asked.ends)
        both = set(first["subject_id"]) & set(last["subject_id"])
        people = min(end.loc[end["subject_id"].isin(both), "respondent_id"].nunique() for end in (first, last))
        yield {
            "measure": asked.instrument.domain_labels[domain], "estimate": moved.estimate, "what": "change",
            "low": moved.low, "high": moved.high, "interval": f"{asked.confidence:.0%} confidence",
            "n": people, "n_of": "respondents", "unit": f"points of {most:g}", "teams": moved.n, "most": most,
        }  # fmt: skip


def _to_be_had(asked: Totals) -> Iterator[dict[str, Any]]:
    """A row a factor and end: the points it could still give."""
    given = asked.points[asked.points["available"].notna()]
    for item in asked.instrument.items:
        of_item = given[given["item"] == item.key]
        for wave in asked.ends:
            held, own = asked.of(of_item, "available", wave), of_item[of_item["wave"] == wave]
            yield {
                "measure": item.text, "estimate": held.mean(), "what": "to be had", "wave": wave,
                "n": own["respondent_id"].nunique(), "n_of": "respondents", "teams": len(held),
                "unit": f"points of {max(item.points.values()):g} still to be had", "most": max(item.points.values()),
            }  # fmt: skip


def _spread(asked: Totals) -> Iterator[dict[str, Any]]:
    """The standard deviation within teams at each end, then its change."""
    same = {"measure": SPREAD, "n_of": "respondents", "unit": "points, standard deviation of totals"}
    for wave, held in asked.spreads().items():
        yield {**same, "estimate": pooled(held), "what": "spread", "wave": wave, "n": int(held["n"].sum()),
               "teams": len(held)}  # fmt: skip
    moved = asked.spread_change()
    if moved is not None:
        yield {**same, "estimate": moved.estimate, "low": moved.low, "high": moved.high, "n": moved.n,
               "interval": f"{asked.confidence:.0%} confidence", "what": "spread change",
               "teams": moved.teams}  # fmt: skip


def _answered(asked: Totals) -> Iterator[dict[str, Any]]:
    """Who answered at each wave that had opened, and how many sittings have no total."""
    whole = asked.scores[asked.scores["domain"] == OVERALL]
    for wave in asked.begun:
        own, sittings = asked.own[asked.own["wave"] == wave], whole[whole["wave"] == wave]
        teams, people = own["subject_id"].nunique(), own["respondent_id"].nunique()
        same = {"what": "answered", "wave": wave, "teams": teams}
        yield {**same, "measure": SUBJECTS, "estimate": teams, "n": teams, "n_of": f"{asked.subject}s",
               "unit": f"{asked.subject}s", "out_of": asked.whole}  # fmt: skip
        yield {**same, "measure": PEOPLE, "estimate": people, "n": people, "n_of": "respondents", "unit": "people"}
        without = int(sittings["score"].isna().sum())
        yield {**same, "measure": UNSUMMED, "estimate": without, "n": without, "n_of": "sittings",
               "unit": "sittings", "out_of": len(sittings)}  # fmt: skip


def row(table: pd.DataFrame, what: str, measure: str, wave: int | None = None) -> dict[Any, Any] | None:
    """One row of the table with its place in it as `row`; None where there is none."""
    held = table[(table["what"] == what) & (table["measure"] == measure)]
    held = held if wave is None else held[held["wave"] == wave]
    return None if held.empty else {**held.iloc[0].to_dict(), "row": int(held.index[0])}
