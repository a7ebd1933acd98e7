"""Do the people of a team hold together, and do they see it as one?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, FIRST, Method, Result, Sentence
from evalkit.stats import clusters
from evalkit.team import alike as within
from evalkit.team.alike import Alike, alike
from evalkit.team.deciding import decision, declared_domain, question
from evalkit.team.profile import QUESTION, marks
from evalkit.team.scored import INSIDERS, Scored, scored
from evalkit.team.told import few, mean_tells, people_behind
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, Decision, described

if TYPE_CHECKING:
    from evalkit.instrument import Domain
    from evalkit.programme import Programme
    from evalkit.stats.agreement import Icc
    from evalkit.stats.change import PairedChange
    from evalkit.stats.clusters import Permuted

ASKED = "Do the people of a team hold together?"
METHOD = Method(
    name="Mean over teams of the mean of those who answered, and its change with the paired t of teams and the exact "
    f"p of turning signs of teams; before it, agreement within teams: {within.METHOD}",
    source=f"Student 1908, Biometrika 6(1), 1-25; Fisher 1935, The Design of Experiments, section 21. {within.SOURCE}",
    assumes="Teams are independent of each other; those who answered speak for their team.",
    design=Design.BEFORE_AFTER,
)
MAY = {
    within.YES: "One score a team may be made of them",
    within.WITH_CARE: "One score a team may be made of them with care",
    within.NO: "One score a team should not be made of them, and the means below hide where they differ",
    within.NOT_KNOWN: f"Whether one score a team may be made of them is not known: no team has {within.LEAST_RATERS} "
    "people who answered everything",
}
MEAN, CHANGE = "mean", "change"
SEED = 1
"""Of the draw of signs where teams are too many (18 or more) to go through them all."""
COLUMNS = ("n_of", "wave", "measured_on", "aspect", *within.EXTRAS, "sign_flip_p", "smallest_p", TELLS)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Scores of teams with the waves compared, agreement at the last of them, and what changed; `lead` comes first."""

    asked: Scored
    lead: Domain
    ends: tuple[int, ...]
    agreed: list[Alike]
    changes: dict[str, PairedChange]
    flips: dict[str, Permuted]

    @property
    def scores(self) -> pd.DataFrame:
        """The scores of the waves compared."""
        return self.asked.scores[self.asked.scores["wave"].isin(self.ends)]

    @property
    def declared(self) -> bool:
        """Whether the leading domain was declared beforehand as the one that counts."""
        return declared_domain(self.asked.programme, self.asked.instrument) == self.lead.key


def cohesion(
    programme: Programme,
    *,
    on: str = "working_together",
    domain: str = "cohesion",
    rater: str = INSIDERS,
    between: tuple[int, int] | None = None,
    confidence: float = 0.95,
) -> Result:
    """Do the people of a team hold together?

    Needs: `responses` about teams on the instrument `on` by one kind of `rater`; `domain` leads and the other domains
    stand beside it. First whether means of teams may be made at all, from agreement within teams at the last wave; then
    the mean over teams at both waves, and its change where five teams or more have both. Every team counts once,
    however few of it answered. `between` names the two waves; the first and last unless given. Columns: n_of; wave;
    measured_on; aspect; what (r_wg against either null, average deviation, ICC(1), ICC(2); mean; change); counted
    (teams); reached (how many of these are at .70 or more, or within the cut-off); together (yes, with care, no, by
    `alike.TOGETHER_RULE`); of changes sign_flip_p, and smallest_p, the least so many teams can reach; tells (fewer
    people than the minimum, whom the row would tell beside others: it is withheld).
    Errors: `NotEnoughEvidence` when no team was scored; ValueError for a domain or waves there are not.

    >>> import evalkit as ek
    >>> cohesion(ek.load("sample_data/northmere")).table["measure"].iloc[0]
    'Team cohesion'
    """
    asked = scored(programme, on, rater=rater, subject="team")
    found = _found(asked, domain, between, confidence)
    table = _table(found, confidence)
    decided = _decided(found)
    headline = _headline(found, table, decided)
    design = Design.BEFORE_AFTER if found.changes else Design.DESCRIBED
    rivals = circumstances.rivals(programme)
    evidence = grade(design, informants=(words.raters(rater),), rivals=rivals)
    settings = {"on": on, "domain": domain, "rater": rater, "between": between}
    told = [f"{name}={value!r}" for name, value in settings.items() if value is not None]
    return Result.of(
        question=question(programme, asked.instrument, ASKED),
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(found, table, decided, confidence),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=marks(programme, asked.instrument, table[table["what"] == MEAN], headline.text),
        chart=charts.named("profile"),
        method=replace(METHOD, design=design),
        evidence=evidence,
        cautions=_cautions(found, rivals),
        about=circumstances.about(
            programme,
            f"team.cohesion({', '.join(told)})",
            n=int(found.scores["respondent_id"].nunique()),
            of=None,
            counts="respondents",
        ),
        details=found.changes,
    )


def _found(asked: Scored, domain: str, between: tuple[int, int] | None, confidence: float) -> _Found:
    domains = {each.key: each for each in asked.instrument.domains}
    if domain not in domains:
        raise ValueError(f"domain={domain!r} is none of {asked.instrument.name}: {words.listed(list(domains))}.")
    ends = asked.ends(between)
    if not (asked.scores["wave"].isin(ends) & (asked.scores["domain"] == domain)).any():
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Nobody answered enough on {domains[domain].label} at the waves asked about.",
            would_answer="answers to its questions, or asking about another domain, with domain=…",
        )
    agreed = alike(asked, ends[-1], confidence)
    changes = asked.changes(between, confidence)
    flips = {}
    for key in changes:
        both = asked.means().loc[key][list(ends)].dropna()
        flips[key] = clusters.flip(both[ends[1]] - both[ends[0]], both.index, seed=SEED)
    order = [domain, *(key for key in domains if key != domain)]
    by_key = {each.domain.key: each for each in agreed}
    return _Found(asked, domains[domain], ends, [by_key[key] for key in order], changes, flips)


def _decided(found: _Found) -> Decision:
    """The leading domain decides where it was declared beforehand."""
    asked = found.asked
    if not found.declared:
        return described(f"{found.lead.label} was not declared beforehand as what counts.")
    if found.lead.key not in found.changes:
        return described(f"Fewer than {LEAST_PAIRS} teams were scored at both ends.")
    last = circumstances.closes(asked.programme, found.ends[-1])
    return decision(asked.programme, asked.instrument, found.changes, last)


def _table(found: _Found, confidence: float) -> pd.DataFrame:
    """Domain by domain, the leading one first: agreement at the last wave, the mean at each wave, the change."""
    rows: list[dict[str, Any]] = []
    for each in found.agreed:
        key = each.domain.key
        rows += each.rows()
        rows += [row for wave in found.ends for row in _mean(found, each.domain, wave, confidence)]
        if key in found.changes:
            rows.append(_change(found, each.domain, confidence))
    table = pd.DataFrame(rows).reindex(columns=[*FIRST, *COLUMNS])
    whole = dict.fromkeys(("n", "wave", "counted", "reached", TELLS), "Int64")
    real = dict.fromkeys(("estimate", "low", "high", "sign_flip_p", "smallest_p"), float)
    table["measured_on"] = pd.to_datetime(table["measured_on"])
    return table.astype({**whole, **real}).fillna({"together": "", "aspect": ""})


def _mean(found: _Found, domain: Domain, wave: int, confidence: float) -> list[dict[str, Any]]:
    """The mean over teams at one wave, with the interval of t over teams where these are enough."""
    own = found.scores[(found.scores["domain"] == domain.key) & (found.scores["wave"] == wave)]
    if own.empty:
        return []
    by_team = own.groupby("subject_id")["score"].mean()
    closed = circumstances.closes(found.asked.programme, wave)
    row = {
        "measure": domain.label, "group": ALL, "estimate": by_team.mean(), "interval": "none given",
        "n": own["respondent_id"].nunique(), "unit": found.asked.unit, "n_of": "respondents", "wave": wave,
        "measured_on": own["answered_on"].median() if closed is None else closed, "aspect": domain.aspect,
        "what": MEAN, "counted": len(by_team),
        TELLS: mean_tells(found.asked, [domain.key], wave, found.asked.means().loc[[domain.key]].droplevel("domain")),
    }  # fmt: skip
    if len(by_team) < LEAST_PAIRS:
        return [row]
    # only its interval is wanted: no signs need turning here
    over = clusters.means(by_team, by_team.index, confidence=confidence, allocations=1, seed=SEED)
    if over.low == over.low:  # none where all teams are alike
        row |= {"low": over.low, "high": over.high, "interval": f"{confidence:.0%} confidence"}
    return [row]


def _change(found: _Found, domain: Domain, confidence: float) -> dict[str, Any]:
    """The change over teams with both waves, and beside it the p of turning their signs."""
    moved, flipped = found.changes[domain.key], found.flips[domain.key]
    own = found.scores[found.scores["domain"] == domain.key]
    both = own.groupby("subject_id")["wave"].nunique()
    own = own[own["subject_id"].isin(both.index[both == len(found.ends)])]
    # with few people at one end, their mean is the other end's less the change
    least = people_behind(found.asked, [domain.key], found.ends, own["subject_id"].unique())
    return {
        "measure": domain.label, "group": ALL, "estimate": moved.estimate, "low": moved.low, "high": moved.high,
        "interval": f"{confidence:.0%} confidence", "n": own["respondent_id"].nunique(), "unit": found.asked.unit,
        "n_of": "respondents", "what": CHANGE, "aspect": domain.aspect, "counted": moved.n,
        "sign_flip_p": flipped.p, "smallest_p": flipped.smallest_p,
        TELLS: few(least, found.asked.programme.minimum_group),
    }  # fmt: skip


def _rows(table: pd.DataFrame, measure: str, *what: str) -> tuple[int, ...]:
    held = table[(table["measure"] == measure) & table["what"].str.startswith(what)]
    return tuple(int(row) for row in held.index)


def _headline(found: _Found, table: pd.DataFrame, decided: Decision) -> Sentence:
    label, scale = found.lead.label, found.asked.instrument.scale
    on_scale = f"on a scale of {scale.low:g} to {scale.high:g}"
    moved = found.changes.get(found.lead.key)
    if moved is None:
        means = table.loc[list(_rows(table, label, MEAN))]
        said = " and ".join(words.number(mean) for mean in means["estimate"])
        text = f"{label}: mean {said} {on_scale}, change not tested, {found.asked.informant}"
        return Sentence(text, rows=tuple(int(row) for row in means.index))
    low, high = (decided.low, decided.high) if decided.low == decided.low else (moved.low, moved.high)
    return Sentence(
        f"{label}: {words.higher(moved.estimate)} {on_scale} ({words.span(low, high)}), {found.asked.informant}",
        rows=_rows(table, label, CHANGE),
    )


def _sentences(found: _Found, table: pd.DataFrame, decided: Decision, confidence: float) -> list[Sentence]:
    beside = [said for each in found.agreed[1:] if (said := _path(found, table, each.domain.label))]
    rows = tuple(row for each in found.agreed[1:] for row in _rows(table, each.domain.label, MEAN))
    others = [Sentence(f"Beside it, over teams: {words.listed(beside)}.", rows=rows)] if beside else []
    return [_may_be_made(found, table), *_moved(found, table, decided, confidence), *others]


def _may_be_made(found: _Found, table: pd.DataFrame) -> Sentence:
    """Who answered, how alike they see it, and so whether one score a team may be made."""
    lead, asked = found.agreed[0], found.asked
    own = asked.scores[(asked.scores["domain"] == lead.domain.key) & (asked.scores["wave"] == lead.wave)]
    people = words.counted(own["respondent_id"].nunique(), "person", "people")
    answered = (
        f"{people} in {words.counted(own['subject_id'].nunique(), 'team')} answered on {lead.domain.label} in "
        f"{circumstances.when(asked.programme, lead.wave)}"
    )
    rows = _rows(table, lead.domain.label, "r_wg", "average", "ICC")
    if lead.together == within.NOT_KNOWN:
        return Sentence(f"{answered}. {MAY[lead.together]}.", rows=rows)
    uniform, skew = (words.number(lead.each[column].median()) for column in ("uniform", "skew"))
    agreed = f"median agreement {lead.r_wg} {uniform} against answers at random and {skew} against leaning ones"
    icc = f"; ICC(1) {_estimate(lead.icc.icc1)}, ICC(2) {_estimate(lead.icc.icc2)}" if lead.icc else ""
    teams = words.counted(len(lead.each), "team")
    return Sentence(f"{answered}. {MAY[lead.together]} ({agreed}, {teams}{icc}).", rows=rows)


def _estimate(of: Icc) -> str:
    """A correlation with its interval, where it has one."""
    if of.low != of.low:
        return words.number(of.estimate)
    return f"{words.number(of.estimate)} ({words.span(of.low, of.high, 2)})"


def _moved(found: _Found, table: pd.DataFrame, decided: Decision, confidence: float) -> list[Sentence]:
    """How the leading domain moved over teams, with what turning the signs of teams gives."""
    label, moved = found.lead.label, found.changes.get(found.lead.key)
    path = _path(found, table, label)
    rows = _rows(table, label, MEAN, CHANGE)
    if not path:
        return []
    if moved is None:
        few = (
            f"fewer than {LEAST_PAIRS} teams have both waves, or all moved alike" if len(found.ends) > 1 else "one wave"
        )
        return [Sentence(f"Over teams, {path}; change is not tested ({few}).", rows=rows)]
    judged = decided.low == decided.low
    low, high = (decided.low, decided.high) if judged else (moved.low, moved.high)
    sure = f"{decided.confidence if judged else confidence:.0%} interval"
    flipped = found.flips[found.lead.key]
    chance, least = _share(flipped.p), _share(flipped.smallest_p)
    text = (
        f"Over teams, {path}: in the {moved.n} with both waves {words.higher(moved.estimate)} "
        f"({words.between(low, high)}, {sure}). Were each team as likely to fall as to rise, a change as large would "
        f"come in {chance} (with {moved.n} teams never in fewer than {least})."
    )
    return [Sentence(text, rows=rows)]


def _share(p: float) -> str:
    """A p as people say it.

    >>> _share(0.0625), _share(0.5)
    ('6.2 of 100', '50 of 100')
    """
    return f"{words.significant(100 * p)} of 100"


def _path(found: _Found, table: pd.DataFrame, label: str) -> str:
    """A domain's mean at the waves compared: was, is now."""
    means = [words.number(mean) for mean in table.loc[list(_rows(table, label, MEAN)), "estimate"]]
    if not means:
        return ""
    return f"{label} was {means[0]} and is now {means[1]}" if len(means) > 1 else f"{label} was {means[0]}"


def _cautions(found: _Found, rivals: tuple[str, ...]) -> list[Sentence]:
    asked = found.asked
    said = ["A lower score may mean that people see more clearly.", "These teams are not compared with others."]
    if asked.rater == INSIDERS:
        said[0] = "People scored their own team: a lower score may mean that they see more clearly."
    sizes = found.scores.groupby(["subject_id", "wave"])["respondent_id"].nunique().groupby(level="subject_id").min()
    small = int((sizes < within.LEAST_RATERS).sum())
    if small:
        said.append(
            f"{words.of(small, len(sizes))} teams had fewer than {within.LEAST_RATERS} people at a wave: their means "
            "count like those of others, and may be one person's view."
        )
    if len(found.ends) > 1:
        first, last = (set(found.scores.loc[found.scores["wave"] == wave, "respondent_id"]) for wave in found.ends)
        both = words.counted(len(first & last), "person", "people")
        said.append(f"{both} answered at both waves ({len(first)} at the first, {len(last)} at the last).")
    if asked.instrument.scale.evaluator_defined:
        said.append(f"{asked.instrument.name} has no scale of its own: this one is the evaluator's, and not validated.")
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return [*(Sentence(text) for text in said), *within.cautions(found.agreed), *asked.cautions()]
