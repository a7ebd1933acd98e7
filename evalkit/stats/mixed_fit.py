"""From rows in order to a fitted mixed model: terms with two kinds of errors, variances, and words on those at 0."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.stats import clusters, reml, whitening
from evalkit.stats.clustered_rows import require_full_rank
from evalkit.stats.satterthwaite import degrees_of_freedom
from evalkit.stats.student import NO_SPREAD, t_interval, t_p

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.intp]

NOTHING_LEFT = 1e-10
"""Share of the sum of squares: less than this left beside each unit's own line is rounding, not residual."""

DECIDES = 1e-6
"""A cluster whose leverage is within this of one decides a term alone: the others then say nothing of how it varies."""

SLIGHT = 1e-8
"""A variance below this share of the residual's is spoken of as zero (lme4 calls a fit singular at the same size)."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A mixed model. `estimate`, `low`, `high`, `se`, `df`, `p` are those of `term` in `robust`, the frame to read.

    n people gave n_rows outcomes; n_missing rows had none. teams: how many, None when no team was named.
    random: the random effects fitted, in words. references: the level each term `column[T.level]` is a contrast to.
    reml_criterion: -2 restricted log likelihood, with the constant of lme4.
    boundary: "" or, in words, which variance came out as zero or which correlation as 1, and what was done.
    """

    term: str
    estimate: float
    low: float
    high: float
    n: int
    n_rows: int
    n_missing: int
    teams: int | None
    se: float
    df: float
    p: float
    confidence: float
    random: str
    reml_criterion: float
    boundary: str
    references: Mapping[str, str]
    variances: Mapping[str, float]
    _fixed: pd.DataFrame = field(repr=False)
    _robust: pd.DataFrame = field(repr=False)

    @property
    def fixed(self) -> pd.DataFrame:
        """A row a term: term, estimate, se, df, low, high, p. Errors of the model, Satterthwaite's df."""
        return self._fixed.copy(deep=False)

    @property
    def robust(self) -> pd.DataFrame:
        """The same terms with CR2 errors and their degrees of freedom, by team, or by person when no team was named."""
        return self._robust.copy(deep=False)

    def interval(self, confidence: float) -> tuple[float, float]:
        """The robust interval of `term` at another level of confidence."""
        return t_interval(self.estimate, self.se, self.df, confidence)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows sorted by unit. starts: first row of each unit; pattern and team: a number a unit; z: rows x 1 or 2.

    origin and unit_time: z's second column is (time - origin)/unit_time. what: "person" or "team", who the units are.
    """

    outcome: Numbers
    design: Numbers
    terms: tuple[str, ...]
    z: Numbers
    starts: Codes
    pattern: Codes
    team: Codes | None
    what: str
    origin: float = 0.0
    unit_time: float = 1.0

    @property
    def cluster(self) -> Codes:
        """Of each row, what the robust errors take as independent."""
        of_unit = np.arange(len(self.starts)) if self.team is None else self.team
        return np.repeat(of_unit, np.diff(self.starts, append=len(self.outcome)))


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a fit found, before anybody's column names are put to it."""

    fixed: pd.DataFrame
    robust: pd.DataFrame
    variances: Mapping[str, float]
    reml_criterion: float
    boundary: str


def fitted(rows: Rows, confidence: float) -> Told:
    """The model of these rows; see `growth.model` for what it says and when it refuses."""
    if rows.design.shape[1] >= len(rows.outcome):
        raise ValueError(f"{len(rows.terms)} terms need more than {len(rows.outcome)} rows with an outcome.")
    basis, triangle = np.linalg.qr(rows.design)
    require_full_rank(triangle, rows.terms)
    known = basis.T @ rows.outcome
    rest = rows.outcome - basis @ known
    scale = float(np.sqrt(np.mean(rest**2)))
    if not scale > NO_SPREAD * float(np.abs(rows.outcome).max()):
        raise ValueError("The terms give every outcome exactly (all equal, or as many terms as rows): nothing varies.")
    scaled = np.column_stack([basis, rest / scale])
    sums, own = reml.sums(scaled, rows.z, rows.starts, rows.pattern, rows.team)
    require_residual(sums, rows.what)
    fit = reml.maximise(sums)
    left = len(rest) - len(rows.terms)
    white = whitening.by_units(scaled, rows.z, rows.starts, own, sums.gram[rows.pattern], fit)
    white = white[:, :-1] if rows.team is None else whitening.by_groups(white, rows.cluster, fit.tau)
    robust = _robust(rows, white[:, :-1], white[:, -1] * scale, triangle, known, confidence)
    weights = np.linalg.inv(triangle)
    df = degrees_of_freedom(fit, weights, left)
    boundary = _boundary(fit, rows)
    fixed = _table(
        rows.terms,
        weights @ (known + scale * fit.best.beta),
        scale * np.sqrt(np.einsum("tp,pq,tq->t", weights, fit.best.covariance, weights)),
        np.minimum(df, robust["df"].to_numpy()) if boundary else df,
        confidence,
    )
    volume = 2 * float(np.log(np.abs(np.diag(triangle))).sum()) + 2 * left * float(np.log(scale))
    return Told(fixed, robust, _variances(fit, rows, scale), fit.best.criterion + volume, boundary)


def _table(terms: tuple[str, ...], estimate: Numbers, se: Numbers, df: Numbers, confidence: float) -> pd.DataFrame:
    judged = list(zip(estimate.tolist(), se.tolist(), df.tolist(), strict=True))
    intervals = [t_interval(*each, confidence) for each in judged]
    return pd.DataFrame(
        {
            "term": terms,
            "estimate": estimate,
            "se": se,
            "df": df,
            "low": [low for low, _ in intervals],
            "high": [high for _, high in intervals],
            "p": [t_p(*each) for each in judged],
        }
    )


def _robust(
    rows: Rows, basis: Numbers, rest: Numbers, triangle: Numbers, known: Numbers, confidence: float
) -> pd.DataFrame:
    """CR2 of the whitened rows. The turn of the root does not matter: only X'V^-1X and X'V^-1e of a cluster enter."""
    who, many = ("person", "people") if rows.team is None and rows.what == "person" else ("team", "teams")
    cluster = rows.cluster
    alone = _told_by_one(basis, triangle, cluster)
    if any(alone):
        said = ", ".join(term for term, one in zip(rows.terms, alone, strict=True) if one)
        raise ValueError(
            f"Only one {who} tells of {said}, so how {many} differ in it is unknown. Merge levels, or leave it out "
            "and describe it."
        )
    design = pd.DataFrame(basis @ triangle, columns=list(rows.terms))
    found = clusters.cr2(rest + basis @ known, design, cluster, confidence=confidence).table
    same = found.loc[~(found["se"] > NO_SPREAD * float(np.abs(rows.outcome).max())), "term"].tolist()
    if same:
        raise ValueError(f"No {who} differs from another in {', '.join(same)}, so there is no error to judge it by.")
    return found


def _told_by_one(basis: Numbers, triangle: Numbers, cluster: Codes) -> list[bool]:
    """Of each term, whether one cluster decides it: its leverage in a direction of that term is 1.

    `cr2` then knows only how the others vary and takes the one on trust; so the term's error would come out too small.
    """
    root = np.linalg.cholesky(basis.T @ basis)
    turned = np.linalg.solve(root, basis.T).T
    share = np.bincount(cluster, weights=(turned**2).sum(axis=1))
    alone = np.zeros(len(triangle), dtype=bool)
    size = np.sqrt(((basis @ triangle) ** 2).sum(axis=0))
    for one in np.flatnonzero(share >= 1 - DECIDES):
        rows = turned[cluster == one]
        values, vectors = np.linalg.eigh(rows.T @ rows)
        directions = np.linalg.solve(triangle, np.linalg.solve(root.T, vectors[:, values >= 1 - DECIDES]))
        weight = np.abs(directions) * size[:, None]
        alone |= (weight > 1e-6 * weight.max(axis=0, initial=1e-300)).any(axis=1)
    return [bool(each) for each in alone]


def require_residual(sums: reml.Sums, what: str) -> None:
    """ValueError where each unit's own mean (or line) and the terms leave nothing to tell a residual by."""
    inverse = np.linalg.pinv(sums.gram, hermitian=True)
    inside = sums.total - (inverse.reshape(-1) @ sums.squares).reshape(sums.total.shape)
    values, vectors = np.linalg.eigh(inside[:-1, :-1])
    seen = values > NOTHING_LEFT
    turned = (vectors.T @ inside[:-1, -1])[seen]
    residual = float(inside[-1, -1] - (turned**2 / values[seen]).sum())
    taken = float(sums.units @ np.linalg.matrix_rank(sums.gram, hermitian=True))
    if sums.n - taken - seen.sum() < 1 or residual <= NOTHING_LEFT * float(sums.total[-1, -1]):
        own = "own mean" if sums.gram.shape[1] == 1 else "own straight line"
        raise ValueError(
            f"Beside each {what}'s {own} and the terms nothing is left to vary, so there is no residual to judge by. "
            "Use fewer terms, or take one change a person and compare these (`change.paired`, `clusters.means`)."
        )


def _variances(fit: reml.Fit, rows: Rows, scale: float) -> Mapping[str, float]:
    residual = fit.best.scale * scale**2
    root = _own_units(fit.root, rows)
    psi = residual * (root @ root.T)
    found = {f"{rows.what} intercept" if rows.what == "person" else "team": float(psi[0, 0])}
    if len(psi) == 2:
        found |= {"person slope": float(psi[1, 1]), "intercept-slope covariance": float(psi[0, 1])}
    if rows.team is not None:
        found["team intercept"] = fit.tau * residual
    return MappingProxyType(found | {"residual": residual})


def _own_units(root: Numbers, rows: Rows) -> Numbers:
    """L for intercepts at time 0 and slopes per unit of time, from those for centred and scaled time."""
    if len(root) == 1:
        return root
    return np.array([[1.0, -rows.origin / rows.unit_time], [0.0, 1 / rows.unit_time]]) @ root


def _boundary(fit: reml.Fit, rows: Rows) -> str:
    """Which variances are zero and what was done, "" when none is."""
    zeros = []
    if fit.shape.rank < fit.shape.columns:
        zeros.append(_of_units(fit, rows))
    if rows.team is not None and not fit.shape.groups:
        zeros.append("the variance between teams came out as zero")
    if not zeros:
        return ""
    bare = " Nothing else is random, so this is ordinary least squares." if not (fit.shape.rank or fit.tau) else ""
    said = " and ".join(zeros)
    return (
        f"{said[0].upper()}{said[1:]}. It was left out of what is estimated.{bare} Degrees of freedom in `fixed` are "
        "the smaller of Satterthwaite's without it and those of CR2; read `robust`."
    )


def _of_units(fit: reml.Fit, rows: Rows) -> str:
    if not fit.shape.rank:
        return f"the variance between {'people' if rows.what == 'person' else 'teams'} came out as zero"
    sizes = fit.root[:, 0] ** 2
    if sizes[1] < SLIGHT:
        return "the variance of people's slopes came out as zero"
    start, slope = _own_units(fit.root, rows)[:, 0].tolist()
    sign = "1" if start * slope > 0 else "-1"
    return f"people's intercepts and slopes came out as correlated {sign}, so that people differ in one direction only"
