"""The truth that is planted is the truth that is there: checked by counting, not by evalkit's own methods."""

from __future__ import annotations

import math
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit import simulation
from evalkit.programme import Programme
from evalkit.programme import Settings as ProgrammeSettings
from evalkit.simulation import EFFECTS, planted
from evalkit.simulation.scoring import Ticking

EVERYBODY = {"dropout": 0.0, "nonresponse": 0.0}
ADMISSIONS = "emergency_admissions_65_plus"
DOMAINS = [6, 7, 7, 10]
"""Items in each domain of the systems leadership framework, smallest first: the rows of the source's table."""


def overall(programme: Programme, *, rater: str = "self", timing: tuple[str, ...] = ("pre", "post")) -> pd.DataFrame:
    """Leaders × waves: the mean of the four domains' means, worked out from the answers by hand."""
    answers = programme.responses
    own = answers[
        (answers["instrument"] == "system_leadership") & (answers["rater"] == rater) & answers["timing"].isin(timing)
    ]
    domain = own["item"].str.split("_").str[0]
    means = own.groupby([own["subject_id"], own["wave"], domain])["answer"].mean()
    return means.groupby(level=[0, 1]).mean().unstack()


def mean_and_error(values: pd.Series) -> tuple[float, float]:
    values = values.dropna()
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))


def close(values: pd.Series, truth: float, errors: float = 4.0) -> bool:
    """Within so many standard errors: any one check fails by chance about once in 16,000 seeds."""
    estimate, error = mean_and_error(values)
    return abs(estimate - truth) <= errors * error


@pytest.fixture(scope="module")
def many() -> Programme:
    """Two thousand independent leaders who all answer everything: Monte Carlo error about 0.012 of a point."""
    return ek.simulate(seed=11, leaders=2000, teams=320, team_icc=0.0, tables=("responses",), **EVERYBODY)


class TestTicking:
    def test_expected_answer_is_a_sum_of_normal_probabilities(self) -> None:
        # From a table of the normal distribution: 1 + Phi(1) + Phi(0) + Phi(-1) + Phi(-2)
        # = 1 + 0.841345 + 0.5 + 0.158655 + 0.022750.
        one = Ticking(np.zeros(1), np.ones(1), low=1, high=5, occasion=0.6, item=0.8)
        assert one.expected(2.5, 0.0) == pytest.approx(2.522750, abs=1e-6)

    def test_expected_score_is_the_mean_of_what_is_ticked(self) -> None:
        location = np.array([-0.4, 0.1, 0.5])
        ticking = Ticking(location, np.array([0.5, 0.25, 0.25]), low=0, high=5, occasion=0.2, item=0.5)
        rng = np.random.default_rng(3)
        ticks = ticking.tick(4.4 + 0.7 * rng.standard_normal(200_000), rng)
        scores = pd.Series(ticks @ ticking.weights)
        assert ticks.min() >= 0
        assert ticks.max() == 5
        assert close(scores, ticking.expected(4.4, 0.49))

    @given(change=st.floats(-1.5, 1.2), mean=st.floats(2.6, 3.7), spread=st.floats(0.0, 0.6))
    def test_shift_meets_the_change_asked_for(self, change: float, mean: float, spread: float) -> None:
        ticking = Ticking(np.array([-0.2, 0.2]), np.array([0.5, 0.5]), low=1, high=5, occasion=0.2, item=0.6)
        shift = ticking.shift_for(change, mean=mean, variance=0.25, variance_after=0.25 + spread)
        after = ticking.expected(mean + shift, 0.25 + spread)
        assert after - ticking.expected(mean, 0.25) == pytest.approx(change, abs=1e-8)

    def test_a_change_off_the_scale_is_refused(self) -> None:
        with pytest.raises(ValueError, match="runs off the scale"):
            ek.simulate(seed=1, effects={"system_leadership": 2.0}, tables=())


class TestEffects:
    def test_none_is_the_defaults_and_empty_is_nothing(self) -> None:
        assert planted(None)["system_leadership"] == 0.4
        assert all(planted({})[effect.measure] == effect.neutral for effect in EFFECTS)

    def test_icfat_is_all_eight_domains_unless_one_is_named(self) -> None:
        found = planted({"icfat": 0.2, "icfat_workforce": -0.3})
        assert sorted(value for name, value in found.items() if name.startswith("icfat_")) == [-0.3, *[0.2] * 7]

    def test_unknown_measures_are_refused_with_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match=r"on trust\. Known: icfat, system_leadership, .*bridging"):
            ek.simulate(seed=1, effects={"trust": 0.1})

    @pytest.mark.parametrize(
        "measure", [effect.measure for effect in EFFECTS if effect.measure.startswith(("sys", "icfat"))]
    )
    def test_truth_says_what_was_planted(self, measure: str) -> None:
        programme = ek.simulate(seed=1, effects={measure: 0.17}, leaders=24, teams=4, tables=())
        assert programme.truth is not None
        assert programme.truth["expected"][measure]["change"] == pytest.approx(0.17, abs=1e-6)
        assert programme.truth["effects"][measure] == 0.17


class TestLeaders:
    def test_self_reported_change_is_what_was_planted(self, many: Programme) -> None:
        scores = overall(many)
        truth = many.truth["expected"]["system_leadership"]
        assert truth["change"] == pytest.approx(0.4)
        assert close(scores[4] - scores[1], 0.4)
        assert all(close(scores[wave], truth["mean_by_wave"][wave - 1]) for wave in (1, 2, 3, 4))

    @pytest.mark.parametrize(("rater", "truth"), [("sponsor", 0.2), ("partner", 0.05)])
    def test_others_see_what_was_planted(self, many: Programme, rater: str, truth: float) -> None:
        scores = overall(many, rater=rater)
        assert close(scores[4] - scores[1], truth)

    def test_others_are_asked_at_the_waves_the_truth_names(self, many: Programme) -> None:
        for rater, measure in (
            ("sponsor", "system_leadership_by_sponsors"),
            ("partner", "system_leadership_by_partners"),
        ):
            assert list(overall(many, rater=rater).columns) == many.truth["expected"][measure]["asked_at_waves"]

    def test_looking_back_leaders_rate_themselves_lower(self, many: Programme) -> None:
        shift = overall(many, timing=("then",))[4] - overall(many, timing=("pre",))[1]
        assert close(shift, -0.25)

    def test_short_form_asks_at_least_half_of_each_domain(self, many: Programme) -> None:
        answers = many.responses[many.responses["instrument"] == "system_leadership"]
        asked = (
            answers.loc[answers["rater"] == "sponsor", "item"].drop_duplicates().str.split("_").str[0].value_counts()
        )
        everything = (
            answers.loc[answers["rater"] == "self", "item"].drop_duplicates().str.split("_").str[0].value_counts()
        )
        assert sorted(everything) == DOMAINS
        assert (asked * 2 >= everything).all()

    def test_with_nothing_going_on_nothing_changes(self) -> None:
        null = ek.simulate(
            seed=5, effects={}, leaders=2000, teams=320, team_icc=0.0, tables=("responses",), **EVERYBODY
        )
        for rater in ("self", "sponsor", "partner"):
            scores = overall(null, rater=rater)
            assert close(scores[4] - scores[1], 0.0)
        assert close(overall(null, timing=("then",))[4] - overall(null, timing=("pre",))[1], 0.0)

    @pytest.mark.parametrize("team_icc", [0.0, 0.4])
    def test_team_icc_is_the_share_between_teams(self, team_icc: float) -> None:
        programme = ek.simulate(
            seed=8, leaders=2000, teams=400, team_icc=team_icc, tables=("responses",), asked=("self",), **EVERYBODY
        )
        teams = programme.participants.set_index("participant_id")["team_id"]
        baseline = overall(programme)[1]
        by_team = baseline.groupby(teams)
        size, between = 2000 / 400, by_team.mean().var(ddof=1)
        within = (baseline - by_team.transform("mean")).pow(2).sum() / (2000 - 400)
        share = (between - within / size) / (between + within * (1 - 1 / size))
        # Noise of occasions and items leaves leaders about 0.25 of 0.30 of the variance; sampling error is about 0.025.
        assert share == pytest.approx(team_icc * 0.25 / 0.30, abs=0.1)


class TestWhoStays:
    @staticmethod
    def gone_and_baseline(**setting: float) -> tuple[pd.Series, pd.Series]:
        programme = ek.simulate(
            seed=21, leaders=2000, teams=320, nonresponse=0.0, tables=("responses",), asked=("self",), **setting
        )
        scores = overall(programme)
        return scores[4].isna(), scores[1]

    def test_low_baselines_leave_more_often(self) -> None:
        gone, baseline = self.gone_and_baseline(dropout=0.3, dropout_on_baseline=0.5)
        difference = baseline[gone].mean() - baseline[~gone].mean()
        error = math.sqrt(baseline[gone].var() / gone.sum() + baseline[~gone].var() / (~gone).sum())
        assert difference < -5 * error

    def test_at_random_they_do_not(self) -> None:
        gone, baseline = self.gone_and_baseline(dropout=0.3, dropout_on_baseline=0.0)
        difference = baseline[gone].mean() - baseline[~gone].mean()
        assert abs(difference) < 4 * math.sqrt(
            baseline[gone].var() / gone.sum() + baseline[~gone].var() / (~gone).sum()
        )

    def test_as_many_go_as_was_said(self) -> None:
        gone, _ = self.gone_and_baseline(dropout=0.3)
        assert gone.mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.3 * 0.7 / 2000))

    def test_nobody_goes_or_skips_when_told_so(self) -> None:
        programme = ek.simulate(seed=2, leaders=30, teams=6, tables=("responses",), asked=("self",), **EVERYBODY)
        assert len(programme.responses) == 30 * 4 * 30
        assert programme.participants["left"].isna().all()

    def test_who_left_neither_answers_nor_is_on_a_roster(self) -> None:
        programme = ek.simulate(seed=3, tables=("responses", "ties", "sessions"))
        left = programme.participants.set_index("participant_id")["left"].dropna()
        assert 0 < len(left) < 60
        answers = programme.responses
        own = answers[(answers["rater"] == "self") & answers["respondent_id"].isin(left.index)]
        assert (own["answered_on"] < own["respondent_id"].map(left)).all()
        rosters = programme.rosters
        assert not set(rosters.loc[rosters["wave"] == 4, "person_id"]) & set(left.index)
        came = programme.attendance.merge(programme.sessions[["session_id", "held_on"]], on="session_id")
        came = came[came["person_id"].isin(left.index)]
        assert (came["held_on"] < came["person_id"].map(left)).all()


class TestPlaces:
    def test_maturity_changes_as_planted_domain_by_domain(self) -> None:
        # Places carry the error, so there must be many of them: 30 a run, 12 runs.
        changes: dict[str, list[float]] = {}
        for seed in range(12):
            programme = ek.simulate(
                seed=seed,
                leaders=120,
                teams=30,
                places=30,
                programme_places=30,
                tables=("responses",),
                asked=("place",),
            )
            answers = programme.responses
            own = answers[answers["rater"] == "team_member"]
            means = own.groupby(["item", "subject_id", "wave"])["answer"].mean().unstack()
            for domain, change in (means[4] - means[1]).groupby(level="item"):
                changes.setdefault(str(domain), []).extend(change)
        effects = planted(None)
        assert len(changes) == 8
        assert all(close(pd.Series(found), effects[f"icfat_{domain}"]) for domain, found in changes.items())
        assert np.mean(changes["workforce"]) < 0 < np.mean(changes["leadership"])

    def test_only_programme_places_are_scored(self) -> None:
        programme = ek.simulate(seed=1, tables=("responses",), asked=("place",))
        places = programme.places.set_index("place_id")["arm"]
        assert set(places[programme.responses["subject_id"].unique()]) == {"programme"}


def external_share(programme: Programme) -> pd.Series:
    """E-I index of trust ties by wave, as named."""
    home = programme.people.set_index("person_id")["organisation_id"]
    trust = programme.ties[programme.ties["relation"] == "trust"]
    outside = trust["from_id"].map(home).to_numpy() != trust["to_id"].map(home).to_numpy()
    return pd.Series(2.0 * outside - 1.0).groupby(trust["wave"].to_numpy()).mean()


class TestTies:
    @pytest.mark.parametrize("planted_change", [0.25, 0.0, -0.25])
    def test_ei_moves_as_planted(self, planted_change: float) -> None:
        found = []
        for seed in range(14):
            programme = ek.simulate(seed=seed, effects={"bridging": planted_change}, tables=("ties",))
            by_wave = external_share(programme)
            truth = programme.truth["expected"]["bridging"]["trust"]
            assert truth["change"] == pytest.approx(planted_change, abs=2e-6)
            found.append((by_wave[4] - by_wave[1]) - truth["change"])
        assert close(pd.Series(found), 0.0)
        assert np.std(found) < 0.15

    def test_truth_counts_every_pair_by_hand(self) -> None:
        world = simulation.World(simulation.Scenario(effects=planted(None), leaders=12, teams=2), seed=4)
        trust = simulation.relations.RELATIONS[-1]
        chances = simulation.relations.pairs(trust, world.scenario, world.cast)
        outside = inside = 0.0
        for giver in range(12):
            for taker in range(12):
                if world.cast.organisation[giver] != world.cast.organisation[taker]:
                    outside += chances.chance[0, giver, taker]
                else:
                    inside += chances.chance[0, giver, taker]
        assert simulation.relations.expected_ei(chances)[0] == pytest.approx((outside - inside) / (outside + inside))
        assert not np.diagonal(chances.chance, axis1=1, axis2=2).any()

    def test_a_change_nobody_could_name_is_refused(self) -> None:
        with pytest.raises(ValueError, match="runs off what 150 leaders can name"):
            ek.simulate(seed=1, effects={"bridging": 1.5}, tables=("ties",))


def by_month(programme: Programme) -> pd.DataFrame:
    """Months × arms."""
    arm = programme.places.set_index("place_id")["arm"]
    outcomes = programme.outcomes
    return outcomes.groupby(["period", outcomes["place_id"].map(arm)])["count"].sum().astype(float).unstack()


class TestAdmissions:
    @pytest.mark.parametrize("ratio", [0.85, 1.0])
    def test_rate_ratio_is_what_was_planted(self, ratio: float) -> None:
        found = []
        for seed in range(25):
            months = by_month(ek.simulate(seed=seed, effects={ADMISSIONS: ratio}, tables=("outcomes",)))
            before, after = months[: pd.Timestamp(2024, 3, 1)].sum(), months[pd.Timestamp(2024, 4, 1) :].sum()
            change = np.log(after / before)
            found.append(change["programme"] - change["comparison"])
        assert close(pd.Series(found), math.log(ratio))
        assert np.std(found) / 5 < 0.02

    @pytest.mark.parametrize(
        ("process", "rho", "low", "high"),
        [
            ("observation", 0.0, -0.04, 0.04),
            ("observation", 0.6, 0.54, 0.62),
            ("latent", 0.6, 0.22, 0.36),
        ],
    )
    def test_spread_and_correlation_are_what_was_asked(self, process: str, rho: float, low: float, high: float) -> None:
        """Against the expected counts: variance twice the mean, and the correlation of neighbouring months."""
        squares, products = [], []
        for seed in range(40):
            scenario = simulation.Scenario(effects=planted({}), process=process, rho=rho, events=False)  # type: ignore[arg-type]
            drawn = simulation.World(scenario, seed).lives
            off = (drawn.total - drawn.expected) / np.sqrt(drawn.expected)
            squares.append(np.mean(off**2))
            products.append(np.mean(off[:, 1:] * off[:, :-1]))
        assert np.mean(squares) == pytest.approx(2.0, abs=0.08)
        assert low < np.mean(products) / np.mean(squares) < high

    def test_shared_events_lift_every_place_in_the_months_they_say(self) -> None:
        with_events = by_month(ek.simulate(seed=6, effects={}, tables=("outcomes",))).sum(axis=1)
        without = by_month(ek.simulate(seed=6, effects={}, events=False, tables=("outcomes",))).sum(axis=1)
        lifted = with_events / without
        definition, shock = pd.Timestamp(2022, 4, 1), [pd.Timestamp(2025, 1, 1), pd.Timestamp(2025, 2, 1)]
        told = np.where(lifted.index < definition, 1.0, 1.06) * np.where(lifted.index.isin(shock), 1.12, 1.0)
        assert lifted.to_numpy() == pytest.approx(told, abs=0.02)

    def test_events_table_says_what_is_in_the_numbers(self) -> None:
        assert not ek.simulate(seed=6, events=False, tables=()).has("events")
        events = ek.simulate(seed=6, tables=()).events
        assert set(events["kind"]) == {"shock", "definition_change", "concurrent_intervention"}

    def test_about_three_hundred_a_month(self) -> None:
        months = by_month(ek.simulate(seed=7, effects={}, events=False, tables=("outcomes",)))
        assert months["programme"].mean() == pytest.approx(300, rel=0.06)

    def test_every_count_has_its_people(self) -> None:
        programme = ek.simulate(seed=7, tables=("outcomes",))
        year = (programme.outcomes["period"].dt.year - (programme.outcomes["period"].dt.month < 4)).rename("year")
        told = programme.denominators.assign(year=programme.denominators["period"].dt.year)
        keys = ["place_id", "year", "age_band"]
        joined = programme.outcomes.join(year).merge(told, on=keys, how="left", validate="many_to_one")
        assert (told["span"] == 12).all()
        assert len(joined) == 19 * 60 * 6
        assert (joined["population"] >= 1).all()


class TestTheWhole:
    def test_the_same_seed_gives_the_same_programme(self) -> None:
        first, again, other = (ek.simulate(seed=seed, leaders=40, teams=8) for seed in (9, 9, 10))
        assert first.data_hash == again.data_hash != other.data_hash
        assert first.truth == again.truth

    def test_without_a_name_only_single_patients_are_left_out(self) -> None:
        named = ek.simulate(seed=9, leaders=40, teams=8, tables=tuple(simulation.PARTS))
        usual = ek.simulate(seed=9, leaders=40, teams=8)
        assert set(named.hashes) - set(usual.hashes) == {"admissions.csv"}
        assert all(named.hashes[name] == found for name, found in usual.hashes.items())

    @pytest.mark.parametrize("part", list(simulation.PARTS))
    def test_leaving_parts_out_changes_nothing_in_the_rest(self, part: str) -> None:
        size = {"seed": 12, "leaders": 40, "teams": 8}
        everything, alone = ek.simulate(**size, tables=tuple(simulation.PARTS)), ek.simulate(**size, tables=(part,))
        own = {*simulation.PARTS[part]}
        kept = [*own - {"outcomes"}, "people", "participants", "places", "waves", "events"]
        assert all(everything.hashes.get(f"{table}.csv") == alone.hashes.get(f"{table}.csv") for table in kept)
        assert not any(alone.has(table) for names in simulation.PARTS.values() for table in {*names} - own)
        if "outcomes" in own:  # two parts write in that table
            told, every = alone.outcomes, everything.outcomes
            mine = every[every["measure"].isin(told["measure"].unique())].reset_index(drop=True)
            pd.testing.assert_frame_equal(mine, told, check_dtype=False)

    @pytest.mark.parametrize("who", simulation.ASKED)
    def test_leaving_people_out_changes_nothing_in_what_others_say(self, who: str) -> None:
        size = {"seed": 12, "leaders": 40, "teams": 8, "tables": ("responses",)}
        everything, alone = ek.simulate(**size).responses, ek.simulate(**size, asked=(who,)).responses
        assert len(alone)
        assert len(everything.merge(alone)) == len(alone)

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("leaders", 30),
            ("programme_places", 0),
            ("programme_places", 20),
            ("places", 31),
            ("waves", 1),
            ("months", 11),
            ("team_icc", 1.0),
            ("dropout", -0.1),
            ("dropout_on_baseline", 1.0),
            ("nonresponse", 1.0),
            ("rho", 1.0),
            ("process", "walk"),
            ("overdispersion", 0.9),
            ("admissions", 0.0),
        ],
    )
    def test_what_cannot_be_is_refused_by_name(self, setting: str, value: object) -> None:
        with pytest.raises(ValueError, match=f"{setting}={value!r} must be"):
            ek.simulate(seed=1, **{setting: value})

    @pytest.mark.parametrize("setting", ["tables", "asked"])
    def test_unknown_parts_are_refused_with_the_known_ones(self, setting: str) -> None:
        with pytest.raises(ValueError, match=rf"{setting} does not know scrolls\. Known: "):
            ek.simulate(seed=1, **{setting: ("scrolls",)})

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        seed=st.integers(0, 2**32),
        leaders=st.integers(12, 60),
        places=st.integers(2, 6),
        waves=st.integers(2, 5),
        months=st.integers(24, 72),
        data=st.data(),
    )
    def test_whatever_its_size_it_is_a_right_programme(
        self, seed: int, leaders: int, places: int, waves: int, months: int, data: st.DataObject
    ) -> None:
        programme = ek.simulate(
            seed=seed,
            leaders=leaders,
            teams=data.draw(st.integers(1, leaders // 4), label="teams"),
            places=places,
            programme_places=data.draw(st.integers(1, places), label="programme_places"),
            waves=waves,
            months=months,
            process=data.draw(st.sampled_from(["observation", "latent"]), label="process"),
            overdispersion=data.draw(st.sampled_from([1.0, 2.0, 3.0]), label="overdispersion"),
            effects={},
        )
        assert len(programme.participants) == leaders
        assert len(programme.waves) == waves
        assert programme.outcomes["period"].nunique() == months
        assert programme.fictional
        assert "FICTIONAL" in programme.title

    def test_teams_cross_organisations_and_have_four_to_eight(self) -> None:
        programme = ek.simulate(seed=1, tables=())
        leaders = programme.participants.merge(programme.people, left_on="participant_id", right_on="person_id")
        teams = leaders.groupby("team_id")
        assert teams.size().between(4, 8).all()
        assert (teams["organisation_id"].nunique() >= 2).all()

    def test_waves_drift_from_six_months(self) -> None:
        opens = ek.simulate(seed=1, tables=()).waves["opens_on"].dt.date.tolist()
        gaps = [(later - earlier).days for earlier, later in pairwise(opens)]
        assert all(150 < gap < 220 for gap in gaps)
        assert len(set(gaps)) == 3
        assert opens[0] < date(2024, 4, 1) < opens[1]


class TestWriting:
    def test_what_is_written_reads_back_as_it_was(self, tmp_path) -> None:
        programme = ek.simulate(seed=13, effects={"icfat": 0.2}, leaders=20, teams=4, places=4, programme_places=2)
        loaded = ek.load(simulation.write(programme, tmp_path / "there"))
        assert loaded.data_hash == programme.data_hash
        assert loaded.truth == programme.truth
        assert loaded.settings == programme.settings
        readme = (tmp_path / "there" / "README.md").read_text(encoding="utf-8")
        assert "leaders=20" in readme
        assert "2 programme places and 2 comparison places" in readme
        assert "{" not in readme.replace("effects={", "")

    def test_real_data_are_never_written_out_as_invented(self, tmp_path) -> None:
        real = Programme.build(settings=ProgrammeSettings(name="Real", starts_on=date(2024, 4, 1)), tables={})
        with pytest.raises(ValueError, match="Only a simulated programme can be written"):
            simulation.write(real, tmp_path)
