"""What do many places need alike?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import raters as rater_stats
from evalkit.team.scored import INSIDERS, Scored, scored
from evalkit.terms import Design, Level, Sign, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evalkit.programme import Programme
    from evalkit.stats.raters import KendallW

QUESTION = "What do many places need alike, that the programme could be fitted to?"
LEAST_PEOPLE = 2
"""A place counts when this many people scored it: what one person finds lowest is that person's answer, and a count of
such places would tell it."""
RANGE = 0.95
"""How often one domain stays within its range, when nothing but chance orders domains."""
AGREED = 0.05
"""Places whose order would come of chance less often than this have an order in common."""
RULE = "what ties with the last of them counts too"
NEAR = 1e-12
"""Rounding in sums of chances."""
SIGN_RULE = (
    "Signs: a domain among them more often than chance would give is something to ask about (uncertain), and so is "
    "having no order in common; neither is a failing."
)
METHOD = Method(
    name="Places where a domain's mean is among the lowest of its place, against dealing each place's domains anew; "
    "Kendall's W of places over domains",
    source="Chance: each place's lowest are as likely to be any of its domains, so counts follow a Poisson-binomial "
    "(Wang 1993, Statistica Sinica 3(2), 295-312), whose range holds each domain in 95 of 100. "
    "W: Kendall and Babington Smith 1939, Annals of Mathematical Statistics 10(3), 275-287; p by permutation.",
    assumes="The steps of the scale mean the same in every domain; places are independent of each other.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True)
class _Chance:
    """How many places a domain is among the lowest of by chance: from low to high, and how likely above it."""

    low: int
    high: int
    above: float


@dataclass(frozen=True, slots=True)
class _Found:
    """The means of the places that count, which of their domains are lowest, and what chance would give."""

    asked: Scored
    wave: int
    lowest: int
    means: pd.DataFrame
    """A row a place, a column a domain."""
    least: pd.DataFrame
    """Of the same shape: whether the domain is among the lowest of its place."""
    left_out: int
    people: int
    chance: _Chance
    agreement: KendallW | None
    """None where no place tells its domains apart."""

    @property
    def places(self) -> int:
        return len(self.means)

    @property
    def counts(self) -> pd.Series[int]:
        """In how many places each domain is among the lowest."""
        return self.least.sum()

    @property
    def often(self) -> list[str]:
        """The domains that are it in more places than chance would give, in the tool's order."""
        return [str(key) for key, n in self.counts.items() if n > self.chance.high]

    @property
    def among(self) -> str:
        end = "lowest" if self.asked.instrument.better == "higher" else "highest"
        return f"the {end}" if self.lowest == 1 else f"among the {self.lowest} {end}"

    def said(self, key: str) -> str:
        """A domain with its count of places."""
        return f"{self.label(key)} in {words.of(int(self.counts[key]), self.places)} {self.asked.subject}s"

    def label(self, key: str) -> str:
        return self.asked.instrument.domain_labels[key]


def common_needs(
    programme: Programme,
    *,
    on: str = "icfat",
    rater: str = INSIDERS,
    subject: str | None = None,
    wave: int | None = None,
    lowest: int = 2,
    permutations: int = 9_999,
    seed: int = 1,
) -> Result:
    """What do many places need alike, that the programme could be fitted to?

    Needs: `responses` about two places or more (or teams, or organisations) on the instrument `on` by one kind of
    `rater`. Of each place the `lowest` domains are counted, at the last wave unless `wave` says another; what ties with
    the last of them counts too. Places scored by one person alone, or not on every domain, are left out and counted. A
    low score may show clear sight as much as need, so a domain found low in many places is a question for a meeting.
    Columns: n (places) of out_of, low to high (what chance would give, all domains together), mean (over places),
    p (of Kendall's W), sign, ask.
    Errors: `ValueError` for a wave nobody scored at or a `lowest` the domains do not allow; `NotEnoughEvidence` for
    fewer than two such places, one domain only, or too few people in all.

    >>> import evalkit as ek
    >>> common_needs(ek.load("sample_data/northmere")).table["interval"].iloc[0]
    'range expected by chance'
    """
    if permutations * AGREED < 1:
        raise ValueError(f"permutations={permutations} gives no p under {AGREED:g}; give {round(1 / AGREED)} or more.")
    asked = scored(programme, on, rater=rater, subject=subject, question=QUESTION)
    found = _found(asked, wave, lowest, permutations, seed)
    table = register.table([*_rows(found), _agreement(found)], extras=("mean", "p"))
    evidence = grade(Design.DESCRIBED, informants=(words.raters(rater),))
    decided = described("What chance would give is set beside what was seen at one wave; no change is tested.")
    headline = _headline(found)
    call = (
        f"team.common_needs(on={on!r}, rater={rater!r}, subject={asked.subject!r}, wave={found.wave}, lowest={lowest}, "
        f"permutations={permutations}, seed={seed})"
    )
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(found),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(found, table, headline.text),
        chart=charts.named("bars"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(found),
        about=circumstances.about(
            programme, call, n=found.places, of=found.places + found.left_out, counts=f"{asked.subject}s"
        ),
        details=found.agreement,
    )


def _found(asked: Scored, wave: int | None, lowest: int, permutations: int, seed: int) -> _Found:
    keys = _domains(asked, lowest)
    at = asked.wave(wave)
    scores = asked.scores[(asked.scores["wave"] == at) & asked.scores["domain"].isin(keys)]
    by = scores.groupby(["subject_id", "domain"])
    people = by["respondent_id"].nunique().unstack().reindex(columns=keys)
    every = by["score"].mean().unstack().reindex(columns=keys).round(9)  # so that equal means tie
    means = every[(people >= LEAST_PEOPLE).all(axis="columns")]
    counted = scores[scores["subject_id"].isin(means.index)]["respondent_id"].nunique()
    _enough(asked, at, len(means), every, int(counted))
    rank = means.rank(axis="columns", method="min", ascending=asked.instrument.better == "higher")
    least = rank <= lowest
    return _Found(
        asked, at, lowest, means, least, len(every) - len(means), int(counted),
        _by_chance(least.sum(axis="columns") / len(keys)), _order(means, permutations, seed),
    )  # fmt: skip


def _domains(asked: Scored, lowest: int) -> list[str]:
    """The domains that can be set in an order, once it is known that `lowest` of them leaves some out."""
    keys = [domain.key for domain in asked.instrument.domains]
    if len(keys) == 1:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"{asked.instrument.name} has one domain, so none is lower than another.",
            would_answer="an instrument with several domains, such as icfat.",
        )
    if not 1 <= lowest < len(keys):
        raise ValueError(f"lowest={lowest} must be 1 to {len(keys) - 1}: {asked.instrument.name} has {len(keys)}.")
    return keys


def _enough(asked: Scored, wave: int, places: int, every: pd.DataFrame, people: int) -> None:
    """Refuse where there is nothing in common to look for, or so few people that a count would tell what each said."""
    when, minimum = circumstances.when(asked.programme, wave), asked.programme.minimum_group
    if places < 2 or people < minimum:
        blank = [asked.instrument.domain_labels[str(key)] for key in every.columns[every.isna().all()]]
        silent = f" Nobody's answers gave a score on {words.listed(blank)}." if blank else ""
        whole = f"{words.of(places, len(every))} {asked.subject}s were"
        if len(every) == 1:
            whole = f"{'the only' if places else 'not even the only'} {asked.subject} was"
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"In {when} {whole} scored on every domain by {LEAST_PEOPLE} people or more, "
            f"{words.counted(people, 'person', 'people')} in all.{silent}",
            would_answer=f"answers of {minimum} people or more, about two {asked.subject}s or more.",
        )


def _by_chance(shares: pd.Series[float]) -> _Chance:
    """What chance gives one domain when each place's lowest could be any of its domains.

    `shares`: of each place, the share of its domains that are among its lowest. The count of one domain is then the sum
    of independent draws with these chances, a Poisson-binomial, worked out exactly.

    >>> _by_chance(pd.Series([0.25] * 12)).high
    6
    """
    chances: NDArray[np.float64] = np.array([1.0])
    for share in shares:
        chances = np.convolve(chances, [1 - share, share])
    below, tail = np.cumsum(chances), (1 - RANGE) / 2
    low, high = (int(np.argmax(below >= end - NEAR)) for end in (tail, 1 - tail))
    return _Chance(low, high, float(chances[high + 1 :].sum()))


def _order(means: pd.DataFrame, permutations: int, seed: int) -> KendallW | None:
    """How far places agree on the order of domains; nothing where all domains of every place are alike."""
    if (means.nunique(axis="columns") == 1).all():
        return None
    return rater_stats.kendall_w(means, permutations=permutations, seed=seed)


def _rows(found: _Found) -> list[dict[str, Any]]:
    """A row a domain, in the tool's order."""
    low, high = (100 * end / found.places for end in (found.chance.low, found.chance.high))
    often, means = found.often, found.means.mean()
    rows = []
    for key, n in found.counts.items():
        row = register.share(
            found.label(str(key)), ALL, int(n), found.places, of=f"{found.asked.subject}s where it is {found.among}",
            n_of=f"{found.asked.subject}s", mean=float(means[str(key)]),
        )  # fmt: skip
        row |= {"low": low, "high": high, "interval": "range expected by chance", "sign": "", "ask": ""}
        rows.append(register.signed(row, Sign.UNCERTAIN, _ask(found, str(key))) if key in often else row)
    return rows


def _ask(found: _Found, key: str) -> str:
    n = words.of(int(found.counts[key]), found.places)
    return (
        f"{found.label(key)} is {found.among} in {n} {found.asked.subject}s: is that need or clear sight, and what "
        "could the programme offer there?"
    )


def _agreement(found: _Found) -> dict[str, Any]:
    """The row of Kendall's W. Where there is no order in common, it is asked what each place needs of its own."""
    agreed, kind = found.agreement, found.asked.subject
    row = register.row(
        f"Agreement of {kind}s on the order of domains", ALL, n=found.places, unit="Kendall's W, from 0 to 1",
        n_of=f"{kind}s", estimate=math.nan if agreed is None else agreed.estimate,
        p=math.nan if agreed is None else agreed.p, out_of=None, sign="", ask="",
    )  # fmt: skip
    if agreed is not None and agreed.p < AGREED:
        return row
    ask = f"The {kind}s have no order of domains in common beyond chance: what does each of them need of its own?"
    return register.signed(row, Sign.UNCERTAIN, ask)


def _headline(found: _Found) -> Sentence:
    often = found.often
    if not often:
        return Sentence(
            f"No domain is {found.among} in more {found.asked.subject}s than chance would give",
            rows=tuple(range(found.least.shape[1])),
        )
    rows = tuple(found.means.columns.tolist().index(key) for key in often)
    more = words.listed([found.said(key) for key in often])
    return Sentence(f"{words.sentence_case(found.among)}, more often than by chance: {more}", rows=rows)


def _sentences(found: _Found) -> list[Sentence]:
    asked, kind = found.asked, found.asked.subject
    every = tuple(range(found.least.shape[1]))
    people = words.counted(found.people, "person", "people")
    took = (
        f"{people} scored {words.counted(found.places, kind)} in {circumstances.when(asked.programme, found.wave)} "
        f"({asked.instrument.name})."
    )
    counts = words.listed([f"{found.label(str(key))} {n}" for key, n in found.counts.items()])
    chance = found.chance
    said = [
        Sentence(took, rows=every),
        Sentence(
            f"{words.sentence_case(kind)}s where a domain is {found.among} of {len(every)}: {counts}; chance would "
            f"give {chance.low} to {chance.high} of {found.places}.",
            rows=every,
        ),
    ]
    return [*said, Sentence(_agreed(found), rows=(len(every),))]


def _agreed(found: _Found) -> str:
    agreed, kind = found.agreement, found.asked.subject
    if agreed is None:
        return f"All domains of each {kind} are scored alike, so there is no order to agree on."
    p = f"p {'under .001' if agreed.p < 0.001 else f'= {agreed.p:.3f}'.replace('0.', '.')}"
    return (
        f"How far {kind}s put the domains in one order: {words.number(agreed.estimate)} (Kendall's W; 1 is one order "
        f"for all, and with no order in common about {words.number(1 / agreed.judges)} would come of chance; {p})."
    )


def _marks(found: _Found, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar a domain, as long as its count of places."""
    kind, asked, chance = found.asked.subject, found.asked, found.chance
    what = f"{words.sentence_case(kind)}s where a domain is {found.among} (by chance: {chance.low} to {chance.high})"
    when = circumstances.when(asked.programme, found.wave)
    return register.bars(
        table,
        range(found.least.shape[1]),
        headline=headline,
        subtitle=f"{what}, {asked.instrument.name}, {asked.programme.title}, {when}",
    )


def _cautions(found: _Found) -> list[Sentence]:
    kind = found.asked.subject
    clear = "people see" if found.asked.rater != INSIDERS else "people see themselves"
    end = "low" if found.asked.instrument.better == "higher" else "high"
    said = [f"A {end} score is not yet a need: it may show that {clear} clearly. Ask before anything is offered."]
    tied = int((found.least.sum(axis="columns") > found.lowest).sum())
    if tied:
        has = "has" if tied == 1 else "have"
        said.append(f"{words.counted(tied, kind)} {has} more than {found.lowest} counted: {RULE}.")
    if found.left_out:
        was = "was" if found.left_out == 1 else "were"
        said.append(
            f"{words.counted(found.left_out, kind)} {was} left out: scored by one person alone, or not on every domain."
        )
    said.append(f"Every {kind} counts the same, however many people scored it; with few, its order is partly chance.")
    by_luck = round(100 * len(found.counts) * found.chance.above)
    said.append(
        f"{len(found.counts)} domains were looked at together: if nothing but chance ordered them, one or more would "
        f"lie above the range in up to {by_luck} of 100 programmes."
    )
    said.append("The same step may be harder to reach in one domain than in another, everywhere.")
    return [*(Sentence(text) for text in [*said, SIGN_RULE]), *found.asked.cautions()]
