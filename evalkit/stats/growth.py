"""Growth over several waves from everybody who answered: one line for all, and how people and teams differ from it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.stats.mixed_fit import Mixed, Rows, fitted
from evalkit.stats.mixed_rows import (
    Coded,
    Kept,
    coded,
    kept,
    listed,
    numbers,
    patterns,
    require_nested,
    require_of_person,
    require_once,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from evalkit.stats.mixed_fit import Told

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.intp]

__all__ = ["Growth", "Mixed", "in_teams", "model"]

LEAST_PEOPLE = 3
"""Fewer leave the errors one degree of freedom or none. Where to stop judging is for those who ask (rooms: 5)."""

SLOPES_NEED = 5
"""People who answered at three times or more, below which slopes of people are not told from the residual. Two times
never tell them. Judgement: a variance of four slopes or fewer is guesswork, and the robust errors do not need it."""


@dataclass(frozen=True, slots=True, eq=False)
class Growth(Mixed):
    """A growth model. `estimate` to `p` are the change per unit of time, with `by` in its reference level (or at 0)."""


def model(
    frame: pd.DataFrame,
    *,
    outcome: str,
    time: str,
    person: str,
    team: str | None = None,
    by: str | None = None,
    covariates: Sequence[str] = (),
    confidence: float = 0.95,
) -> Growth:
    """A straight line over time in everybody's answers, by restricted maximum likelihood (REML).

    y = X b + u_i0 + u_i1 time + v_j + e: each person i has an intercept and a slope (correlated, normal), each team j
    an intercept. X: intercept, time, then `by` and time x `by`, then the covariates. Missing outcomes may depend on the
    outcomes that were given (missing at random). Sources: Laird & Ware (1982), Biometrics 38(4), 963-974; Bates et al.
    (2015), J. Statistical Software 67(1), equation 41 (criterion); Kuznetsova et al. (2017), JSS 82(13), 2.2 (df);
    Pustejovsky & Tipton (2018), JBES 36(4), 672-683 (CR2, here on the rows times V^-1/2).

    Read `robust`: cluster-robust by team, else by person, so that it holds when the variances are not as modelled. That
    is so whenever teams change differently (a team intercept does not hold that) or a ceiling bends the answers.
    `fixed` is the model's own errors, as lmerTest gives them. Nominal 5 %, simulated for this project (500 sets a cell,
    Monte Carlo error 1): two arms of 3 to 10 teams that change differently, normal or at a ceiling: `robust` erred in
    4.0-6.8 %, `fixed` in 11-20 %. One line, 15 to 100 people, a quarter leaving after low answers: `robust` missed in
    3.4-7.6 % (4.5-6.3 % where repeated with 1,500 or more), `fixed` with teams in 2-15 %.

    frame: a row an answer. outcome, time: numbers, in any units; slopes are per unit of time. person, team, by,
    covariates: one value a person. by and covariates that are not numbers become contrasts, `arm[T.new]`,
    `wave:arm[T.new]`, to the first category or the first in sorted order (`references`). Slopes of people are fitted
    when five people answered at three times or more, else intercepts only (`random` says so).

    The rule for boundaries. A variance at zero, or a correlation at 1 or -1, is a model with fewer variances and the
    same maximum. Those at zero are left out (team, or the direction in which people do not differ; with none left it is
    least squares), and the information on the rest gives Satterthwaite's df. For terms that only vary between teams
    these would be the number of rows, as if teams could not differ; so at any boundary `fixed` carries the smaller of
    them and the CR2 df. `boundary` says all this; it is believed after three starts.

    Errors: ValueError for rows with an outcome and something else missing, people in two teams or twice at one time,
    by or covariates that change in a person, fewer than 3 people, one time, nobody twice, one team, one person to each
    team, terms that are sums of others, nothing left to vary, infinite values, or a term that one team alone decides.

    >>> frame = pd.DataFrame({"leader": list("aaabbbcccdddeee"), "wave": [0, 1, 2] * 5,
    ...     "score": [2.0, 2.5, 3.4, 3.0, 3.2, 3.1, 1.5, 2.5, None, 2.2, 2.9, 3.9, 3.5, 3.4, 4.1]})
    >>> found = model(frame, outcome="score", time="wave", person="leader")
    >>> print(f"{found.estimate:.2f} a wave ({found.low:.2f} to {found.high:.2f}), {found.n} people, {found.random}")
    0.53 a wave (0.01 to 1.04), 5 people, intercept by person (no slopes: 4 people at three times or more, 5 are needed)
    """
    more = [covariates] if isinstance(covariates, str) else list(covariates)
    others = [time, person, *([team] if team else []), *([by] if by else []), *more]
    rows = kept(frame, outcome=outcome, others=others)
    who, names = _codes(rows, person)
    if len(names) < LEAST_PEOPLE:
        raise ValueError(f"People with an outcome: {len(names)}; {LEAST_PEOPLE} are needed to see how people differ.")
    when = numbers(rows.frame[time], "time")
    if when.min() == when.max():
        raise ValueError(f"Every outcome is of one time ({when[0]:g}); growth needs two.")
    terms = _terms(rows, when, time, by, more, who, names)
    teams = None if team is None else _teams(rows, team, who, names)
    read, random = _in_order(rows.outcome, when, who, names, terms, teams)
    return Growth(
        **_told(fitted(read, confidence), time, rows, confidence),
        n=len(names),
        teams=None if teams is None else int(teams.max()) + 1,
        random=random if teams is None else f"{random}, intercept by team",
        references=_named(terms),
    )


def in_teams(
    frame: pd.DataFrame, *, outcome: str, team: str, terms: Sequence[str] = (), confidence: float = 0.95
) -> Mixed:
    """One answer a person, people in teams: y = X b + v_j + e with an intercept a team, by REML.

    X: intercept, then `terms` (numbers as they are, words as contrasts); `estimate` to `p` are those of the first of
    them, of the mean without any. Errors, degrees of freedom, boundary rule and sources as in `model`. With fewer than
    ten teams and a term that only varies between teams, `clusters.means` and `clusters.permute` are the plainer answer.

    Errors: as in `model`, where they apply; one team, or one person in each.

    >>> frame = pd.DataFrame({"team": list("aaabbbcccddd"), "trust": [3.0, 4, 3, 2, 3, 3, 4, 5, 4, 3, 2, 2]})
    >>> found = in_teams(frame, outcome="trust", team="team")
    >>> print(f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f}), df {found.df:.0f}, {found.teams} teams")
    3.17 (1.76 to 4.57), df 3, 4 teams
    """
    more = [terms] if isinstance(terms, str) else list(terms)
    rows = kept(frame, outcome=outcome, others=[team, *more])
    where, names = _codes(rows, team)
    if len(names) < 2 or len(names) == len(where):
        raise ValueError(
            f"{len(where)} people in {len(names)} teams: at least two teams, one of them of two, are needed."
        )
    columns = [Coded(("intercept",), np.ones((len(where), 1)), ""), *(coded(rows.frame[each], each) for each in more)]
    order = np.argsort(where, kind="stable")
    starts = np.flatnonzero(np.diff(where[order], prepend=-1))
    sizes = np.diff(starts, append=len(where))
    read = Rows(
        outcome=rows.outcome[order],
        design=np.column_stack([each.values for each in columns])[order],
        terms=tuple(term for each in columns for term in each.terms),
        z=np.ones((len(where), 1)),
        starts=starts,
        pattern=np.asarray(pd.factorize(sizes)[0], dtype=np.intp),
        team=None,
        what="team",
    )
    told = fitted(read, confidence)
    first = read.terms[1] if len(read.terms) > 1 else read.terms[0]
    return Mixed(
        **_told(told, first, rows, confidence),
        n=len(where),
        teams=len(names),
        random="intercept by team",
        references=_named(columns),
    )


def _told(told: Told, term: str, rows: Kept, confidence: float) -> dict[str, Any]:
    """What both kinds of model say of themselves."""
    line = told.robust[told.robust["term"] == term].iloc[0]
    return {
        "term": term,
        **{name: float(line[name]) for name in ("estimate", "low", "high", "se", "df", "p")},
        "n_rows": len(rows.outcome),
        "n_missing": rows.missing,
        "confidence": confidence,
        "reml_criterion": told.reml_criterion,
        "boundary": told.boundary,
        "variances": told.variances,
        "_fixed": told.fixed,
        "_robust": told.robust,
    }


def _codes(rows: Kept, column: str) -> tuple[Codes, list[Any]]:
    codes, names = pd.factorize(rows.frame[column])
    return np.asarray(codes, dtype=np.intp), list(names)


def _named(terms: Sequence[Coded]) -> Mapping[str, str]:
    """Of each column of words, the level its terms are contrasts to."""
    return MappingProxyType({each.terms[0].split("[T.")[0]: each.reference for each in terms if each.reference})


def _terms(
    rows: Kept,
    when: Numbers,
    time: str,
    by: str | None,
    covariates: Sequence[str],
    who: Codes,
    names: Sequence[Any],
) -> list[Coded]:
    terms = [Coded(("intercept",), np.ones((len(when), 1)), ""), Coded((time,), when[:, None], "")]
    for column in [*([by] if by else []), *covariates]:
        require_of_person(rows.frame[column], who, names)
        found = coded(rows.frame[column], column)
        terms.append(found)
        if column == by:
            crossed = tuple(f"{time}:{term}" for term in found.terms)
            terms.append(Coded(crossed, found.values * when[:, None], ""))
    return terms


def _in_order(
    outcome: Numbers, when: Numbers, who: Codes, names: Sequence[Any], terms: Sequence[Coded], teams: Codes | None
) -> tuple[Rows, str]:
    """Rows by person and time, ready to be fitted, and which random effects of people these can tell."""
    order = require_once(who, when, names)
    when, starts = when[order], np.flatnonzero(np.diff(who[order], prepend=-1))
    if len(starts) == len(when):
        raise ValueError("Nobody has outcomes at two times, so change is not seen in anybody; compare groups instead.")
    z, random = _slopes(when, starts)
    read = Rows(
        outcome=outcome[order],
        design=np.column_stack([each.values for each in terms])[order],
        terms=tuple(term for each in terms for term in each.terms),
        z=z,
        starts=starts,
        pattern=patterns(when, starts),
        team=teams,
        what="person",
        origin=float(when.mean()),
        unit_time=float(when.std()),
    )
    return read, random


def _slopes(when: Numbers, starts: Codes) -> tuple[Numbers, str]:
    """Z: ones, and centred time where slopes of people can be told from the residual; and this in words."""
    thrice = int((np.diff(starts, append=len(when)) >= 3).sum())
    ones = np.ones(len(when))
    if thrice < SLOPES_NEED:
        few = f"no slopes: {thrice} people at three times or more, {SLOPES_NEED} are needed"
        return ones[:, None], f"intercept by person ({few})"
    return np.column_stack([ones, (when - when.mean()) / when.std()]), "intercept and slope by person"


def _teams(rows: Kept, team: str, who: Codes, names: Sequence[Any]) -> Codes:
    codes, teams = _codes(rows, team)
    nested = require_nested(who, codes, names)
    if len(teams) < 2:
        raise ValueError(
            f"All people are in one team ({listed(teams)}); leave team out, its intercept is the intercept."
        )
    if len(teams) == len(names):
        raise ValueError("Each team has one person, so that teams are people; leave team out.")
    return nested
