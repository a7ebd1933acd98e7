"""The growth model: against lme4, lmerTest and clubSandwich, against statsmodels, and against what must be so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import change, clusters, growth, mixed_rows, reml, whitening

TERMS: dict[str, Any] = {"outcome": "score", "time": "wave", "person": "person"}
COLUMNS = ["estimate", "se", "df", "low", "high", "p"]


def simulated(
    seed: int,
    *,
    teams: int = 8,
    size: int = 5,
    waves: int = 4,
    gaps: float = 0.1,
    slopes: float = 0.3,
    between: float = 0.5,
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    team = np.repeat(np.arange(teams), size)
    people = len(team)
    wave = np.tile(np.arange(float(waves)), people)
    person = np.repeat(np.arange(people), waves)
    own = rng.normal(size=people) + rng.normal(0, between, teams)[team]
    score = 3 + own[person] + (0.2 + rng.normal(0, slopes, people)[person]) * wave + rng.normal(0, 0.6, people * waves)
    frame = pd.DataFrame(
        {
            "person": [f"P{number:03d}" for number in person],
            "team": [f"team {number}" for number in team[person]],
            "arm": np.where(team[person] % 2, "new", "usual"),
            "wave": wave,
            "score": score,
        }
    )
    return frame.assign(score=frame["score"].where(rng.random(len(frame)) >= gaps))


def test_sleepstudy_as_lmertest_gives_it(reference: Path) -> None:
    """R 4.2.2, lme4 1.1-31, lmerTest 3.1-3:

    > m <- lmer(Reaction ~ Days + (Days|Subject), sleepstudy); coef(summary(m)); REMLcrit(m); VarCorr(m)
                    Estimate  Std. Error          df      t value        Pr(>|t|)
    (Intercept) 251.40510485 6.824596695 16.99972629 36.838089646 1.171558111e-17
    Days         10.46728596 1.545789644 16.99998373  6.771481489 3.263824470e-06
    [1] 1743.628272
    Subject (Intercept) 612.100158025, Days 35.071714451, covariance 9.604408951; Residual 654.940008260

    lmer stops some 2e-6 before the maximum, which balanced data give in closed form: residual 654.9410270723 (mean
    square about the people's own lines), error of Days 1.5457888963 (sd of the 18 slopes over root 18).
    """
    frame = pd.read_csv(reference / "people" / "sleepstudy.csv")
    found = growth.model(frame, outcome="Reaction", time="Days", person="Subject")
    days = found.fixed.loc[1]
    assert found.fixed["term"].tolist() == ["intercept", "Days"]
    assert days["estimate"] == pytest.approx(10.46728596, abs=1e-7)
    assert days["se"] == pytest.approx(1.5457888963, abs=1e-9)
    assert found.fixed["df"].tolist() == pytest.approx([17, 17], abs=1e-5)
    assert days["p"] == pytest.approx(3.26382447e-06, rel=2e-5)
    assert found.reml_criterion == pytest.approx(1743.628272, abs=1e-6)
    assert found.variances == pytest.approx(
        {
            "person intercept": 612.100158025,
            "person slope": 35.071714451,
            "intercept-slope covariance": 9.604408951,
            "residual": 654.940008260,
        },
        rel=2e-5,
    )
    assert found.variances["residual"] == pytest.approx(654.9410270723, abs=1e-6)
    assert (found.boundary, found.n, found.n_rows, found.n_missing, found.teams) == ("", 18, 180, 0, None)
    # balanced, so that the robust error is that of the 18 slopes too
    assert found.robust.loc[1, ["se", "df"]].tolist() == pytest.approx([1.5457888963, 17], abs=1e-6)


GONE = [3, 7, 15, 28, 29, 30, 44, 60, 61, 99, 100, 131, 155, 156, 157, 158, 159]
TEAM_OF = [1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6]


def with_gaps(reference: Path) -> pd.DataFrame:
    frame = pd.read_csv(reference / "people" / "sleepstudy.csv")
    frame["team"] = [TEAM_OF[code] for code in pd.factorize(frame["Subject"])[0]]
    return frame.assign(Reaction=frame["Reaction"].where(~frame.index.isin([row - 1 for row in GONE])))


def test_gaps_without_teams(reference: Path) -> None:
    """R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, clubSandwich 0.5.8; d2 is sleepstudy without the rows GONE.

    > m <- lmer(Reaction ~ Days + (Days|Subject), d2); coef(summary(m)); REMLcrit(m)
    (Intercept) 251.99625287 7.231451771 16.52530975 34.847256240 6.618321696e-17
    Days         10.47368984 1.548553570 17.07267008  6.763530852 3.239177217e-06
    [1] 1557.544703
    > Z <- getME(m,"Z"); L <- getME(m,"Lambda"); V <- as.matrix(Z%*%L%*%t(L)%*%t(Z)) + diag(nrow(Z))
    > R <- solve(t(chol(V))); y <- as.numeric(R%*%getME(m,"y")); X <- R%*%getME(m,"X")
    > coef_test(lm(y ~ 0 + X), vcov="CR2", cluster=d2$Subject)   # rhoend=1e-10
    (Intercept) 251.99625235 7.231906694 34.845064102 16.98222870
    Days         10.47368954 1.549222293  6.760611175 16.93004181
    """
    found = growth.model(with_gaps(reference), outcome="Reaction", time="Days", person="Subject")
    assert found.reml_criterion == pytest.approx(1557.544703, abs=1e-6)
    assert found.fixed["estimate"].tolist() == pytest.approx([251.99625287, 10.47368984], rel=1e-7)
    assert found.fixed["se"].tolist() == pytest.approx([7.231451771, 1.548553570], rel=1e-5)
    assert found.fixed["df"].tolist() == pytest.approx([16.52530975, 17.07267008], rel=1e-4)
    assert found.robust["se"].tolist() == pytest.approx([7.231906694, 1.549222293], rel=1e-7)
    assert found.robust["df"].tolist() == pytest.approx([16.98222870, 16.93004181], rel=1e-6)
    assert (found.n_rows, found.n_missing) == (163, 17)


def test_gaps_and_teams(reference: Path) -> None:
    """As above, with the teams TEAM_OF:

    > m <- lmer(Reaction ~ Days + (Days|Subject) + (1|team), d2)   # bobyqa, rhoend=1e-10
    (Intercept) 251.54981565 8.173969474  5.407380239 30.774499031 2.781312538e-07
    Days         10.47782725 1.549903156 17.069400056  6.760310936 3.262053828e-06
    [1] 1557.249636
    Subject (Intercept) 620.243624799, Days 35.159982939, covariance 7.665895584; team 122.213918442;
    Residual 540.940900760
    > coef_test(lm(y ~ 0 + X), vcov="CR2", cluster=d2$team)
    (Intercept) 251.54981565 8.389372311 29.984342847 4.905120999
    Days         10.47782725 1.527693676  6.858591758 4.801156675
    """
    found = growth.model(with_gaps(reference), outcome="Reaction", time="Days", person="Subject", team="team")
    assert found.reml_criterion == pytest.approx(1557.249636, abs=1e-6)
    assert found.fixed["estimate"].tolist() == pytest.approx([251.54981565, 10.47782725], rel=1e-7)
    assert found.fixed["se"].tolist() == pytest.approx([8.173969474, 1.549903156], rel=1e-5)
    assert found.fixed["df"].tolist() == pytest.approx([5.407380239, 17.069400056], rel=1e-3)
    assert found.robust["se"].tolist() == pytest.approx([8.389372311, 1.527693676], rel=1e-6)
    assert found.robust["df"].tolist() == pytest.approx([4.905120999, 4.801156675], rel=1e-6)
    assert list(found.variances.values()) == pytest.approx(
        [620.243624799, 35.159982939, 7.665895584, 122.213918442, 540.940900760], rel=1e-4
    )
    assert (found.teams, found.random) == (6, "intercept and slope by person, intercept by team")
    assert (found.low, found.high) == tuple(found.robust.loc[1, ["low", "high"]])
    assert found.interval(0.95) == pytest.approx((found.low, found.high))


def test_people_in_teams_as_lmertest_gives_it(reference: Path) -> None:
    """R 4.2.2, lme4 1.1-31, lmerTest 3.1-3: lmer(LEAD ~ PROG + (1|COMPID), lq2002_8teams)

    (Intercept)  3.1220137486 0.1383847927 5.152012430 22.5603817210 2.381826890e-06
    PROG        -0.1272458008 0.2023068925 5.804643103 -0.6289741255 5.532949747e-01
    [1] 551.9815348   COMPID 0.05641748171   Residual 0.59402461078
    """
    frame = pd.read_csv(reference / "people" / "lq2002_8teams.csv")
    found = growth.in_teams(frame, outcome="LEAD", terms=["PROG"], team="COMPID")
    prog = found.fixed.loc[1]
    assert (found.term, found.teams, found.boundary) == ("PROG", 8, "")
    assert (prog["estimate"], prog["se"]) == pytest.approx((-0.1272458008, 0.2023068925), abs=1e-7)
    assert found.fixed["df"].tolist() == pytest.approx([5.152012430, 5.804643103], rel=1e-5)
    assert found.reml_criterion == pytest.approx(551.9815348, abs=1e-7)
    assert found.variances == pytest.approx({"team": 0.05641748171, "residual": 0.59402461078}, rel=1e-6)


def test_no_variance_between_teams_never_borrows_the_rows(reference: Path) -> None:
    """R 4.2.2, lmerTest 3.1-3, pbkrtest 0.5.2, clubSandwich 0.5.8; singular: lmer(HOSTILE ~ PROG + LEAD + (1|COMPID))

    PROG 0.1384994372 0.11914834674 **230** (Satterthwaite); get_Lb_ddf (Kenward-Roger) 4.064280324; REML 613.0545303
    > coef_test(lm(HOSTILE ~ PROG + LEAD), vcov="CR2", cluster=COMPID)
    PROG 0.138 0.0529 2.62 4.44 0.0531      LEAD -0.530 0.0804 -6.58 5.54 <0.001
    """
    frame = pd.read_csv(reference / "people" / "lq2002_8teams.csv")
    found = growth.in_teams(frame, outcome="HOSTILE", terms=["PROG", "LEAD"], team="COMPID")
    assert found.reml_criterion == pytest.approx(613.0545303, abs=1e-7)
    assert (found.fixed["estimate"][1], found.fixed["se"][1]) == pytest.approx((0.1384994372, 0.11914834674), abs=1e-9)
    assert found.fixed["df"].max() < 6
    assert found.robust.loc[1, ["se", "df", "p"]].tolist() == pytest.approx([0.0529, 4.44, 0.0531], rel=2e-3)
    assert "variance between teams came out as zero" in found.boundary
    assert "read `robust`" in found.boundary
    assert found.variances["team"] == 0


def dense(frame: pd.DataFrame, psi: np.ndarray, tau: float) -> tuple[float, np.ndarray, np.ndarray]:
    """The criterion written out with rows x rows matrices, and V and W = [X, y]."""
    person, team = pd.factorize(frame["person"])[0], pd.factorize(frame["team"])[0]
    z = np.column_stack([np.ones(len(frame)), frame["wave"]])
    w = np.column_stack([z, frame["score"]])
    v = np.eye(len(frame)) + (person[:, None] == person) * (z @ psi @ z.T) + tau * (team[:, None] == team)
    inner = w.T @ np.linalg.solve(v, w)
    beta = np.linalg.solve(inner[:2, :2], inner[:2, 2])
    left, squares = len(w) - 2, inner[2, 2] - beta @ inner[:2, 2]
    volume = np.linalg.slogdet(v)[1] + np.linalg.slogdet(inner[:2, :2])[1]
    return float(volume + left * (1 + np.log(2 * np.pi * squares / left))), v, w


def collapsed(frame: pd.DataFrame) -> tuple[reml.Sums, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    person = pd.factorize(frame["person"])[0]
    starts = np.flatnonzero(np.diff(person, prepend=-1))
    z = np.column_stack([np.ones(len(frame)), frame["wave"]])
    rows = np.column_stack([z, frame["score"]])
    pattern = mixed_rows.patterns(frame["wave"].to_numpy(), starts)
    group = pd.factorize(frame["team"])[0][starts]
    sums, own = reml.sums(rows, z, starts, pattern, group)
    return sums, own, z, starts, pattern


@given(st.integers(0, 10_000), st.floats(0.0, 3.0), st.floats(-1.0, 1.0), st.floats(0.0, 2.0), st.floats(0.0, 2.0))
@settings(max_examples=15)
def test_the_criterion_is_its_formula(seed: int, level: float, cross: float, slope: float, tau: float) -> None:
    frame = simulated(seed, teams=4, size=3, gaps=0.25).dropna().reset_index(drop=True)
    root = np.array([[level, 0], [cross, slope]])
    sums, own, z, starts, pattern = collapsed(frame)
    found = reml.value(sums, root @ root.T, tau)
    wanted, v, w = dense(frame, root @ root.T, tau)
    assert found.criterion == pytest.approx(wanted, rel=1e-9)
    fit = reml.Fit(
        reml.Shape(2, 2, True),
        np.array([level, cross, slope, np.sqrt(tau)]),
        found,
        np.eye(4),
        np.zeros((4, 2, 2)),
    )
    columns = whitening.by_units(w, z, starts, own, sums.gram[pattern], fit)
    white = whitening.by_groups(columns, pd.factorize(frame["team"])[0], tau)
    np.testing.assert_allclose(white.T @ white, w.T @ np.linalg.solve(v, w), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("direction", ["level", "slope", "cross", "team"])
def test_the_gradient_is_that_of_the_formula(direction: str) -> None:
    frame = simulated(3, teams=4, size=4, gaps=0.2).dropna().reset_index(drop=True)
    psi, tau, by = np.array([[1.2, 0.3], [0.3, 0.5]]), 0.4, 1e-5
    moved = {"level": [[1, 0], [0, 0]], "slope": [[0, 0], [0, 1]], "cross": [[0, 1], [1, 0]], "team": [[0, 0], [0, 0]]}
    step, more = by * np.array(moved[direction], dtype=float), by * (direction == "team")
    found = reml.value(collapsed(frame)[0], psi, tau)
    wanted = (dense(frame, psi + step, tau + more)[0] - dense(frame, psi - step, tau - more)[0]) / (2 * by)
    assert (found.by_psi * step).sum() / by + found.by_tau * more / by == pytest.approx(wanted, rel=1e-6)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3]), st.sampled_from([0.0, 0.8]))
@settings(max_examples=15)
def test_no_nearby_variances_are_likelier(seed: int, slopes: float, between: float) -> None:
    frame = simulated(seed, slopes=slopes, between=between)
    found = growth.model(frame, **TERMS, team="team")
    given_rows = frame.dropna().reset_index(drop=True)
    residual = found.variances["residual"]
    psi = np.array(
        [
            [found.variances["person intercept"], found.variances["intercept-slope covariance"]],
            [found.variances["intercept-slope covariance"], found.variances["person slope"]],
        ]
    )
    sums = collapsed(given_rows)[0]
    best = reml.value(sums, psi / residual, found.variances["team intercept"] / residual).criterion
    assert best == pytest.approx(found.reml_criterion, abs=1e-6)
    rng = np.random.default_rng(seed)
    for size in (0.01, 0.1, 0.5):
        step = rng.normal(0, size, (2, 2))
        turned = (np.eye(2) + step) @ psi @ (np.eye(2) + step).T / residual + np.diag(size * rng.random(2) * 0.2)
        tau = found.variances["team intercept"] / residual * np.exp(rng.normal(0, size)) + 0.1 * size * rng.random()
        assert reml.value(sums, turned, tau).criterion >= found.reml_criterion - 1e-6


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_criterion_of_statsmodels(seed: int) -> None:
    # statsmodels 0.15, MixedLM, REML. bfgs comes out right for these three; its default does not always
    from statsmodels.regression.mixed_linear_model import MixedLM

    frame = simulated(seed, teams=5, size=4, gaps=0.15)
    found = growth.model(frame, **TERMS, by="arm")
    kept = frame.dropna()
    z = np.column_stack([np.ones(len(kept)), kept["wave"]])
    x = np.column_stack([z, (kept["arm"] == "usual").to_numpy()[:, None] * z])
    other = MixedLM(kept["score"].to_numpy(), x, kept["person"].to_numpy(), exog_re=z).fit(method=["bfgs"])
    assert found.boundary == ""
    assert found.reml_criterion == pytest.approx(-2 * other.llf, abs=1e-6)
    np.testing.assert_allclose(found.fixed["estimate"], other.fe_params, rtol=1e-3)


@given(st.integers(0, 10_000), st.integers(3, 40))
@settings(max_examples=25)
def test_two_complete_waves_are_the_paired_t(seed: int, people: int) -> None:
    rng = np.random.default_rng(seed)
    before = rng.normal(3, 1, people)
    after = before * rng.choice([-0.5, 0.0, 0.8]) + rng.normal(0.3, 1, people)
    frame = pd.DataFrame({"person": [*range(people)] * 2, "wave": [0] * people + [1] * people})
    found = growth.model(frame.assign(score=[*before, *after]), **TERMS)
    t = change.paired(before, after)
    assert found.robust.loc[1, COLUMNS].tolist() == pytest.approx(
        [t.estimate, t.se, t.df, t.low, t.high, t.p], rel=1e-7
    )
    assert "no slopes" in found.random


def test_two_complete_waves_of_equal_teams_in_arms_are_the_t_of_team_means() -> None:
    frame = simulated(5, waves=2, gaps=0)
    found = growth.model(frame, **TERMS, team="team", by="arm")
    wide = frame.pivot(index=["person", "team", "arm"], columns="wave", values="score").reset_index()
    t = clusters.means(wide[1.0] - wide[0.0], wide["team"], treated=wide["arm"] == "usual")
    row = found.robust.loc[3]
    assert row["term"] == "wave:arm[T.usual]"
    assert row[COLUMNS].tolist() == pytest.approx([t.estimate, t.se, t.df, t.low, t.high, t.p], rel=1e-7)


@given(st.integers(0, 10_000), st.floats(-5, 5), st.floats(0.1, 20), st.floats(-30, 30), st.floats(0.05, 12))
@settings(max_examples=20)
def test_other_units_and_origins(seed: int, shift: float, scale: float, origin: float, unit: float) -> None:
    frame = simulated(seed)
    once = growth.model(frame, **TERMS, team="team")
    other = frame.assign(score=shift + scale * frame["score"], wave=origin + unit * frame["wave"])
    again = growth.model(other, **TERMS, team="team")
    assert bool(once.boundary) == bool(again.boundary)
    for table, moved in ((once.fixed, again.fixed), (once.robust, again.robust)):
        assert moved["estimate"][1] == pytest.approx(table["estimate"][1] * scale / unit, rel=1e-5)
        assert moved["se"][1] == pytest.approx(table["se"][1] * scale / unit, rel=1e-4)
        assert moved["df"][1] == pytest.approx(table["df"][1], rel=2e-2)
        assert moved["p"][1] == pytest.approx(table["p"][1], rel=2e-2, abs=1e-9)
    assert again.variances["person slope"] == pytest.approx(
        once.variances["person slope"] * (scale / unit) ** 2, rel=1e-2, abs=1e-6 * (scale / unit) ** 2
    )
    wanted = once.reml_criterion + 2 * (once.n_rows - 2) * np.log(scale) + 2 * np.log(unit)
    assert again.reml_criterion == pytest.approx(wanted, abs=1e-4)


@given(st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_the_order_of_rows_and_other_names_do_not_matter(random: Any) -> None:
    frame = simulated(7)
    order = list(range(len(frame)))
    random.shuffle(order)
    once = growth.model(frame, **TERMS, team="team", by="arm")
    mixed = frame.iloc[order].assign(person=lambda rows: pd.Categorical(rows["person"]))
    again = growth.model(mixed, **TERMS, team="team", by="arm")
    np.testing.assert_allclose(again.fixed[COLUMNS], once.fixed[COLUMNS], rtol=1e-6)
    np.testing.assert_allclose(again.robust[COLUMNS], once.robust[COLUMNS], rtol=1e-6)


def test_times_that_hardly_anybody_shares() -> None:
    # more times than there are patterns to share: the same model, fitted person by person
    rng = np.random.default_rng(2)
    frame = simulated(2, gaps=0)
    frame["wave"] += rng.uniform(-0.2, 0.2, len(frame))
    found = growth.model(frame, **TERMS, team="team")
    psi = np.array([[0.9, 0.1], [0.1, 0.2]])
    sums = collapsed(frame)[0]
    assert len(sums.gram) == 40
    assert reml.value(sums, psi, 0.3).criterion == pytest.approx(dense(frame, psi, 0.3)[0], rel=1e-9)
    assert found.boundary == ""


def test_one_direction_of_people_is_said() -> None:
    # levels and slopes are one and the same thing in these people, with little noise
    rng = np.random.default_rng(4)
    own = np.repeat(rng.normal(size=20), 4)
    wave = np.tile(np.arange(4.0), 20)
    frame = pd.DataFrame({"person": np.repeat(np.arange(20), 4), "wave": wave})
    found = growth.model(frame.assign(score=own * (1 - 0.25 * wave) + rng.normal(0, 0.6, 80)), **TERMS)
    assert "correlated -1" in found.boundary
    v = found.variances
    assert v["intercept-slope covariance"] ** 2 == pytest.approx(v["person intercept"] * v["person slope"])
    assert (found.fixed["df"] <= found.robust["df"]).all()


def test_nothing_random_is_least_squares() -> None:
    # what people differ by lies across levels and lines, so that these differ less than the residual would make them
    rng = np.random.default_rng(1)
    bends = np.outer(rng.normal(size=8), [1, -1, -1, 1]) + np.outer(rng.normal(size=8), [-1, 3, -3, 1])
    frame = pd.DataFrame({"person": np.repeat(np.arange(8), 4), "wave": np.tile(np.arange(4.0), 8)})
    score = 3 + 0.5 * frame["wave"] + bends.ravel() + rng.normal(0, 0.1, 32)
    found = growth.model(frame.assign(score=score), **TERMS)
    slope = np.polyfit(frame["wave"], score, 1)[0]
    assert found.estimate == pytest.approx(slope)
    assert "least squares" in found.boundary
    assert (found.fixed["df"] <= found.robust["df"]).all()
    assert found.variances["person intercept"] == found.variances["person slope"] == 0


def test_words_become_contrasts_to_a_reference_that_is_named() -> None:
    frame = simulated(1).assign(role=lambda rows: np.where(rows["person"].str[-1] < "4", "nurse", "doctor"))
    frame["age"] = 30 + frame["person"].str[1:].astype(int) % 7
    found = growth.model(frame, **TERMS, team="team", by="arm", covariates=["role", "age"])
    assert found.fixed["term"].tolist() == [
        *("intercept", "wave", "arm[T.usual]", "wave:arm[T.usual]", "role[T.nurse]", "age")
    ]
    assert dict(found.references) == {"arm": "new", "role": "doctor"}
    ordered = frame["arm"].astype(pd.CategoricalDtype(["usual", "new", "none"]))
    other = growth.model(frame.assign(arm=ordered), **TERMS, by="arm")
    assert dict(other.references) == {"arm": "usual"}
    assert other.fixed["term"].tolist()[2:] == ["arm[T.new]", "wave:arm[T.new]"]
    numeric = growth.model(frame.assign(arm=(frame["arm"] == "new") * 1), **TERMS, by="arm")
    assert numeric.fixed["term"].tolist()[2:] == ["arm", "wave:arm"]
    np.testing.assert_allclose(numeric.fixed[COLUMNS], other.fixed[COLUMNS], rtol=1e-6)


def test_rows_without_an_outcome_are_counted_and_change_nothing() -> None:
    frame = simulated(9, gaps=0.2)
    found, alone = growth.model(frame, **TERMS), growth.model(frame.dropna(), **TERMS)
    assert found.n_missing == frame["score"].isna().sum() > 0
    assert (alone.n_missing, alone.n_rows) == (0, found.n_rows)
    pd.testing.assert_frame_equal(found.fixed, alone.fixed)
    mine = found.fixed
    mine.loc[0, "estimate"] = 99.0
    assert found.fixed["estimate"][0] != 99
    with pytest.raises(AttributeError):
        found.n = 3  # type: ignore[misc]


SMALL = simulated(11, teams=4, size=3, gaps=0)


@pytest.mark.parametrize(
    ("frame", "more", "says"),
    [
        (SMALL.drop(columns="wave"), {}, "no column wave"),
        (SMALL.assign(score=np.nan), {}, "missing in all 48"),
        (SMALL.assign(score="high"), {}, "outcome must be numbers"),
        (SMALL.assign(wave=SMALL["wave"].where(SMALL.index != 5)), {}, "wave is missing in 1 rows .*: 5"),
        (SMALL.assign(team=SMALL["team"].where(SMALL.index != 7)), {"team": "team"}, "team is missing in 1 rows"),
        (SMALL.assign(score=SMALL["score"].where(SMALL.index != 3, np.inf)), {}, "infinite in rows 3"),
        (SMALL.assign(score=2.5), {}, "nothing varies"),
        (SMALL.assign(wave=1), {}, "of one time"),
        (pd.concat([SMALL, SMALL[:1]]), {}, "More than one row at one time: P000"),
        (
            SMALL.assign(team=np.where(SMALL.index == 0, "x", SMALL["team"])),
            {"team": "team"},
            "more than one team: P000",
        ),
        (SMALL.assign(team="one"), {"team": "team"}, "in one team"),
        (SMALL.assign(team=SMALL["person"] + "!"), {"team": "team"}, "one person"),
        (SMALL[:8], {}, "People with an outcome: 2"),
        (SMALL[SMALL["wave"] == 2], {}, "of one time"),
        (SMALL[[i // 4 % 4 == i % 4 for i in range(48)]], {}, "Nobody has outcomes at two"),
        (SMALL.assign(arm="one"), {"by": "arm"}, "Every row has one as arm"),
        (SMALL.assign(arm=SMALL["wave"]), {"by": "arm"}, "changes between the rows of one person: P000"),
        (SMALL.assign(age=3), {"covariates": ["age"]}, "age is a sum of the other terms"),
        (SMALL, {"by": "arm", "covariates": ["arm"]}, "arm is asked for twice"),
        (SMALL.assign(one=(SMALL["team"] == "team 0") * 1), {"team": "team", "covariates": ["one"]}, "Only one team"),
        (SMALL.assign(score=SMALL["wave"] * 0.5 + pd.factorize(SMALL["person"])[0]), {}, "own straight line"),
        (SMALL.iloc[[0, 1, 4, 8]].assign(ward=list("aabc")), {"by": "ward"}, "6 terms need more than 4 rows"),
        (SMALL, {"confidence": 95}, "95"),
    ],
)
def test_refusals_say_what_and_where(frame: pd.DataFrame, more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        growth.model(frame, **TERMS, **more)


def test_in_teams_refuses() -> None:
    frame = pd.DataFrame({"team": list("aabb"), "trust": [1.0, 2, 3, 5]})
    with pytest.raises(ValueError, match="at least two teams"):
        growth.in_teams(frame.assign(team="a"), outcome="trust", team="team")
    with pytest.raises(ValueError, match="at least two teams"):
        growth.in_teams(frame.assign(team=list("abcd")), outcome="trust", team="team")
    assert growth.in_teams(frame, outcome="trust", team="team").term == "intercept"
