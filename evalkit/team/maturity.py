"""How do organisations see themselves, domain by domain?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.instrument import Instrument
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import change, multiplicity
from evalkit.team.given import Given
from evalkit.team.profile import QUESTION, marks
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, LEVEL, Decision, decide, described

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.change import PairedChange

MOVED = ("higher", "lower")
INSIDERS = "team_member"
"""The rater who scores a place from inside it."""

ASSESSED = Method(
    name="Mean over places of the mean of those who answered there, and its change with the paired t of places",
    source="t on K − 1 degrees of freedom (Student 1908), which kept its 5 % at 6 to 20 teams: the methods page.",
    assumes="Places are independent of each other; those who answered speak for their place.",
    design=Design.BEFORE_AFTER,
)


def maturity(
    programme: Programme, *, on: str = "icfat", rater: str = "team_member", confidence: float = 0.95
) -> Result:
    """Are organisations working better together? How do they see themselves, domain by domain?

    Needs: `responses` about places on the instrument `on` by one kind of `rater`, for those outside see a place
    otherwise than those in it; or, in `scores`, averages somebody published or scores people agreed. Comparison places
    are left out. Self-assessed maturity rises and falls: a lower score may show better understanding. Scores without
    numbers of people and spread are shown at their dates and never tested. Errors: `NotEnoughEvidence` when neither
    table has them.

    >>> import evalkit as ek
    >>> maturity(ek.load("sample_data/salford")).verdict
    <Verdict.DESCRIBED: 'described'>
    """
    instrument = circumstances.instrument(programme, on)
    if instrument.recorded or not instrument.on_scale:
        adds = f"The {instrument.name} adds up points that are no steps of one scale."
        raise NotEnoughEvidence(
            QUESTION,
            missing=instrument.never_averaged if instrument.recorded else adds,
            would_answer="an instrument whose domains are scored on one scale, such as icfat.",
        )
    responses = programme.responses
    answers = responses[(responses["instrument"] == on) & (responses["subject_kind"] == "place")]
    answers = answers[~answers["subject_id"].isin(circumstances.comparison_places(programme))]
    own = answers[answers["rater"] == rater]
    if not own.empty:
        return _assessed(programme, instrument, own, rater, confidence)
    if not answers.empty:
        given = words.listed(sorted(answers["rater"].unique()))
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"{words.sentence_case(words.raters(rater))} scored no place on the {instrument.name}.",
            would_answer=f"asking about those who did, with rater=…: {given}.",
        )
    scores = programme.scores[(programme.scores["instrument"] == on) & (programme.scores["subject_kind"] == "place")]
    if not scores.empty:
        return Given(programme, instrument, scores).answer()
    raise NotEnoughEvidence(
        QUESTION,
        missing=f"Nobody's answers to {instrument.name} were given, and no scores.",
        would_answer="responses.csv with the answers of each person, or scores.csv with published averages.",
    )


def _assessed(programme: Programme, instrument: Instrument, own: pd.DataFrame, rater: str, confidence: float) -> Result:
    """People answered about places: means over places, and change with the t of places."""
    scores = instrument.score(own).dropna(subset=["score"])
    waves = sorted(int(wave) for wave in scores["wave"].dropna().unique())
    by_place = scores.pivot_table(index=["domain", "subject_id"], columns="wave", values="score", aggfunc="mean")
    changes = _place_changes(by_place, waves, confidence)
    table = _assessed_table(programme, instrument, scores, by_place, changes, confidence)
    declared = _declared_domain(programme, instrument)
    decided = _assessed_decision(instrument, changes, declared)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.BEFORE_AFTER, informants=(words.raters(rater),), rivals=rivals)
    headline = _assessed_headline(instrument, table, changes, declared, decided, rater)
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_assessed_sentences(instrument, table, changes, waves, rater),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=marks(programme, instrument, table[table["what"] == "mean"], headline.text),
        chart=charts.named("profile"),
        method=ASSESSED,
        evidence=evidence,
        cautions=[*_assessed_cautions(changes, rivals, rater), *_joined(scores, waves)],
        about=circumstances.about(
            programme,
            f"team.maturity(on={instrument.id!r}, rater={rater!r})",
            n=scores["respondent_id"].nunique(),
            of=None,
            counts="respondents",
        ),
        details=changes,
    )


def _place_changes(by_place: pd.DataFrame, waves: list[int], confidence: float) -> dict[str, PairedChange]:
    """Each domain's change over places, where enough places have both ends."""
    if len(waves) < 2:
        return {}
    found = {}
    for domain, places in by_place.groupby(level="domain"):
        both = places[[waves[0], waves[-1]]].dropna()
        if len(both) >= LEAST_PAIRS and (both[waves[-1]] - both[waves[0]]).nunique() > 1:
            found[str(domain)] = change.paired(both[waves[0]], both[waves[-1]], confidence=confidence)
    return found


def _assessed_table(
    programme: Programme,
    instrument: Instrument,
    scores: pd.DataFrame,
    by_place: pd.DataFrame,
    changes: dict[str, PairedChange],
    confidence: float,
) -> pd.DataFrame:
    """A row a domain and wave (`what` mean), then a row a domain (`what` change). Extras: n_of, measured_on, aspect,
    what, places."""
    unit = f"points on a scale of {instrument.scale.low:g} to {instrument.scale.high:g}"
    dated = scores.groupby("wave")["answered_on"].median()
    closes = programme.waves.set_index("wave")["closes_on"]
    rows = []
    for domain in instrument.domains:
        own = scores[scores["domain"] == domain.key]
        for wave in sorted(own["wave"].unique()):
            answers = own[own["wave"] == wave]
            place_means = by_place.loc[domain.key][wave].dropna()
            rows.append(
                {"measure": domain.label, "estimate": place_means.mean(), "interval": "none given",
                 "n": answers["respondent_id"].nunique(), "measured_on": closes.get(wave, dated[wave]),
                 "aspect": domain.aspect, "what": "mean", "places": len(place_means)}
            )  # fmt: skip
    for domain in instrument.domains:
        if domain.key in changes:
            moved = changes[domain.key]
            rows.append(
                {"measure": domain.label, "estimate": moved.estimate, "low": moved.low, "high": moved.high,
                 "interval": f"{confidence:.0%} confidence",
                 "n": scores.loc[scores["domain"] == domain.key, "respondent_id"].nunique(),
                 "measured_on": pd.NaT, "aspect": domain.aspect, "what": "change", "places": moved.n}
            )  # fmt: skip
    table = pd.DataFrame(rows).assign(group=ALL, unit=unit, n_of="respondents")
    first = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit"]
    table = table.reindex(columns=[*first, "n_of", "measured_on", "aspect", "what", "places"])
    return table.astype({"n": "Int64", "low": float, "high": float})


def _declared_domain(programme: Programme, instrument: Instrument) -> str:
    """The domain of this instrument that was declared beforehand as the one that counts, or none."""
    name, _, domain = programme.plan.primary.get("team", "").partition("/")
    return domain if name == instrument.id else ""


def _assessed_decision(instrument: Instrument, changes: dict[str, PairedChange], declared: str) -> Decision:
    """The declared domain decides; without one, the tool has no overall score, so the answer is described."""
    if not declared:
        return described("No domain was declared beforehand as the one that counts, and the tool has no overall score.")
    if declared not in changes:
        return described(f"Fewer than {LEAST_PAIRS} places were scored at both ends.")
    return decide(
        changes[declared],
        better=instrument.better,
        worthwhile=instrument.smallest_worthwhile_change,
        value_words=instrument.validated and not instrument.self_assessed,
    )


def _assessed_headline(
    instrument: Instrument,
    table: pd.DataFrame,
    changes: dict[str, PairedChange],
    declared: str,
    decided: Decision,
    rater: str,
) -> Sentence:
    """The declared domain where there is one, else how many domains moved."""
    if not changes:
        return Sentence(f"{words.counted(len(instrument.domains), 'domain')} scored, not yet twice")
    moved = table[table["what"] == "change"]
    if declared in changes:
        label, scale = instrument.domain_labels[declared], instrument.scale
        return Sentence(
            f"{label}: {words.higher(changes[declared].estimate)} on a scale of {scale.low:g} to {scale.high:g} "
            f"({words.span(decided.low, decided.high)}), {_informant(rater)}",
            rows=tuple(moved.index[moved["measure"] == label]),
        )
    up, down = _clear(changes)
    return Sentence(
        f"{len(up)} of {len(changes)} domains clearly higher, {len(down)} clearly lower, "
        f"{len(changes) - len(up) - len(down)} neither ({_informant(rater)})",
        rows=tuple(moved.index),
    )


def _clear(changes: dict[str, PairedChange]) -> tuple[list[str], list[str]]:
    """Domains clearly higher and clearly lower: Holm over the domains at the verdict's level."""
    adjusted = multiplicity.adjust([moved.p for moved in changes.values()], "holm").tolist()
    clear = [key for key, p in zip(changes, adjusted, strict=True) if p < LEVEL]
    return [key for key in clear if changes[key].estimate > 0], [key for key in clear if changes[key].estimate < 0]


def _informant(rater: str) -> str:
    """Who scored the places, in the few words of a headline."""
    return "self-assessed" if rater == INSIDERS else f"told by {words.raters(rater)}"


def _assessed_sentences(
    instrument: Instrument, table: pd.DataFrame, changes: dict[str, PairedChange], waves: list[int], rater: str
) -> list[Sentence]:
    people = table.loc[table["what"] == "mean", "n"].max()
    scored = "people scored their own place" if rater == INSIDERS else f"{words.raters(rater)} scored the places"
    asked = Sentence(
        f"Up to {people} {scored} at {words.counted(len(waves), 'wave')} ({instrument.name}).",
        rows=tuple(table.index[table["what"] == "mean"]),
    )
    if not changes:
        return [asked]
    return [asked, *(_moved(instrument, table, keys, how) for keys, how in zip(_clear(changes), MOVED, strict=True))]


def _moved(instrument: Instrument, table: pd.DataFrame, keys: list[str], how: str) -> Sentence:
    """The domains that clearly moved one way, each with where it was and is now."""
    paths, rows = [], []
    for key in keys:
        means = table[(table["measure"] == instrument.domain_labels[key]) & (table["what"] == "mean")]["estimate"]
        was, now = words.number(means.iloc[0]), words.number(means.iloc[-1])
        paths.append(f"{instrument.domain_labels[key]} (was {was}, is now {now})")
        rows += list(means.index)
    return Sentence(f"Clearly {how} than at the first wave: {words.listed(paths) or 'none'}.", rows=tuple(rows))


def _joined(scores: pd.DataFrame, waves: list[int]) -> list[Sentence]:
    """How far the first and the last wave are the same people; the change is one of places either way."""
    if len(waves) < 2:
        return []
    first, last = (set(scores.loc[scores["wave"] == wave, "respondent_id"]) for wave in (waves[0], waves[-1]))
    both = len(first & last)
    if both == len(first) == len(last):
        return []
    if not both:
        return [
            Sentence(
                "No id stands at both the first and the last wave: other people answered, or the same under ids that "
                "cannot be joined. The change is one of places' means, not of people."
            )
        ]
    answered = words.counted(both, "person", "people")
    return [Sentence(f"{answered} answered at both the first and the last wave, the others at one of them.")]


def _assessed_cautions(changes: dict[str, PairedChange], rivals: tuple[str, ...], rater: str) -> list[Sentence]:
    said = ["A lower score may mean that people see more clearly."]
    if rater == INSIDERS:
        said[0] = "People scored their own place: a lower score may mean that they see more clearly."
    said.append("These places are not compared with others.")
    if changes:
        said.append(f"{len(changes)} domains were looked at together, and 'clearly' allows for that.")
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return [Sentence(text) for text in said]
