"""`stats.standard_population` and `stats.age_bands`: the weights as published, added up to the bands of the data."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats import age_bands, standard_population
from evalkit.stats.standard_population import weights

BANDS = ["0-4", *(f"{age}-{age + 4}" for age in range(5, 90, 5)), "90+"]


@pytest.mark.reference
def test_the_european_standard_population_is_phes(reference: Path) -> None:
    with (reference / "population" / "phe" / "esp2013.csv").open(encoding="utf-8") as file:
        said = [float(row["value"]) for row in csv.DictReader(file)]
    assert weights("ESP2013", BANDS).tolist() == said


def test_what_is_shipped_says_where_it_is_from() -> None:
    for name in standard_population.names():
        found = standard_population.described(name)
        assert sum(found.people) == 100_000
        assert found.bands[0].start == 0
        assert found.bands[-1].end == float("inf")
        assert found.source
        assert found.edition in name
    # Eurostat (2013), Annex F: the first five years of life are given as 1,000 and 4,000
    assert weights("ESP2013", ["0", "1-4"]).tolist() == [1000, 4000]
    assert weights("ESP2013", [0, 1, 5, 65]).tolist() == [1000, 4000, 75_500, 19_500]


def test_coarser_bands_are_added_up_in_the_order_given() -> None:
    assert weights("ESP2013", ["85+", "65-74", "75 – 84"]).tolist() == [2500, 10_500, 6500]
    assert weights("ESP2013", ["under 5", "5 to 64", "65 and over"]).tolist() == [5000, 75_500, 19_500]
    assert weights("ESP1976", ["65 plus"]).tolist() == [11_000]
    assert weights("ESP2013", ["00-04", "05-09"]).tolist() == [5000, 5500]


@given(st.sets(st.sampled_from(range(5, 95, 5))))
def test_however_ages_are_cut_everybody_is_in_one_band(starts: set[int]) -> None:
    cut = sorted({0, *starts})
    assert weights("ESP2013", cut).sum() == 100_000
    labels = [f"{start}-{end - 1}" for start, end in pairwise(cut)] + [f"{cut[-1]}+"]
    assert weights("ESP2013", labels).tolist() == weights("ESP2013", cut).tolist()


@pytest.mark.parametrize(
    ("bands", "says"),
    [
        (["0-4", "5-12"], r"'5-12' cuts through those of ESP2013, which has 5-9, 10-14 there"),
        (["85-94", "95+"], r"'85-94' cuts through those of ESP2013, which has 85-89, 90\+ there"),
        (["66+"], "'66.' cuts through"),
        (["0-4", "10-14"], "Nobody aged 5 to 9 is there: between '0-4' and '10-14' a band is missing"),
        # as in a worked example in use, where 55-69 was written for 55-59
        (["50-54", "55-69", "60-64"], "'55-69' and '60-64' overlap"),
        (["65+", "65-74"], "overlap"),
        (["0-4", "00-04"], "'0-4' is there twice"),
        (["0-4", "all ages"], "'all ages' is no age band"),
        (["9-5"], "ends before it begins"),
        (["nan"], "'nan' is no age band"),
        (["<0"], "no age band"),
        ([], "No age bands"),
    ],
)
def test_bands_that_do_not_fit_are_refused(bands: list[Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        weights("ESP2013", bands)


def test_a_name_nobody_knows() -> None:
    with pytest.raises(ValueError, match="there are ESP1976, ESP2013"):
        weights("WSP", ["0-4"])


HEAD = 'label = "x"\nsource = "y"\nedition = "1"\nverified = true\ntotal = 10\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[X]\nlabel = "x"\n', "X does not say its source, edition, verified, total, people"),
        (f'[X]\n{HEAD}[X.people]\n"0-4" = 4\n"5+" = 5\n', "add up to 9, not to the total 10"),
        (f'[X]\n{HEAD}[X.people]\n"0-4" = 4\n"6+" = 6\n', "standard.toml, X: Nobody aged 5 to 5"),
        (f'[X]\n{HEAD}[X.people]\n"0-4" = 10.5\n', "whole numbers above 0"),
    ],
)
def test_a_file_that_does_not_hold_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "standard.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        standard_population.read(path)


def test_bare_numbers_among_labels_are_single_years() -> None:
    assert age_bands.edges(["0", "1-4"]) == [(0, 1), (1, 5)]
    assert age_bands.edges([5.0, 0.0]) == [(5, float("inf")), (0, 5)]
