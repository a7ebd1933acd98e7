"""Are all five factors of working together there, in what people say and in what was written down?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS, protect
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.html import WITHHELD
from evalkit.result import ALL, FIRST, Method, Result, Sentence
from evalkit.team.conflict import conflict
from evalkit.team.contact import contact
from evalkit.team.continuity import continuity
from evalkit.team.deciding import clear, decision, question
from evalkit.team.profile import marks
from evalkit.team.scored import INSIDERS, Scored, scored
from evalkit.team.told import LEAST_PEOPLE, few, mean_tells, people_behind
from evalkit.terms import Audience, Design, Level, Step

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.change import PairedChange

ASKED = "Are all five factors of working together there, and which is weakest?"
METHOD = Method(
    name="Mean over teams of the mean of those who answered, factor by factor, the weakest named; its change with the "
    "paired t of teams; beside it what logs of meetings, disagreements and posts hold",
    source="The five factors (Michael West) in The King's Fund's practical guide for leaders of new systems of care, "
    "which stresses working on all five together; t on K − 1 degrees of freedom (Student 1908): the methods page.",
    assumes="Teams are independent of each other; those who answered speak for their team; logs were kept.",
    design=Design.BEFORE_AFTER,
)
IN_LOGS: dict[str, tuple[str, tuple[str, ...], Callable[..., Result]]] = {
    "contact": ("meetings", ("meetings",), contact),
    "conflict": ("disagreements", ("conflicts",), conflict),
    "long_term": ("posts", ("posts", "memberships"), continuity),
}
"""Factors that leave a trace of their own: what is written down, the tables it stands in, the question that counts."""
MEAN, CHANGE, LOG = "mean", "change", "log"
SAME = 1e-9
NOT_KEPT, FEW = "No log was kept of", "Too few people stand behind the log of"


def five_factors(
    programme: Programme, *, on: str = "five_factors", rater: str = INSIDERS, subject: str | None = None,
    between: tuple[int, int] | None = None, confidence: float = 0.95,
) -> Result:  # fmt: skip
    """Are all five factors of working together there, and which is weakest?

    Needs: `responses` about teams or places on the instrument `on`; beside them `meetings`, `conflicts`, `posts` and
    `memberships` where they were kept, so that contact, conflict and staying are data and not only opinion. There is no
    overall score: the source stresses all five together, so the lowest says most. What people say of meetings and what
    the log holds may differ, and both are shown. Columns: n_of, measured_on, aspect, what (mean, change, log), subjects
    (teams behind it), lowest_in of lowest_of (teams of which it is the lowest factor, ties counted in each; what one
    person finds lowest is not counted), tells (fewer people than the minimum, whom the row would tell beside others: it
    is withheld).
    Errors: `NotEnoughEvidence` when nobody answered the instrument.

    >>> import evalkit as ek
    >>> found = five_factors(ek.load("sample_data/northmere")).table
    >>> found["what"].unique().tolist()
    ['mean', 'change', 'log']
    """
    asked = scored(programme, on, rater=rater, subject=subject)
    ends, changes = asked.ends(between), asked.changes(between, confidence)
    logs, silent = _logs(asked)
    table = _table(asked, ends, changes, logs, confidence)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.BEFORE_AFTER, informants=(words.raters(rater),), rivals=rivals)
    decided = decision(programme, asked.instrument, changes, circumstances.closes(programme, ends[-1]))
    headline = _headline(asked, table)
    told = f"on={on!r}, rater={rater!r}" + ("" if between is None else f", between={between!r}")
    return Result.of(
        question=question(programme, asked.instrument, ASKED),
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, table, changes, logs, ends),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=marks(programme, asked.instrument, table[table["what"] == MEAN], headline.text),
        chart=charts.named("profile"),
        method=METHOD,
        evidence=evidence,
        cautions=[*_cautions(asked, silent, changes, rivals), *asked.cautions()],
        about=circumstances.about(
            programme, f"team.five_factors({told})", n=asked.people(), of=None, counts="respondents"
        ),
        details=changes or None,
    )


def _logs(asked: Scored) -> tuple[dict[str, Result], dict[str, list[str]]]:
    """What was written down about the factors that leave a trace, as anybody may see it; and of what there is none to
    show, by why: nobody kept it, or too few people stand behind it."""
    found: dict[str, Result] = {}
    silent: dict[str, list[str]] = {NOT_KEPT: [], FEW: []}
    for key, (kept, tables, counted) in IN_LOGS.items():
        if key not in asked.instrument.domain_labels:
            continue
        if not any(asked.programme.has(table) for table in tables):
            silent[NOT_KEPT].append(kept)
            continue
        try:
            answer = protect(counted(asked.programme), Audience.PUBLIC)
        except NotEnoughEvidence:
            silent[NOT_KEPT].append(kept)
            continue
        headline, *_ = answer.parts
        if (answer.table.loc[[*headline.rows], "interval"] == WITHHELD).any():
            silent[FEW].append(kept)
        else:
            found[key] = answer
    return found, silent


def _table(
    asked: Scored, ends: tuple[int, ...], changes: dict[str, PairedChange], logs: dict[str, Result], confidence: float
) -> pd.DataFrame:
    """A row a factor and wave, a row a factor that could be tested, then the rows of the logs."""
    rows = [_mean(asked, key, wave) for key in asked.instrument.domain_labels for wave in ends]
    rows += [
        _change(asked, key, changes[key], ends, confidence) for key in asked.instrument.domain_labels if key in changes
    ]
    table = pd.DataFrame([row for row in rows if row["subjects"]]).assign(group=ALL, unit=asked.unit)
    table = table.assign(n_of="respondents")
    written = [_written(answer) for answer in logs.values()]
    whole = pd.concat([table, *written], ignore_index=True) if written else table
    extras = ["n_of", "measured_on", "aspect", "what", "subjects", "lowest_in", "lowest_of", TELLS]
    whole = whole.reindex(columns=[*FIRST, *extras]).astype({"low": float, "high": float, "n": "Int64"})
    return whole.astype(dict.fromkeys(("subjects", "lowest_in", "lowest_of", TELLS), "Int64")).assign(aspect="")


def _mean(asked: Scored, key: str, wave: int) -> dict[str, Any]:
    means = asked.means()[wave].unstack("domain")
    own = means[key].dropna() if key in means else pd.Series(dtype=float)
    lowest = own <= means.min(axis=1).reindex(own.index) + SAME
    several = _by_several(asked, wave).reindex(own.index)
    return {
        "measure": asked.instrument.domain_labels[key], "estimate": own.mean(), "interval": "none given",
        "n": asked.people(domain=key, wave=wave), "measured_on": _closed(asked, wave), "what": MEAN,
        "subjects": len(own), "lowest_in": int((lowest & several).sum()), "lowest_of": int(several.sum()),
        TELLS: mean_tells(asked, [key], wave, asked.means().loc[[key]].droplevel("domain")) if len(own) else None,
    }  # fmt: skip


def _by_several(asked: Scored, wave: int) -> pd.Series[bool]:
    """Which teams enough people scored on every factor: what one person finds lowest is that person's answer."""
    own = asked.scores[asked.scores["wave"] == wave]
    people: pd.Series[int] = own.groupby(["subject_id", "domain"])["respondent_id"].nunique()
    return people.groupby(level="subject_id").min() >= LEAST_PEOPLE


def _closed(asked: Scored, wave: int) -> pd.Timestamp:
    closed = circumstances.closes(asked.programme, wave)
    rows = asked.scores[asked.scores["wave"] == wave]
    return pd.Timestamp(rows["answered_on"].median()) if closed is None else closed


def _change(asked: Scored, key: str, moved: PairedChange, ends: tuple[int, ...], confidence: float) -> dict[str, Any]:
    """The change over teams; with few people at one end, their mean is the other end's less the change."""
    both = asked.means().loc[key][[*ends]].dropna().index
    own = asked.scores[asked.scores["wave"].isin(ends) & (asked.scores["domain"] == key)]
    people = int(own.loc[own["subject_id"].isin(both), "respondent_id"].nunique())
    least = few(people_behind(asked, [key], ends, both), asked.programme.minimum_group)
    return {
        "measure": asked.instrument.domain_labels[key], "estimate": moved.estimate, "low": moved.low,
        "high": moved.high, "interval": f"{confidence:.0%} confidence", "n": people, "what": CHANGE,
        "subjects": moved.n, TELLS: least,
    }  # fmt: skip


def _written(answer: Result) -> pd.DataFrame:
    """The rows of a log on which its answer's headline rests."""
    headline, *_ = answer.parts
    rows = answer.table.loc[[*headline.rows], [*FIRST, "n_of"]]
    return rows.assign(what=LOG)


def _headline(asked: Scored, table: pd.DataFrame) -> Sentence:
    """The weakest factor at the last wave."""
    last = _last(table)
    least = last["estimate"].min()
    weakest = last[last["estimate"] <= least + SAME]
    named = words.listed([str(measure) for measure in weakest["measure"]])
    scale = asked.instrument.scale
    on_scale = f"{words.number(least)} on a scale of {scale.low:g} to {scale.high:g}"
    counted = int(weakest["lowest_of"].iloc[0])
    of = f"; the lowest in {words.of(int(weakest['lowest_in'].iloc[0]), counted)} {asked.subject}s" if counted else ""
    return Sentence(
        f"Weakest of {words.counted(len(last), 'factor')}: {named}, {on_scale}{of}",
        rows=tuple(weakest.index),
    )


def _last(table: pd.DataFrame) -> pd.DataFrame:
    means = table[table["what"] == MEAN]
    last: pd.DataFrame = means[means["measured_on"] == means["measured_on"].max()]
    return last


def _sentences(
    asked: Scored, table: pd.DataFrame, changes: dict[str, PairedChange], logs: dict[str, Result], ends: tuple[int, ...]
) -> list[Sentence]:
    last = _last(table)
    told = [f"{row['measure']} {words.number(row['estimate'])}" for row in last.to_dict("records")]
    when = words.month(last["measured_on"].iloc[0])
    said = [
        Sentence(
            f"In {when}, {words.counted(int(last['n'].max()), 'person', 'people')} of "
            f"{words.counted(int(last['subjects'].max()), asked.subject)} "
            f"({asked.informant}): {words.listed(told)}.",
            rows=tuple(last.index),
        )
    ]
    if changes:
        labels = asked.instrument.domain_labels
        moved = [words.listed([labels[key] for key in keys]) or "none" for keys in clear(changes)]
        rows = table.index[table["what"] == CHANGE]
        since = circumstances.when(asked.programme, ends[0])
        text = f"Since {since}, clearly higher: {moved[0]}; clearly lower: {moved[1]}."
        said.append(Sentence(text, rows=tuple(rows)))
    if logs:
        heard = [f"{answer.headline[:1].lower()}{answer.headline[1:]}" for answer in logs.values()]
        said.append(
            Sentence(f"Written down beside it: {'; '.join(heard)}.", rows=tuple(table.index[table["what"] == LOG]))
        )
    return said


def _cautions(
    asked: Scored, silent: dict[str, list[str]], changes: dict[str, PairedChange], rivals: tuple[str, ...]
) -> list[Sentence]:
    said = ["People scored their own working together: a lower score may mean that they see more clearly."]
    said.append("There is no overall score: a strong factor does not make up for a weak one.")
    said += [f"{why} {words.listed(kept)}: there only opinions are shown." for why, kept in silent.items() if kept]
    if not changes:
        said.append(f"Fewer than five {asked.subject}s were scored at two waves, so no change is given.")
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return [Sentence(text) for text in said]
