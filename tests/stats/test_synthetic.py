"""Synthetic controls: held against R's quadratic programming, published weights, pysyncon, and brute force."""

from __future__ import annotations

import math
import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import donor_mix, placebos, predictor_weights, simplex_weights
from evalkit.stats.predictor_weights import Predictor
from evalkit.stats.synthetic import synthetic

FOLDER = os.environ.get("EVALKIT_REFERENCE", "")
needs_reference = pytest.mark.skipif(not FOLDER, reason="EVALKIT_REFERENCE names no folder with the reference data")

# R version 4.2.2 Patched (2022-11-10 r83330), quadprog 1.5.8; M: years x states, pool: all states but the one treated
# > A <- M[yr<1989, pool]; b <- M[yr<1989, tr]         # 19 years, 38 donors: a ridge of rounding size makes D definite
# > s <- solve.QP(2*crossprod(A)+diag(1e-10*max(crossprod(A)),38), 2*crossprod(A,b), cbind(1,diag(38)), c(1,rep(0,38)),
# +   meq=1)$solution
# > g <- M[,tr]-M[,pool]%*%s; c(mean(g[yr>=1989]), sqrt(mean(g[yr<1989]^2)),
# +   sqrt(mean(g[yr>=1989]^2)/mean(g[yr<1989]^2)))
# -19.51362953   1.65640021  12.43996870
# > # the same for every state, with all others as donors: states with at least California's ratio, |mean gap|; of
# 3  3 39
# > head(sort(-ra),4)
#     Missouri     Virginia   California     Nebraska
# -23.92439685 -19.82754589 -12.43996870 -10.09140112
QUADPROG = {
    "Colorado": 0.01481082778,
    "Connecticut": 0.10908961955,
    "Montana": 0.23183991652,
    "Nevada": 0.20492258343,
    "New Hampshire": 0.04542903922,
    "Utah": 0.39390801350,
}
# synthdid's sc_estimate gives -19.61966. Its weights, by Frank-Wolfe steps as it takes them (equal at first, 100 steps,
# those under a quarter of the largest dropped, 10,000 steps more, none of which met its stopping rule), to six digits:
FRANK_WOLFE = {
    "Colorado": 0.013316,
    "Connecticut": 0.104467,
    "Delaware": 0.004050,
    "Montana": 0.232273,
    "Nevada": 0.204426,
    "New Hampshire": 0.045364,
    "Utah": 0.396104,
}
SECTORS = ["agriculture", "energy", "industry", "construction", "services.venta", "services.nonventa"]
BASQUE = [
    *(Predictor(f"school.{level}", 1964, 1969) for level in ("illit", "prim", "med", "high", "post.high")),
    Predictor("invest", 1964, 1969),
    Predictor("gdpcap", 1960, 1969),
    *(Predictor(f"sec.{sector}", 1961, 1969) for sector in SECTORS),
    Predictor("popdens", 1969, 1969),
]


@cache
def tobacco():
    return pd.read_csv(Path(FOLDER) / "population" / "prop99" / "california_prop99.csv", sep=";")


def california(**settings):
    return synthetic(
        tobacco(), outcome="PacksPerCapita", unit="State", time="Year", treated=["California"], start=1989, **settings
    )


@cache
def regions():
    frame = pd.read_csv(Path(FOLDER) / "population" / "basque.csv")
    return frame[frame["regionno"] != 1].astype({"year": int})


@cache
def basque():
    return synthetic(
        regions(),
        outcome="gdpcap",
        unit="regionname",
        time="year",
        treated=["Basque Country (Pais Vasco)"],
        start=1970,
        predictors=BASQUE,
        fitted=(1960, 1969),
    )


def long(values, first=2000):
    """A frame of a matrix, a row a place: A, B, C and so on."""
    places = [chr(65 + place) for place in range(len(values))]
    rows = [
        (name, first + step, value) for name, row in zip(places, values, strict=True) for step, value in enumerate(row)
    ]
    return pd.DataFrame(rows, columns=["place", "year", "rate"])


def ask(values, start, treated=("A",), **settings):
    return synthetic(
        long(values), outcome="rate", unit="place", time="year", treated=list(treated), start=2000 + start, **settings
    )


def walks(seed, places=6, periods=12):
    rng = np.random.default_rng(seed)
    return 10 + rng.normal(size=places)[:, None] + 0.5 * rng.normal(size=(places, periods)).cumsum(axis=1)


@needs_reference
def test_equals_quadratic_programming_on_tobacco_sales():
    found = california()
    weights = found.weights
    assert weights[weights > 1e-9].to_dict() == pytest.approx(QUADPROG, abs=1e-6)
    assert [found.effect, found.fit] == pytest.approx([-19.51362953, 1.65640021], rel=1e-7)
    assert (found.rank, found.rank_gap, found.of) == (3, 3, 39)
    ratios = found.placebos.set_index("treated")["ratio"].sort_values(ascending=False)
    assert ratios[:4].to_dict() == pytest.approx(
        {"Missouri": 23.92439685, "Virginia": 19.82754589, "California": 12.43996870, "Nebraska": 10.09140112}, rel=1e-4
    )
    assert (found.p, found.smallest_p, found.n, found.n_before, found.n_after) == (3 / 39, 1 / 39, 39, 19, 12)


@needs_reference
def test_the_published_frank_wolfe_answer_is_a_mix_less_near():
    # -19.61966 against -19.51363: their steps stop short, at a mean squared gap 1 % larger, with a seventh state
    theirs = california().weights * 0
    theirs.update(pd.Series(FRANK_WOLFE))
    panel = tobacco().pivot(index="Year", columns="State", values="PacksPerCapita")
    gap = panel["California"] - panel[theirs.index] @ theirs
    assert gap[gap.index >= 1989].mean() == pytest.approx(-19.61966, abs=2e-4)
    assert california().fit < np.sqrt((gap[gap.index < 1989] ** 2).mean()) < 1.006 * california().fit
    assert california().effect == pytest.approx(-19.61966, abs=0.11)


@needs_reference
def test_basque_weights_as_published():
    # R, Synth: Cataluna .850816306, Madrid .149183694, mean squared gap .008864546 over 1960-69
    found = basque()
    assert found.weights["Cataluna"] == pytest.approx(0.850816306, abs=1e-5)
    assert found.weights["Madrid (Comunidad De)"] == pytest.approx(0.149183694, abs=1e-5)
    assert found.fit**2 == pytest.approx(0.008864545, rel=1e-6)
    assert found.effect == pytest.approx(-0.579925, abs=1e-5)
    # the search ends at one of many ends, and says so: past incomes alone fit better and put the gap elsewhere
    assert (found.fit_limit, found.effect_limit) == pytest.approx((0.0642367, -0.982287), rel=1e-5)
    assert any("past outcomes alone" in said for said in found.cautions)
    assert found.predictors["importance"].sum() == pytest.approx(1)
    assert found.no_interval.startswith("17 labellings can reject nothing at 95 %")


@needs_reference
def test_pysyncon_agrees_given_the_importance_of_predictors():
    pysyncon = pytest.importorskip("pysyncon", reason="pysyncon, of the extra evalkit[causal], is not installed")
    found, frame = basque(), regions()
    treated, others = "Basque Country (Pais Vasco)", found.weights.index
    past = frame[frame["year"].between(1960, 1969)]
    means = {each.column: past[past["year"] >= each.first].groupby("regionname")[each.column].mean() for each in BASQUE}
    x = pd.DataFrame(means).T
    z = past.pivot(index="year", columns="regionname", values="gdpcap")
    theirs = pysyncon.Synth()
    theirs.fit(
        X0=x[others], X1=x[treated], Z0=z[others], Z1=z[treated], custom_V=found.predictors["importance"].to_numpy()
    )
    weights = theirs.W
    assert weights == pytest.approx(found.weights.to_numpy(), abs=1e-3)
    assert theirs.loss_V == pytest.approx(found.fit**2, rel=1e-2)


@needs_reference
def test_pysyncon_agrees_on_placebos():
    base = pytest.importorskip("pysyncon.base", reason="pysyncon, of the extra evalkit[causal], is not installed")
    found = california(placebo_donors="untreated")
    panel = tobacco().pivot(index="Year", columns="State", values="PacksPerCapita")
    past, after = panel[panel.index < 1989], panel[panel.index >= 1989]
    for state in ("Nevada", "Ohio"):
        donors = [each for each in found.weights.index if each != state]
        theirs, _ = base.VanillaOptimMixin.w_optimize(np.eye(19), past[donors].to_numpy(), past[state].to_numpy())
        gap = float((after[state] - after[donors] @ theirs).mean())
        assert found.placebos.set_index("treated")["gap"][state] == pytest.approx(gap, abs=0.02)


def test_by_hand():
    # B and C stand at 0 and 10; A at 4 before: 60 % B, 40 % C. After: 0, 10 and 7, so the gap is 3 in each period
    found = ask([[4, 4, 7, 7], [0, 0, 0, 0], [10, 10, 10, 10], [10, 0, 5, 5]], 2)
    assert found.weights.to_dict() == pytest.approx({"B": 0.6, "C": 0.4, "D": 0}, abs=1e-12)
    assert (found.effect, found.estimate) == pytest.approx((3, 3))
    assert list(found.path) == ["period", "observed", "synthetic", "gap", "after", "fitted"]
    assert found.path["gap"].to_numpy() == pytest.approx([0, 0, 3, 3], abs=1e-12)
    assert found.path["after"].tolist() == [False, False, True, True]
    assert (found.fit, found.placebos["ratio"][0]) == (0, math.inf)
    assert any("read p_gap" in said for said in found.cautions)
    assert math.isnan(found.low)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 8), st.sampled_from([0.5, 0.6, 0.8]))
def test_what_must_hold_of_every_answer(seed, places, confidence):
    values = walks(seed, places)
    found = ask(values, 7, confidence=confidence)
    assert found.weights.min() >= 0
    assert found.weights.sum() == pytest.approx(1)
    assert found.p * places == pytest.approx(found.rank)
    assert 1 <= found.rank_gap <= found.of == places
    assert found.p_close >= 1 / found.of_close
    higher = ask(values + 100, 7, confidence=confidence)
    assert higher.weights.to_numpy() == pytest.approx(found.weights.to_numpy(), abs=1e-8)
    assert (higher.effect, higher.p) == pytest.approx((found.effect, found.p))
    if found.p > 1 - confidence + 1e-9:
        assert found.low <= 0 <= found.high


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([("A",), ("A", "C")]), st.sampled_from(["everyone", "untreated"]))
def test_the_interval_is_what_relabelling_leaves_standing(seed, treated, pool):
    values = walks(seed)
    mine = [ord(name) - 65 for name in treated]

    def p_without(difference):
        less = values.copy()
        less[mine, 7:] -= difference
        return ask(less, 7, treated, placebo_donors=pool).p

    found = ask(values, 7, treated, placebo_donors=pool, confidence=0.7)
    tried = found.effect + np.linspace(-4, 4, 9)
    standing = [difference for difference in tried if p_without(difference) > 0.3 + 1e-9]
    assert all(found.low <= difference <= found.high for difference in standing)
    for end, beyond in ((found.low, -1e-6), (found.high, 1e-6)):
        if math.isfinite(end):
            assert p_without(end - beyond) > 0.3
            assert p_without(end + beyond) <= 0.3 + 1e-9


def test_pieces_of_the_line():
    # placebos half made of the treated and fitted closer: what is far off stands, what is near does not
    low, high = placebos.standing(np.array([[3.0, 3.0], [0.0, 0.0]]), np.array([1.0, 0.1]), np.array([1.0, -0.5]))
    assert low.tolist() == [-math.inf, pytest.approx(0.5)]
    assert high.tolist() == [pytest.approx(-0.75), math.inf]
    assert placebos.interval(low, high, 2, 0.5) == (-math.inf, math.inf)
    # squared terms that cancel leave a half-line; a placebo that fits exactly stands everywhere
    low, high = placebos.standing(np.array([[3.0], [1.0], [0.0]]), np.array([1.0, 1, 0]), np.array([1.0, -1, 0]))
    assert (low.tolist(), high.tolist()) == ([1.0, -math.inf], [math.inf, math.inf])
    # the gap swings more than any placebo's: nothing that is the same in all periods stands
    low, high = placebos.standing(np.array([[3.0, -3.0], [1.0, 1.0]]), np.array([1.0, 1.0]), np.array([1.0, 0.0]))
    assert (len(low), placebos.interval(low, high, 2, 0.5)) == (0, None)


def test_no_interval_is_put_in_words():
    swings = walks(9, 5, 8)
    swings[0, 6:] += [20, -20]
    found = ask(swings, 6, confidence=0.8)
    assert "No difference that is the same" in found.no_interval
    assert math.isnan(found.high)
    with pytest.raises(ValueError, match="5 labellings can reject nothing at 95 % confidence; they reach 80 %"):
        found.interval(0.95)
    with pytest.raises(ValueError, match="between 0 and 1"):
        found.interval(95)


def test_several_treated_are_their_mean():
    values = walks(3, 7)
    found = ask(values, 8, "AB")
    joined = np.vstack([values[:2].mean(axis=0), values[2:]])
    assert found.effect == pytest.approx(ask(joined, 8).effect)
    assert (found.of, found.exact, found.smallest_p, found.n_treated, found.n_comparison) == (21, True, 1 / 21, 2, 5)
    assert found.placebos["treated"][0] == "A, B"
    assert not any("One treated place" in said for said in found.cautions)
    some = ask(values, 8, "AB", allocations=10, seed=4)
    assert (some.of, some.exact, some.seed, some.effect) == (10, False, 4, found.effect)
    assert some.placebos.equals(ask(values, 8, "AB", allocations=10, seed=4).placebos)
    drawn = ask(values, 8, "AB", allocations=10)
    assert drawn.placebos.equals(ask(values, 8, "AB", allocations=10, seed=drawn.seed).placebos)


def test_treated_places_may_be_set_aside_as_donors():
    values = walks(5)
    found = ask(values, 8, placebo_donors="untreated")
    without = ask(values[1:], 8).placebos
    assert found.placebos["gap"][1] == pytest.approx(without["gap"][0])
    both = ask(values, 8, "AB", placebo_donors="untreated")
    assert (both.of, both.exact) == (7, True)
    with pytest.raises(ValueError, match="3 untreated units cannot give 3"):
        ask(values, 8, "ABC", placebo_donors="untreated")


def test_leave_one_out_and_a_start_before_the_start_are_the_same_question_again():
    values = walks(11)
    found = ask(values, 9, backdated=2006)
    for row in found.leave_one_out.itertuples():
        kept = [place for place in range(6) if place != ord(row.left_out) - 65]
        again = ask(values[kept], 9)
        assert (row.effect, row.fit) == pytest.approx((again.effect, again.fit))
    assert found.leave_one_out["weight"].sum() == pytest.approx(1)
    earlier = ask(values[:, :9], 6)
    assert (found.backdated.effect, found.backdated.p) == pytest.approx((earlier.effect, earlier.p))
    assert (found.backdated.n_before, found.backdated.n_after) == (6, 3)


def test_only_the_periods_asked_for_are_fitted():
    values = walks(2)
    strange = values.copy()
    strange[0, :3] += 50
    found = ask(strange, 9, fitted=(2003, None))
    assert found.effect == pytest.approx(ask(values[:, 3:], 6).effect)
    assert found.path["fitted"].tolist() == [False] * 3 + [True] * 6 + [False] * 3
    with pytest.raises(ValueError, match="No period before the start"):
        ask(values, 9, fitted=(2010, None))
    with pytest.raises(ValueError, match="no period lies between"):
        ask(values, 9, fitted=(1990, 1995))


def test_placebos_that_fit_badly_can_be_left_out():
    values = walks(7)
    values[5] += 1000
    found = ask(values, 9)
    table = found.placebos
    assert table["close"].tolist() == (table["fit"] <= donor_mix.CLOSE * table["fit"][0]).tolist()
    assert (found.of_close, table["close"].tolist()[5]) == (5, False)
    assert found.p_close * 5 == pytest.approx((table["ratio"] >= table["ratio"][0])[:5].sum())


def test_predictors_and_their_table():
    values = walks(4, 8)
    frame = long(values)
    rng = np.random.default_rng(0)
    frame["poor"] = np.repeat(rng.normal(size=8), 12)
    frame["old"] = frame["rate"] + rng.normal(size=96)
    frame.loc[frame["year"] % 2 == 0, "old"] = np.nan
    found = synthetic(
        frame, outcome="rate", unit="place", time="year", treated=["A"], start=2009,
        predictors=["poor", "old", Predictor("rate", 2003, 2008)], backdated=2006,
    )  # fmt: skip
    table = found.predictors
    assert table["predictor"].tolist() == ["poor", "old", "rate"]
    assert table["importance"].sum() == pytest.approx(1)
    old = frame[(frame["year"] < 2009) & frame["old"].notna()].groupby("place")["old"].mean()
    assert table["treated"][1] == pytest.approx(old["A"])
    assert table["synthetic"][1] == pytest.approx(old[found.weights.index] @ found.weights)
    assert table["donors"][1] == pytest.approx(old.drop("A").mean())
    assert found.fit >= found.fit_limit == pytest.approx(ask(values, 9).fit)
    assert len(found.leave_one_out) == (found.weights > 1e-6).sum()
    assert len(ask(values, 9).predictors) == 0


def test_the_slope_of_the_search_is_exact():
    rng = np.random.default_rng(8)
    given_to = rng.normal(size=(4, 7)), rng.normal(size=4), rng.normal(size=(9, 7)), rng.normal(size=9)
    at = rng.uniform(0.3, 1, 4)
    _, slope = predictor_weights._error(at, *given_to)
    for step in 1e-6 * np.eye(4):
        ahead, behind = (predictor_weights._error(at + side * step, *given_to)[0] for side in (1, -1))
        assert slope[step > 0][0] == pytest.approx((ahead - behind) / 2e-6, rel=1e-4, abs=1e-8)


def test_the_search_never_ends_worse_than_it_began():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        donors, target, past_donors, past = rng.normal(size=(3, 6)), rng.normal(size=3), *walks(seed, 2, 8)[:, :, None]
        past_donors = rng.normal(size=(8, 6))
        found = predictor_weights.search(donors, target, past_donors, past[:, 0])
        equal = simplex_weights.fit(donors, target)
        assert found.error <= ((past[:, 0] - past_donors @ equal) ** 2).mean() + 1e-12
        assert found.weights == pytest.approx(
            simplex_weights.nearest(np.sqrt(found.importance)[:, None] * (donors - target[:, None]))
        )


def test_cautions_name_their_threshold():
    apart = np.vstack([walks(1, 1, 12) + 30, walks(1, 3, 12)])
    said = ask(apart, 9).cautions
    for words in (
        "smallest p it could have is 0.250",
        "100 % of the periods fitted (more than 10 %)",
        "(more than 0.25)",
    ):
        assert any(words in each for each in said), words
    assert any("9 periods before the start (fewer than 10)" in each for each in said)
    assert any("No donor has as high a level" in each for each in said)
    assert not any("level" in each for each in ask(apart, 9, chosen="by lot").cautions)
    assert any("chosen for being extreme" in each for each in ask(apart, 9, chosen="for being extreme").cautions)
    assert any("More donors (5) than periods (3)" in each for each in ask(walks(1), 3).cautions)


def test_nothing_to_warn_of():
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(2, 40)).cumsum(axis=1)
    mixed = np.vstack([[[0.5, 0.5]], rng.uniform(0, 1, (9, 2))]) @ shared + 0.02 * rng.normal(size=(10, 40))
    (only,) = ask(mixed, 30, chosen="by lot").cautions
    assert only.startswith("One treated place")


def test_months_as_dates():
    frame = long(walks(6))
    frame["year"] = pd.to_datetime({"year": 2020, "month": frame["year"] - 1999, "day": 1})
    found = synthetic(
        frame, outcome="rate", unit="place", time="year", treated=["A"], start="2020-08-01", fitted=("2020-02-01", None)
    )
    assert (found.n_before, found.n_after, found.path["fitted"].sum()) == (7, 5, 6)
    with pytest.raises(ValueError, match="one kind"):
        synthetic(frame, outcome="rate", unit="place", time="year", treated=["A"], start="2020-08-01", fitted=(2, None))


def test_the_least_there_can_be():
    found = ask([[1, 2, 3.5], [1, 1, 1], [3, 3.5, 3]], 1)
    assert (found.of, found.n_before, found.n_after) == (3, 1, 2)
    with pytest.raises(ValueError, match="One donor is no mix"):
        ask([[1, 2, 3], [1, 1, 1]], 2)


def blank(frame):
    return frame.assign(rate=frame["rate"].where(frame["year"] != 2003))


def gap_in(frame, column="poor"):
    return frame.assign(poor=frame["rate"].where((frame["place"] != "C") | (frame["year"] > 2004)))


@pytest.mark.parametrize(
    ("change", "settings", "says"),
    [
        (None, {"treated": "A"}, "must be a list"),
        (None, {"treated": ["Z"]}, "No rows for the treated Z"),
        (None, {"treated": []}, "No place is treated"),
        (None, {"treated": list("ABCDEF")}, "nobody to mix"),
        (None, {"treated": list("ABCDE")}, "One donor"),
        (None, {"start": 2000}, "must come after the first period"),
        (None, {"start": 2012}, "not after the last"),
        (None, {"backdated": 2010}, "must come before the start"),
        (None, {"chosen": "by magic"}, "by lot"),
        (None, {"placebo_donors": "nobody"}, "untreated"),
        (None, {"allocations": 1}, "2 or more"),
        (None, {"confidence": 95}, "between 0 and 1"),
        (None, {"predictors": []}, "leave it out"),
        (None, {"predictors": "rate"}, "list of columns"),
        (None, {"predictors": ["none"]}, "No predictor 'none'"),
        (None, {"predictors": ["place"]}, "must hold numbers"),
        (None, {"predictors": [Predictor("rate", 2003, 2010)]}, "reaches past the start, to 2010"),
        (None, {"predictors": [Predictor("rate", 2010)]}, "blank in all its periods before the start"),
        (lambda frame: frame.assign(poor=1.5), {"predictors": ["poor"]}, "same in every unit"),
        (lambda frame: frame.assign(poor=np.inf), {"predictors": ["poor"]}, "infinite"),
        (gap_in, {"predictors": ["poor"]}, "blank for C where it is filled in for others"),
        (blank, {}, "No finite number in 'rate' for A"),
        (lambda frame: frame.assign(rate="high"), {}, "must hold numbers"),
        (lambda frame: frame.iloc[1:], {}, "missing in A"),
        (lambda frame: pd.concat([frame, frame[:1]]), {}, "more than once"),
        (lambda frame: frame.assign(rate=frame["year"] * 1.0), {}, "all places are alike"),
        (lambda frame: frame.drop(columns="rate"), {}, "No column 'rate'"),
    ],
)
def test_refuses(change, settings, says):
    frame = long(walks(1)) if change is None else change(long(walks(1)))
    told = {"treated": ["A"], "start": 2009} | settings
    with pytest.raises(ValueError, match=says):
        synthetic(frame, outcome="rate", unit="place", time="year", **told)
