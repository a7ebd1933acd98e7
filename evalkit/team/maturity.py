"""How do organisations see themselves, domain by domain?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.team.by_group import known_split, split
from evalkit.team.deciding import clear, decision, declared_domain
from evalkit.team.given import Given
from evalkit.team.profile import QUESTION, marks
from evalkit.team.scored import INSIDERS, Scored, about_subjects, on_one_scale, ours, over_subjects, scored
from evalkit.team.told import few, fewest, left_behind, mean_tells, people_behind
from evalkit.terms import Design, Level, Step

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme
    from evalkit.stats.change import PairedChange
    from evalkit.verdict import Decision

MOVED = ("higher", "lower")

ASSESSED = Method(
    name="Mean over places of the mean of those who answered there, and its change with the paired t of places",
    source="t on K − 1 degrees of freedom (Student 1908), which kept its 5 % at 6 to 20 teams: the methods page.",
    assumes="Places are independent of each other; those who answered speak for their place.",
    design=Design.BEFORE_AFTER,
)


def maturity(
    programme: Programme,
    *,
    on: str = "icfat",
    rater: str = INSIDERS,
    by: str | None = None,
    subject: str | None = None,
    between: tuple[int, int] | None = None,
    confidence: float = 0.95,
) -> Result:
    """Are organisations working better together? How do they see themselves, domain by domain?

    Needs: `responses` about places (or teams) on the instrument `on` by one kind of `rater`, for those outside see a
    place otherwise than those in it; or, in `scores`, averages somebody published or scores people agreed. `by` sets
    groups side by side: place, team, organisation (on the day of the wave), level (as the form says, else seniority) or
    tier. `between` names the two waves of the change; the first and last unless given. Comparison places are left out.
    Self-assessed maturity rises and falls: a lower score may show better understanding. Scores without numbers of
    people and spread are shown at their dates and never tested. Columns: n_of, measured_on, wave, aspect, what (mean,
    change; of an aspect: mean of its domains, ours and not the tool's), places; by group: sd; tells (fewer people than
    the minimum, whom the row would tell beside other answers: it is withheld).
    Errors: `NotEnoughEvidence` when neither table has them; ValueError for a `by` or `between` there is not.

    >>> import evalkit as ek
    >>> maturity(ek.load("sample_data/salford")).verdict
    <Verdict.DESCRIBED: 'described'>
    """
    settings = {"on": on, "rater": rater, "by": by, "subject": subject, "between": between}
    usual = {"by": None, "subject": None, "between": None}
    told = [f"{name}={value!r}" for name, value in settings.items() if name not in usual or value is not None]
    call = f"team.maturity({', '.join(told)})"
    if by is not None:
        known_split(by)
    instrument = on_one_scale(programme, on)
    if not about_subjects(programme, on).empty:
        asked = scored(programme, on, rater=rater, subject=subject)
        return split(asked, by, between, confidence, call) if by else _assessed(asked, between, confidence, call)
    scores = ours(programme, programme.scores[programme.scores["instrument"] == on])
    scores = scores[register.by_now(programme, scores["measured_on"])]
    if scores.empty:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Nobody's answers to {instrument.name} were given, and no scores.",
            would_answer="responses.csv with the answers of each person, or scores.csv with published averages.",
        )
    if by:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Of the {instrument.name} only scores came, not who gave them, so none can be split by {by}.",
            would_answer="responses.csv with the answers of each person; without by=…, the scores of each place.",
        )
    return Given(programme, instrument, scores, confidence).answer()


def _assessed(asked: Scored, between: tuple[int, int] | None, confidence: float, call: str) -> Result:
    """People answered about places: means over places, and change with the t of places."""
    ends = asked.ends(between)
    means = _with_aspects(asked.instrument, asked.means())
    changes = over_subjects(means, ends, confidence)
    domains = {key: moved for key, moved in changes.items() if key in asked.instrument.domain_labels}
    table = _assessed_table(asked, means, changes, ends, confidence)
    declared = declared_domain(asked.programme, asked.instrument)
    decided = decision(asked.programme, asked.instrument, changes, circumstances.closes(asked.programme, ends[-1]))
    rivals = circumstances.rivals(asked.programme)
    evidence = grade(Design.BEFORE_AFTER, informants=(words.raters(asked.rater),), rivals=rivals)
    headline = _assessed_headline(asked, table, domains, declared, decided)
    drawn = table[(table["what"] == "mean") & table["measure"].isin([*asked.instrument.domain_labels.values()])]
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_assessed_sentences(asked, table, domains, ends),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=marks(asked.programme, asked.instrument, drawn, headline.text),
        chart=charts.named("profile"),
        method=ASSESSED,
        evidence=evidence,
        cautions=[*_assessed_cautions(asked, domains, rivals), *_joined(asked.scores, ends), *asked.cautions()],
        about=circumstances.about(asked.programme, call, n=asked.people(), of=None, counts="respondents"),
        details=changes,
    )


def _with_aspects(instrument: Instrument, means: pd.DataFrame) -> pd.DataFrame:
    """The means of places, with those over the domains of each aspect; where a domain has none, neither has its aspect.

    The tool defines no such sub-score: these are ours, for anatomy and physiology need not move together.
    """
    found = [means]
    for label, keys in _aspect_domains(instrument).items():
        held = means[means.index.get_level_values("domain").isin(keys)]
        counted = held.groupby(level="subject_id").count() == len(keys)
        over = held.groupby(level="subject_id").mean().where(counted)
        found.append(pd.concat({label: over}, names=["domain"]))
    return pd.concat(found)


def _aspect_domains(instrument: Instrument) -> dict[str, list[str]]:
    """The domains of each aspect, by what its mean is called."""
    aspects: dict[str, list[str]] = {}
    for domain in instrument.domains:
        if domain.aspect:
            aspects.setdefault(domain.aspect, []).append(domain.key)
    return {f"{words.sentence_case(aspect)}, mean of {len(keys)} domains": keys for aspect, keys in aspects.items()}


def _assessed_table(
    asked: Scored, means: pd.DataFrame, changes: dict[str, PairedChange], ends: tuple[int, ...], confidence: float
) -> pd.DataFrame:
    """A row a domain and wave (`what` mean), a row a domain (`what` change), then the same of each aspect."""
    domains = {domain.key: domain for domain in asked.instrument.domains}
    answered = list(dict.fromkeys(means.index.get_level_values("domain")))
    order = [key for key in domains if key in answered] + [key for key in answered if key not in domains]
    held = [(key, wave) for key in order for wave in asked.waves if means.loc[key][wave].notna().any()]
    rows = [_mean(asked, key, wave, means) for key, wave in held]
    rows += [_change(asked, key, changes[key], means.loc[key][[*ends]], confidence) for key in order if key in changes]
    labelled = [{**row, "measure": asked.instrument.domain_labels.get(row["measure"], row["measure"]),
                 "aspect": domains[row["measure"]].aspect if row["measure"] in domains else ""}
                for row in rows]  # fmt: skip
    table = pd.DataFrame(labelled).assign(group=ALL, unit=asked.unit, n_of="respondents")
    first = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit"]
    table = table.reindex(columns=[*first, "n_of", "measured_on", "wave", "aspect", "what", "places", TELLS])
    return table.astype({**dict.fromkeys(("n", "wave", TELLS), "Int64"), "low": float, "high": float})


def _domains_of(asked: Scored, key: str) -> list[str]:
    """The domain itself; of an aspect, all its domains."""
    return _aspect_domains(asked.instrument).get(key, [key])


def _mean(asked: Scored, key: str, wave: int, means: pd.DataFrame) -> dict[str, Any]:
    """The mean of places at one wave."""
    places, domains = means.loc[key][wave].dropna(), _domains_of(asked, key)
    own = asked.scores[(asked.scores["wave"] == wave) & asked.scores["domain"].isin(domains)]
    own = own[own["subject_id"].isin(places.index)]
    # an aspect counts places with all its domains: beside each domain's mean it tells the others
    others = [left_behind(asked, [one], wave, means.loc[one][wave].dropna().index, places.index) for one in domains]
    closed = circumstances.closes(asked.programme, wave)
    return {
        "measure": key, "estimate": places.mean(), "interval": "none given", "n": own["respondent_id"].nunique(),
        "measured_on": own["answered_on"].median() if closed is None else closed, "what": "mean", "places": len(places),
        "wave": wave,
        TELLS: fewest(mean_tells(asked, domains, wave, means.loc[[key]].droplevel("domain")), *others),
    }  # fmt: skip


def _change(asked: Scored, key: str, moved: PairedChange, ends: pd.DataFrame, confidence: float) -> dict[str, Any]:
    """The change over places; `ends`: a row a place, a column for each of the two waves."""
    both, domains = ends.dropna().index, _domains_of(asked, key)
    own = asked.scores[asked.scores["wave"].isin(ends.columns) & asked.scores["domain"].isin(domains)]
    people = int(own.loc[own["subject_id"].isin(both), "respondent_id"].nunique())
    # with few people at one end, their mean is the other end's less the change
    least = few(people_behind(asked, domains, [*ends.columns], both), asked.programme.minimum_group)
    return {
        "measure": key, "estimate": moved.estimate, "low": moved.low, "high": moved.high,
        "interval": f"{confidence:.0%} confidence", "n": people, "measured_on": pd.NaT,
        "what": "change", "places": moved.n, TELLS: least,
    }  # fmt: skip


def _assessed_headline(
    asked: Scored, table: pd.DataFrame, changes: dict[str, PairedChange], declared: str, decided: Decision
) -> Sentence:
    """The declared domain where there is one, else how many domains moved."""
    instrument = asked.instrument
    if not changes:
        return Sentence(f"{words.counted(len(instrument.domains), 'domain')} scored, not yet twice")
    moved = table[(table["what"] == "change") & table["measure"].isin([*instrument.domain_labels.values()])]
    if declared in changes:
        label, scale = instrument.domain_labels[declared], instrument.scale
        return Sentence(
            f"{label}: {words.higher(changes[declared].estimate)} on a scale of {scale.low:g} to {scale.high:g} "
            f"({words.span(decided.low, decided.high)}), {asked.informant}",
            rows=tuple(moved.index[moved["measure"] == label]),
        )
    up, down = clear(changes)
    return Sentence(
        f"{len(up)} of {len(changes)} domains clearly higher, {len(down)} clearly lower, "
        f"{len(changes) - len(up) - len(down)} neither ({asked.informant})",
        rows=tuple(moved.index),
    )


def _assessed_sentences(
    asked: Scored, table: pd.DataFrame, changes: dict[str, PairedChange], ends: tuple[int, ...]
) -> list[Sentence]:
    means = table[(table["what"] == "mean") & table["measure"].isin([*asked.instrument.domain_labels.values()])]
    many = words.counted(int(means["n"].max()), "person", "people")
    inside = asked.rater == INSIDERS
    what = (
        f"scored their own {asked.subject}" if inside else f"({words.raters(asked.rater)}) scored the {asked.subject}s"
    )
    said = [
        Sentence(
            f"Up to {many} {what} at {words.counted(len(asked.waves), 'wave')} ({asked.instrument.name}).",
            rows=tuple(means.index),
        )
    ]
    if changes:
        said += [_moved(asked, table, keys, how, ends) for keys, how in zip(clear(changes), MOVED, strict=True)]
    return [*said, *_aspects(asked, table, ends)]


def _aspects(asked: Scored, table: pd.DataFrame, ends: tuple[int, ...]) -> list[Sentence]:
    """Each aspect's mean at the two waves, where the instrument has aspects."""
    held = table[table["wave"].isin(ends) & ~table["measure"].isin([*asked.instrument.domain_labels.values()])]
    if held.empty:
        return []
    said = []
    for measure, rows in held.groupby("measure", sort=True):
        was, now = (words.number(rows["estimate"].iloc[end]) for end in (0, -1))
        said.append(f"{measure} ({was if len(rows) == 1 else f'was {was}, is now {now}'})")
    text = f"Over several domains, which the tool itself does not sum up: {words.listed(said)}."
    return [Sentence(text, rows=tuple(held.index))]


def _moved(asked: Scored, table: pd.DataFrame, keys: list[str], how: str, ends: tuple[int, ...]) -> Sentence:
    """The domains that clearly moved one way between the two waves, each with where it was and is."""
    paths, rows, labels = [], [], asked.instrument.domain_labels
    for key in keys:
        means = table[(table["measure"] == labels[key]) & table["wave"].isin(ends)]["estimate"]
        was, now = words.number(means.iloc[0]), words.number(means.iloc[-1])
        paths.append(f"{labels[key]} (was {was}, is now {now})")
        rows += list(means.index)
    first, last = (circumstances.when(asked.programme, wave) for wave in ends)
    return Sentence(f"Clearly {how} in {last} than in {first}: {words.listed(paths) or 'none'}.", rows=tuple(rows))


def _joined(scores: pd.DataFrame, ends: tuple[int, ...]) -> list[Sentence]:
    """How far the first and the last wave are the same people; the change is one of places either way."""
    if len(ends) < 2:
        return []
    first, last = (set(scores.loc[scores["wave"] == wave, "respondent_id"]) for wave in ends)
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


def _assessed_cautions(asked: Scored, changes: dict[str, PairedChange], rivals: tuple[str, ...]) -> list[Sentence]:
    said = ["A lower score may mean that people see more clearly."]
    if asked.rater == INSIDERS:
        said[0] = f"People scored their own {asked.subject}: a lower score may mean that they see more clearly."
    said.append(f"These {asked.subject}s are not compared with others.")
    if len(changes) > 1:
        said.append(f"{len(changes)} domains were looked at together, and 'clearly' allows for that.")
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return [Sentence(text) for text in said]
