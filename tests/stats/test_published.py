"""`stats.published` against the published Salford means, R's scrutiny, counting out, and every true mean there is."""

from __future__ import annotations

import itertools
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evalkit.stats.published import grim, grim_of_groups

SALFORD = {
    "2012-04": ("2.13", "2.00", "2.33", "1.25", "2.08", "2.08", "1.88", "1.54"),
    "2012-10": ("2.71", "2.71", "2.74", "2.00", "2.21", "2.03", "2.03", "1.84"),
    "2013-05": ("3.15", "2.79", "2.83", "2.21", "2.79", "2.27", "1.83", "1.88"),
}
"""The eight domain means of each wave (King's Fund 2014, below Figure 3), printed without the number of people."""


def fits_all(means: tuple[str, ...], *, step: float) -> list[int]:
    """The n up to 60 at which every mean of a wave is possible."""
    return sorted(set.intersection(*(set(grim(mean, decimals=2, upto=60, step=step).possible) for mean in means)))


class TestSalford:
    @pytest.mark.parametrize(
        ("wave", "expected"), [("2012-04", [24, 48, 52]), ("2012-10", [38, 58]), ("2013-05", [48, 52])]
    )
    def test_with_whole_points_each_wave_fits_few_numbers(self, wave: str, expected: list[int]) -> None:
        assert fits_all(SALFORD[wave], step=1) == expected

    def test_with_half_points_one_number_fits_all_three(self) -> None:
        common = set.intersection(*(set(fits_all(means, step=0.5)) for means in SALFORD.values()))
        assert sorted(common)[:3] == [40, 46, 48]
        assert common == {40, 46, 48, *range(50, 61)}

    def test_so_does_a_mean_of_three_organisations_means(self) -> None:
        every = itertools.chain(*SALFORD.values())
        assert all(grim_of_groups(mean, decimals=2, sizes=(3, 4, 5)) for mean in every)

    def test_but_not_of_three_pairs(self) -> None:
        assert [grim_of_groups(mean, decimals=2, sizes=(2, 2, 2)) for mean in SALFORD["2012-04"]].count(True) == 2


@pytest.mark.parametrize(
    ("mean", "n", "consistent"),
    [
        # R scrutiny, its README: grim_map(pigs1), column consistency
        ("7.22", 32, True),
        ("4.74", 25, False),
        ("5.23", 29, False),
        ("2.57", 24, False),
        ("6.77", 27, False),
        ("2.68", 28, True),
        ("7.01", 29, False),
        ("7.38", 26, True),
        ("3.14", 27, False),
        ("6.89", 31, False),
        ("5.00", 25, True),
        ("0.24", 28, False),
        # its vignette: grim("5.27", 43)
        ("5.27", 43, False),
        # by hand: 145 / 28 = 5.179 and 146 / 28 = 5.214
        ("5.19", 28, False),
        ("5.18", 28, True),
        ("5.21", 28, True),
    ],
)
def test_as_r_says(mean: str, n: int, consistent: bool) -> None:
    assert (n in grim(mean, decimals=2, upto=n).possible) is consistent


@pytest.mark.parametrize(
    ("mean", "consistent"), [("0.674", False), ("0.542", False), ("0.540", True), ("0.554", False)]
)
def test_proportions_are_means_of_noughts_and_ones(mean: str, consistent: bool) -> None:
    """R scrutiny, its README: grim_map(pigs2, percent = TRUE), n = 150."""
    assert (150 in grim(mean, decimals=3, upto=150).possible) is consistent


class TestGrim:
    def test_one_person_gives_a_whole_answer(self) -> None:
        assert grim("3.00", decimals=2, upto=1).possible == (1,)
        assert grim("3.01", decimals=2, upto=1).possible == ()
        assert grim("3.5", decimals=1, upto=1, step=0.5).possible == (1,)

    def test_a_mean_without_decimals_always_fits(self) -> None:
        assert grim("3", decimals=0, upto=5).possible == (1, 2, 3, 4, 5)

    def test_a_mean_midway_counts_for_both(self) -> None:
        """17 / 8 is 2.125: half up prints 2.13, half to even 2.12."""
        assert all(8 in grim(mean, decimals=2, upto=8).possible for mean in ("2.12", "2.13"))
        assert 8 not in grim("2.11", decimals=2, upto=8).possible

    def test_below_nought_is_as_above(self) -> None:
        above, below = (grim(mean, decimals=2, upto=200).possible for mean in ("2.13", "-2.13"))
        assert above == below

    def test_a_float_is_taken_as_it_is_written(self) -> None:
        assert grim(2.1, decimals=2, upto=50) == grim("2.10", decimals=2, upto=50) == grim(2.10, decimals=2, upto=50)
        assert grim(0.29, decimals=2, upto=100).possible[-1] == 100  # 0.29 * 100 is 28.999999999999996

    def test_items_count_as_more_answers(self) -> None:
        assert grim("5.19", decimals=2, upto=20, items=4).possible == tuple(
            n for n in range(1, 21) if n * 4 in grim("5.19", decimals=2, upto=80).possible
        )

    def test_from_every_from_on_it_says_nothing(self) -> None:
        found = grim("2.13", decimals=2, upto=300)
        assert found.every_from == 100
        assert set(range(100, 301)) <= set(found.possible)
        assert grim("2.13", decimals=2, upto=9, step=0.5, items=3).every_from == 17  # 50 / 3

    def test_many_people_are_no_burden(self) -> None:
        found = grim("2.1375", decimals=4, upto=100_000)
        assert found.possible[-90_001:] == tuple(range(10_000, 100_001))
        assert found.possible[:3] == (80, 160, 240)  # 171 / 80 is 2.1375
        assert found.every_from == 10_000

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"mean": "2.135"}, "more than 2 decimals"),
            ({"mean": "about 2"}, "is not a number; write it as printed"),
            ({"mean": float("nan")}, "leave out means that are missing"),
            ({"mean": "inf"}, "is not a number"),
            ({"decimals": -1}, "decimals = -1 must be 0 or more"),
            ({"upto": 0}, "upto = 0 must be 1 or more"),
            ({"items": 0}, "items = 0 must be 1 or more"),
            ({"step": 0}, "half points 0.5"),
            ({"step": float("inf")}, "must be above 0"),
        ],
    )
    def test_what_cannot_be_is_refused(self, settings: dict[str, object], words: str) -> None:
        with pytest.raises(ValueError, match=words):
            grim(**{"mean": "2.13", "decimals": 2, "upto": 60} | settings)  # type: ignore[arg-type]

    @pytest.mark.parametrize("wrong", [{"upto": 2.5}, {"items": True}, {"decimals": "2"}])
    def test_a_fraction_of_a_person_is_refused(self, wrong: dict[str, object]) -> None:
        with pytest.raises(TypeError, match="whole number"):
            grim(**{"mean": "2.13", "decimals": 2, "upto": 60} | wrong)  # type: ignore[arg-type]


def rounded(exact: Fraction, decimals: int, how: str) -> Decimal:
    """The exact fraction rounded, by way of a decimal long enough to keep every tie a tie."""
    scaled = exact * 10**decimals
    near = Decimal(scaled.numerator // scaled.denominator)
    rest = scaled - scaled.numerator // scaled.denominator
    stand_in = Decimal("0.5") if rest == Fraction(1, 2) else Decimal("0.1") if rest < Fraction(1, 2) else Decimal("0.9")
    return (near + stand_in).quantize(Decimal(1), rounding=how).scaleb(-decimals)


@given(
    answers=st.lists(st.integers(-20, 50), min_size=1, max_size=80),
    decimals=st.integers(0, 4),
    how=st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN]),
    step=st.sampled_from([1, 0.5, 0.1]),
)
def test_a_true_mean_is_possible_at_its_n(answers: list[int], decimals: int, how: str, step: float) -> None:
    n = len(answers)
    printed = rounded(sum(answers) * Fraction(str(step)) / n, decimals, how)
    assert n in grim(printed, decimals=decimals, upto=n, step=step).possible
    assert grim_of_groups(printed, decimals=decimals, sizes=[n], step=step)


@given(hundredths=st.integers(-600, 600), n=st.integers(1, 40), items=st.integers(1, 3))
def test_it_is_what_counting_out_gives(hundredths: int, n: int, items: int) -> None:
    """Every total there could be, divided and rounded by hand."""
    mean = Fraction(hundredths, 100)
    answers = n * items
    near = range(hundredths * answers // 100 - 1, hundredths * answers // 100 + 3)
    fits = any(abs(Fraction(total, answers) - mean) <= Fraction(1, 200) for total in near)
    printed = Decimal(hundredths).scaleb(-2)
    assert (n in grim(printed, decimals=2, upto=n, items=items).possible) is fits


class TestGroups:
    @given(
        groups=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=9), min_size=1, max_size=5),
        decimals=st.integers(0, 3),
    )
    def test_a_true_mean_of_means_is_possible(self, groups: list[list[int]], decimals: int) -> None:
        exact = sum((Fraction(sum(group), len(group)) for group in groups), Fraction()) / len(groups)
        printed = rounded(exact, decimals, ROUND_HALF_EVEN)
        assert grim_of_groups(printed, decimals=decimals, sizes=[len(group) for group in groups])

    def test_it_is_what_counting_out_gives(self) -> None:
        """Two groups of 2 and 3 people, answers 0 to 5: the middle of the scale, where its ends are no matter."""
        means = {(Fraction(first, 2) + Fraction(second, 3)) / 2 for first in range(11) for second in range(16)}
        for hundredths in range(100, 401):
            fits = any(abs(mean - Fraction(hundredths, 100)) <= Fraction(1, 200) for mean in means)
            assert grim_of_groups(Decimal(hundredths).scaleb(-2), decimals=2, sizes=(2, 3)) is fits

    @given(hundredths=st.integers(0, 500), n=st.integers(1, 60))
    def test_one_group_is_grim(self, hundredths: int, n: int) -> None:
        mean = Decimal(hundredths).scaleb(-2)
        assert grim_of_groups(mean, decimals=2, sizes=[n]) is (n in grim(mean, decimals=2, upto=n).possible)

    @given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4))
    def test_the_order_of_groups_is_no_matter(self, sizes: list[int]) -> None:
        assume(sizes != sizes[::-1])
        forward, backward = (
            [grim_of_groups(Decimal(each).scaleb(-2), decimals=2, sizes=order) for each in range(200, 230)]
            for order in (sizes, sizes[::-1])
        )
        assert forward == backward

    def test_groups_must_be_there_and_have_people(self) -> None:
        with pytest.raises(ValueError, match="sizes is empty"):
            grim_of_groups("2.13", decimals=2, sizes=[])
        with pytest.raises(ValueError, match="size = 0 must be 1 or more"):
            grim_of_groups("2.13", decimals=2, sizes=[3, 0])
