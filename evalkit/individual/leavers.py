"""Who was no longer rated: ratings wave by wave, and those who stopped beside the others, in what is known of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.disclosure import TELLS
from evalkit.individual import ratings
from evalkit.individual.besides import everybody, kept_domain, least
from evalkit.individual.groups import groups
from evalkit.individual.small_classes import fewest
from evalkit.instrument import OVERALL
from evalkit.result import ALL
from evalkit.stats import missing
from evalkit.verdict import LEVEL

if TYPE_CHECKING:
    from evalkit.individual.compared import Compared
    from evalkit.stats.missing import Attrition

KNOWN = ("seniority", "profession", "cohort")
"""What is compared beside scores: what is recorded of leaders for other reasons, and nobody's own characteristics."""
POOLED = "all others together"
"""The group of those whose own group has too few who stopped, or too few who stayed."""
FLOW, LEFT, START = "wave by wave", "who stopped", "how they began"
"""Values of the column `what`."""
AGAIN, STOPPED = "Rated at the start and at the end", "Rated at the start, not at the end"
LEFT_PROGRAMME = "Not rated at the end: had left the programme"
NEW, NEVER = "Rated at the end, not at the start", "Took part, and was never rated"


@dataclass(frozen=True, slots=True, eq=False)
class Leavers:
    """Leaders × waves (true: rated), who of those rated at the start was not rated at the end (`stopped`), and what is
    known of both.

    `compared` is None where nobody stopped, nobody stayed, or nobody differs in anything known. `pooled`: the groups
    compared, by what divides them; `too_few`: what could not be compared, for too few stand in each group.
    """

    asked: Compared
    domain: str
    rated: pd.DataFrame
    stopped: pd.Series[bool]
    scores: pd.DataFrame
    pooled: dict[str, pd.Series[str]]
    too_few: tuple[str, ...]
    compared: Attrition | None

    @property
    def began(self) -> int:
        """How many were rated at the start."""
        return len(self.stopped)

    @property
    def gone(self) -> int:
        """How many of these were not rated at the end."""
        return int(self.stopped.sum())

    @property
    def tells(self) -> int | None:
        """How few people stopped, stayed or came new, where a figure about them would tell them; else None."""
        new = int((self.rated[self.asked.last] & ~self.rated[self.asked.first]).sum())
        counted = [each for each in (self.gone, self.began - self.gone, new) if each]
        least = min(counted)
        return least if least < self.asked.programme.minimum_group else None

    @property
    def differed(self) -> bool | None:
        """Whether the two clearly differ, all that is known taken together; None where that could not be seen."""
        if self.compared is None or self.compared.smallest_p > LEVEL:
            return None
        return self.compared.p < LEVEL

    @property
    def known(self) -> list[str]:
        """What was compared, in words."""
        return ["score", *self.pooled]


def leavers(asked: Compared, domain: str, alone: bool, *, permutations: int, seed: int, confidence: float) -> Leavers:
    """Who stopped being rated on this domain, compared in it (`alone`: in no other domain) and in what is recorded."""
    answers = asked.answers(domain)
    took_part = circumstances.taking_part(asked.programme)["participant_id"]
    rated = answers.notna().reindex(sorted({*answers.index, *took_part}), fill_value=False)
    first = answers[asked.first].dropna().index
    stopped = answers.loc[first, asked.last].isna()
    labels = asked.instrument.domain_labels
    others = [] if alone else [key for key in labels if key != domain]
    scores = pd.DataFrame({key: asked.answers(key)[asked.first].reindex(first) for key in (domain, *others)})
    together, too_few = _known(asked, stopped)
    # the overall score is the mean of the domains: beside them it would count them twice
    once = scores.drop(columns=OVERALL) if OVERALL in scores and scores.shape[1] > 1 else scores
    variables = pd.concat([once, pd.DataFrame(together, index=once.index)], axis=1)
    found = _compared(variables, stopped, permutations, seed, confidence)
    return Leavers(asked, domain, rated, stopped, scores, together, too_few, found)


def _known(asked: Compared, stopped: pd.Series[bool]) -> tuple[dict[str, pd.Series[str]], tuple[str, ...]]:
    """The groups compared, each with enough people on both sides; and what is recorded but divides too few."""
    found: dict[str, pd.Series[str]] = {}
    too_few = []
    for by in KNOWN:
        of = groups(asked.programme, by).of.reindex(stopped.index)
        if of.nunique() < 2:
            continue
        told = pooled(of, stopped, asked.programme.minimum_group)
        if told is None:
            too_few.append(by)
        else:
            found[by] = told
    return found, tuple(too_few)


def pooled(of: pd.Series[str], stopped: pd.Series[bool], minimum: int) -> pd.Series[str] | None:
    """The groups, those pooled in which fewer than so many stopped or stayed; None where fewer than two are left.

    Groups are put together from the smallest on until those pooled hold enough of both, so that no group tells anybody.

    >>> of = pd.Series(["nurse"] * 6 + ["police"] * 4 + ["doctor"] * 2)
    >>> stopped = pd.Series([True, False] * 6)
    >>> pooled(of, stopped, 3).value_counts().to_dict()
    {'nurse': 6, 'all others together': 6}
    """
    counted = pd.crosstab(of, stopped).reindex(columns=[False, True], fill_value=0)
    least = counted.min(axis=1).sort_values(kind="stable")
    together = [str(name) for name in least.index[least < minimum]]
    left = [str(name) for name in least.index if str(name) not in together]
    while together and left and counted.loc[together].sum().min() < minimum:
        together.append(left.pop(0))
    if len(left) + bool(together) < 2:
        return None
    return of.mask(of.isin(together), POOLED)


def _compared(
    variables: pd.DataFrame, stopped: pd.Series[bool], permutations: int, seed: int, confidence: float
) -> Attrition | None:
    """Those who stopped against the others; None where a side is empty or nobody differs in anything known."""
    if stopped.all() or not stopped.any():
        return None
    try:
        return missing.attrition(
            variables[~stopped], variables[stopped], permutations=permutations, seed=seed, confidence=confidence
        )
    except ValueError:
        return None


def rows(held: Leavers, confidence: float) -> list[dict[str, Any]]:
    """The rows of the table: wave by wave, who stopped, how they began, and who stopped of each group."""
    found = [*_flow(held), *_stopped(held)]
    variables = pd.concat([held.scores, pd.DataFrame(held.pooled, index=held.scores.index)], axis=1)
    each = _compared(variables, held.stopped, 1, 0, confidence)  # variable by variable: nothing is drawn
    if each is not None:
        found += [*_began(held, each.table, confidence), *_divided(held, each.table)]
    return found


def _flow(held: Leavers) -> Iterator[dict[str, Any]]:
    """Out of everybody who took part by then, who was rated; of those rated before, who was again, and who was not."""
    for wave in missing.flow(_asked_for(held)).to_dict("records"):
        counted = [("Rated", "answered", "asked", "those who took part by then")]
        if wave["before"]:
            counted.append(("Rated before, and again", "again", "before", "those rated before"))
        some = [
            ("Rated before, not then, but later", "gap", "before", "those rated before"),
            ("Rated before, neither then nor later", "left", "before", "those rated before"),
            ("Rated for the first time", "first_time", "answered", "those rated then"),
        ]
        counted += [each for each in some if wave["before"] and wave[each[1]]]
        for name, n, out_of, whole in counted:
            yield register.share(
                name, ALL, wave[n], wave[out_of], of=whole, n_of="leaders", wave=wave["wave"], what=FLOW
            )


def _asked_for(held: Leavers) -> pd.DataFrame:
    """Leaders × waves: rated or not; missing where somebody had not joined when the wave closed."""
    joined = held.asked.programme.participants.set_index("participant_id")["joined"].reindex(held.rated.index)
    found = held.rated.astype(object)
    for wave in held.rated.columns.astype(int):
        closed = held.asked.closes(wave)
        if closed is not None:
            found[wave] = found[wave].mask((joined > closed) & ~held.rated[wave], pd.NA)
    return found


def _stopped(held: Leavers) -> Iterator[dict[str, Any]]:
    """Of those rated at the start: rated at the end, or not, or gone; then who came new, and who was never rated."""
    asked, last = held.asked, held.rated[held.asked.last]
    start, new, never = "those rated at the start", last & ~held.rated[asked.first], ~held.rated.any(axis=1)
    counted = [(AGAIN, held.began - held.gone, held.began, start)]
    if held.gone:
        counted.append((STOPPED, held.gone, held.began, start))
    left = asked.programme.participants.set_index("participant_id")["left"].reindex(held.stopped.index)
    if held.gone and left.notna().any():
        until = asked.closes(asked.last)
        by_then = held.stopped & (left <= (pd.Timestamp(asked.programme.as_of) if until is None else until))
        counted.append((LEFT_PROGRAMME, int(by_then.sum()), held.gone, "those not rated at the end"))
    if new.any():
        counted.append((NEW, int(new.sum()), int(last.sum()), "those rated at the end"))
    if never.any():
        counted.append((NEVER, int(never.sum()), len(never), "those who took part"))
    for name, n, out_of, whole in counted:
        yield register.share(name, ALL, n, out_of, of=whole, n_of="leaders", what=LEFT)


def _began(held: Leavers, each: pd.DataFrame, confidence: float) -> Iterator[dict[str, Any]]:
    """Scores at the start: of those not rated at the end, less those of the others."""
    labels, minimum = held.asked.instrument.domain_labels, held.asked.programme.minimum_group
    kept, lacking = kept_domain(everybody(held.asked.programme, held.asked.instrument, held.asked.rater))
    for found in each[each["variable"].isin(held.scores.columns)].to_dict("records"):
        few = fewest((found["n_stayers"], found["n_leavers"]), minimum)
        row = register.row(
            f"{labels[found['variable']]}, at the start", ALL, n=found["n_stayers"] + found["n_leavers"],
            unit=ratings.points(held.asked.instrument), n_of="leaders", estimate=found["difference"], what=START,
            mean_stayed=found["mean_stayers"], mean_stopped=found["mean_leavers"], stayed=found["n_stayers"],
            stopped=found["n_leavers"], standardised=found["standardised"],
            **{TELLS: least(few, lacking if found["variable"] == kept else None)},
        )  # fmt: skip
        if found["low"] == found["low"]:
            row |= {"low": found["low"], "high": found["high"], "interval": f"{confidence:.0%} confidence"}
        yield row


def _divided(held: Leavers, each: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Of each group rated at the start, how many were not rated at the end."""
    apart = each.set_index(["variable", "level"])["standardised"]
    for by, of in held.pooled.items():
        for group, own in held.stopped.groupby(of):
            yield register.share(
                STOPPED, str(group), int(own.sum()), len(own), of="those rated at the start", n_of="leaders",
                what=START, by=words.plain(by), standardised=apart[by, str(group)],
            )  # fmt: skip
