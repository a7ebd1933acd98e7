"""The error rates of questions about people's lives, a few sets of each: that counting them still works."""

from __future__ import annotations

from itertools import islice

import numpy as np

from tests import calibration_change as change
from tests import calibration_places as places
from tests.calibration_cells import Cell, Share, printed


def test_nothing_is_seldom_called_a_difference():
    cell = places.nothing(places.AR6, 12, "drawn by lot", 300, np.random.default_rng(1))
    shares = {each.what: each.percent for each in cell.shares}
    assert 1 < shares["both"] < 11
    assert shares["verdict"] <= shares["both"] <= min(shares["interval"], shares["relabelling"])
    assert 89 < shares["coverage"] < 99


def test_one_place_never_has_a_verdict():
    assert not places.one_place(200, np.random.default_rng(1)).broken


def test_programmes_asked_say_the_same_numbers_and_verdicts():
    assert not places.same_as_the_question(3, "latent AR .9", 1, seed=1).broken


def test_series_fitted_at_once_are_those_fitted_one_by_one():
    assert not change.same_as_interrupted(4, np.random.default_rng(1), [(24, 12)]).broken


def test_places_picked_for_a_high_year_are_called_better_the_more_often_the_less_base_there_is():
    cells = islice(places.chosen(3, 200, np.random.default_rng(1)), 3)
    whole, without, alone = ({each.what: each.percent for each in cell.shares}["both"] for cell in cells)
    assert without < alone
    assert whole < alone


def test_what_is_not_kept_is_said():
    cell = Cell("design", (Share("both", 8, 100, (3.0, 7.0)), Share("verdict", 4, 100)))
    assert cell.broken == ["design: both 8.0 ±2.7, not 3 to 7 %"]
    assert [*printed(iter([cell]))][-1] == cell.broken[0]
    assert [*printed(iter([]))] == ["Every promise kept."]
