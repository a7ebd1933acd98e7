"""`stats.quantiles` against the published quantiles of English public health, and its own promises."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats.quantiles import quantiles

INTO = {"Decile": 10, "Septile": 7, "Quartile": 4}


@pytest.fixture(scope="module")
def told(reference: Path) -> pd.DataFrame:
    """PHEindicatormethods 2.1's worked values: deciles within regions, septiles and quartiles over all, with ties."""
    return pd.read_excel(reference / "population" / "phe" / "testdata_Quantiles.xlsx")


def same(found: Any, rows: pd.DataFrame) -> None:
    wanted = rows["QuantileInGrp"].astype("Int64").rename("quantile")
    pd.testing.assert_series_equal(found.quantile, wanted)


@pytest.mark.reference
class TestPublished:
    def test_deciles_within_regions(self, told: pd.DataFrame) -> None:
        """A region of nine areas has no tenths; high and low good are cut from opposite ends; blanks stay blank."""
        checked = 0
        for (indicator, _), rows in told[told["GroupSet"] == "IndSexReg"].groupby(["IndicatorID", "Sex"]):
            invert = indicator in (40501, 11111)
            found = quantiles(rows["Value"], groups=rows["ParentCode"], invert=invert)
            same(found, rows)
            assert found.refused == (("E12000004",) if indicator in (40501, 90366) else ())
            checked += len(rows)
        assert checked == 339

    def test_septiles_over_all(self, told: pd.DataFrame) -> None:
        rows = told[(told["GroupSet"] == "IndSex") & (told["Test"] == "Gooddata")]
        same(quantiles(rows["Value"], into=7, invert=False), rows)
        rows = told[told["Test"] == "BadPolarity"]
        same(quantiles(rows["Value"], into=7), rows)

    def test_quartiles_over_485_rows_that_are_no_multiple_of_four(self, told: pd.DataFrame) -> None:
        rows = told[told["QuantileNm"] == "Quartile"]
        found = quantiles(rows["Value"], into=4)
        same(found, rows)
        assert (found.n, len(rows)) == (485, 491)


class TestPromises:
    @settings(max_examples=30)
    @given(
        st.lists(st.one_of(st.none(), st.integers(-20, 20)), min_size=2, max_size=40),
        st.integers(2, 6),
        st.booleans(),
    )
    def test_promises(self, values: list[int | None], into: int, invert: bool) -> None:
        held = [value for value in values if value is not None]
        if len(held) < into:
            with pytest.raises(ValueError, match=f"{into} quantiles need {into} values"):
                quantiles(values, into=into)
            return
        found = quantiles(values, into=into, invert=invert)
        placed = pd.DataFrame({"value": values, "quantile": found.quantile}).dropna().astype(int)
        assert found.n == len(held) == len(placed)
        assert placed["quantile"].between(1, into).all()
        ordered = placed.sort_values("value", ascending=not invert)
        assert ordered["quantile"].is_monotonic_increasing
        assert (placed.groupby("value")["quantile"].nunique() == 1).all(), "equal values share a quantile"
        if len(set(held)) == len(held):
            sizes = placed["quantile"].value_counts()
            assert sizes.max() - sizes.min() <= 1
            assert len(sizes) == into
        again = quantiles([None if value is None else 3 * value + 1 for value in values], into=into, invert=invert)
        assert again.quantile.equals(found.quantile)

    def test_names_are_kept(self) -> None:
        found = quantiles(pd.Series({"x": 3.0, "y": 1.0, "z": 2.0, "w": 4.0}), into=2)
        assert found.quantile.to_dict() == {"x": 1, "y": 2, "z": 2, "w": 1}

    def test_a_name_that_comes_twice_is_no_matter(self) -> None:
        found = quantiles(pd.Series([3.0, 1.0], index=["x", "x"]), into=2)
        assert found.quantile.tolist() == [1, 2]


class TestEdges:
    def test_all_equal_share_the_first(self) -> None:
        assert quantiles([7] * 10, into=5).quantile.tolist() == [1] * 10

    def test_a_small_group_is_refused_and_the_others_are_not(self) -> None:
        found = quantiles([1, 2, 3, 4, 5], into=3, groups=["a", "a", "a", "b", "b"], invert=False)
        assert found.quantile.tolist()[:3] == [1, 2, 3]
        assert found.quantile.isna().tolist() == [False, False, False, True, True]
        assert found.refused == ("b",)
        assert found.sizes.to_dict() == {"a": 3, "b": 2}

    @pytest.mark.parametrize(
        ("values", "how", "says"),
        [
            ([], {}, "the largest has 0"),
            ([1], {"into": 2}, "the largest has 1"),
            ([None, None], {"into": 2}, "the largest has 0"),
            ([1, math.inf], {"into": 2}, "1 infinite"),
            ([1, 2], {"into": 1}, "into=1"),
            ([1, 2], {"into": 2.5}, "into=2.5"),
            ([1, 2], {"into": 2, "groups": ["a"]}, "2 values need as many groups; 1 were given"),
            ([1, 2], {"into": 2, "groups": ["a", None]}, "1 values have no group, the first 2"),
        ],
    )
    def test_what_has_no_answer_is_refused(self, values: Any, how: Any, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            quantiles(values, **how)
