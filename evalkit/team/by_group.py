"""Scores group by group: each place's own, each organisation's, each level's. Shown, never ranked or tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, result, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import Method, Sentence
from evalkit.stats import clusters
from evalkit.team.profile import QUESTION
from evalkit.team.scored import NOT_RECORDED, Scored
from evalkit.team.told import beside, wholes
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.instrument import Domain

BY = {
    "place": "places",
    "team": "teams",
    "organisation": "organisations",
    "level": "levels of staff",
    "tier": "tiers",
}
"""What scores can be split by, and what the groups are called."""
ONE = {by: by for by in BY} | {"level": "level of staff"}
METHOD = Method(
    name="Mean of those who answered, group by group, with the interval of CR2 over people (or over the places they "
    "scored, where a group scored several)",
    source="Pustejovsky and Tipton 2018, J. Business & Economic Statistics 36(4), 672-683; groups in the order of the "
    "alphabet.",
    assumes="Those who answered in a group speak for it; people (or places) are independent of each other.",
    design=Design.DESCRIBED,
)


def split(
    asked: Scored, by: str, between: tuple[int, int] | None, confidence: float, call: str
) -> result.Result:  # by its full name, for this is no question
    """The scores of each group at the first and last wave; `call` is how to ask for them again."""
    known_split(by)
    ends = asked.ends(between)
    scores = asked.scores[asked.scores["wave"].isin(ends)]
    if (scores[by] == NOT_RECORDED).all():
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"The {by} of those who scored was not recorded.",
            would_answer=f"the {by} of each in people, posts, participants or respondents; tiers in teams.",
        )
    table = _table(asked, scores, by, confidence)
    headline = _headline(asked, table, by, ends[-1])
    evidence = grade(Design.DESCRIBED, informants=(words.raters(asked.rater),))
    decided = described("Groups are shown beside each other so that they can talk; they are not tested or ranked.")
    return result.Result.of(
        question=f"How do {BY[by]} see it, side by side?",
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, scores, table, by, ends),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, headline.text),
        chart=charts.named("panels"),
        method=METHOD,
        evidence=evidence,
        cautions=[*_cautions(asked, by), *asked.cautions()],
        about=circumstances.about(
            asked.programme, call, n=int(scores["respondent_id"].nunique()), of=None, counts="respondents"
        ),
    )


def known_split(by: str) -> None:
    """ValueError for what scores cannot be split by."""
    if by not in BY:
        raise ValueError(f"by={by!r} is nothing scores can be split by: {words.listed(list(BY))}.")


def _table(asked: Scored, scores: pd.DataFrame, by: str, confidence: float) -> pd.DataFrame:
    """A row a domain, group and wave. Extras: n_of, wave, measured_on, aspect, sd, tells."""
    within = "respondent_id" if by in ("place", "team") else "subject_id"
    whole = asked.instrument.domains
    held = dict(iter(scores.groupby(["domain", by, "wave"])))
    rows = [
        _row(asked, domain, group, int(wave), held[domain.key, group, wave], within, confidence)
        for domain in whole
        for group in sorted(scores[by].unique())
        for wave in sorted(scores["wave"].unique())
        if (domain.key, group, wave) in held
    ]
    table = pd.DataFrame(rows).astype({"n": "Int64", "low": float, "high": float, "sd": float})
    return table.assign(tells=_tells(asked, scores, by, table))


def _tells(asked: Scored, scores: pd.DataFrame, by: str, table: pd.DataFrame) -> pd.Series[Any]:
    """Of each row how few people it would tell beside the other splits; missing where none, or enough."""
    labels, minimum = asked.instrument.domain_labels, asked.programme.minimum_group
    known: dict[tuple[str, str, int], int] = {}
    same: dict[Any, dict[tuple[str, str], int]] = {}
    for domain, wave in sorted(set(zip(scores["domain"], scores["wave"], strict=True))):
        rows = scores[(scores["domain"] == domain) & (scores["wave"] == wave)]
        means = wholes(asked, domain, wave)
        answered = frozenset(zip(rows["respondent_id"], rows["subject_id"], strict=True)), wave, means
        if answered not in same:  # who is told hangs on who answered, not on what
            same[answered] = beside(rows, asked.subject, minimum, means).kept_back
        known |= {(labels[domain], group, wave): n for (split_by, group), n in same[answered].items() if split_by == by}
    keys = zip(table["measure"], table["group"], table["wave"], strict=True)
    told = [known.get((str(measure), str(group), int(wave))) for measure, group, wave in keys]
    return pd.Series(pd.array(told, dtype="Int64"), index=table.index)


def _row(
    asked: Scored, domain: Domain, group: str, wave: int, rows: pd.DataFrame, within: str, confidence: float
) -> dict[str, Any]:
    low, high = _interval(rows, within, confidence)
    closed = circumstances.closes(asked.programme, wave)
    return {
        "measure": domain.label, "group": group, "estimate": rows["score"].mean(), "low": low, "high": high,
        "interval": "none given" if low != low else f"{confidence:.0%} confidence",
        "n": rows["respondent_id"].nunique(), "unit": asked.unit, "n_of": "respondents", "wave": wave,
        "measured_on": rows["answered_on"].median() if closed is None else closed, "aspect": domain.aspect,
        "sd": rows["score"].std(),
    }  # fmt: skip


def _interval(rows: pd.DataFrame, within: str, confidence: float) -> tuple[float, float]:
    """The interval of a mean; none from fewer than five people (or places), or where all are alike."""
    if rows[within].nunique() < LEAST_PAIRS or rows["score"].nunique() < 2:
        return float("nan"), float("nan")
    fit = clusters.cr2(rows["score"], [[1.0]] * len(rows), rows[within], confidence=confidence)
    return float(fit.low[0]), float(fit.high[0])


def _ranges(asked: Scored, table: pd.DataFrame, wave: int) -> pd.DataFrame:
    """How far groups with enough people lie apart at one wave: a row a domain, the widest first; ties as they stand."""
    enough = table[(table["wave"] == wave) & _enough(asked, table) & (table["group"] != NOT_RECORDED)]
    spread = enough.groupby("measure", sort=False)["estimate"].agg(["min", "max", "count"])
    spread = spread[spread["count"] > 1]
    return spread.assign(apart=spread["max"] - spread["min"]).sort_values("apart", ascending=False, kind="stable")


def _enough(asked: Scored, table: pd.DataFrame) -> pd.Series[bool]:
    """Which rows have enough people, and tell nobody beside other splits."""
    return (table["n"] >= asked.programme.minimum_group) & table[TELLS].isna()


def _headline(asked: Scored, table: pd.DataFrame, by: str, wave: int) -> Sentence:
    found = _ranges(asked, table, wave)
    groups = len(set(table["group"]) - {NOT_RECORDED})
    if found.empty:
        return Sentence(f"{words.sentence_case(BY[by])}: too few, or of too few people, to be set side by side")
    widest = str(found.index[0])
    rows = table.index[(table["measure"] == widest) & (table["wave"] == wave)]
    return Sentence(
        f"{groups} {BY[by]}: furthest apart on {widest}, from {words.number(found['min'].iloc[0])} to "
        f"{words.number(found['max'].iloc[0])} in {circumstances.when(asked.programme, wave)}",
        rows=tuple(int(row) for row in rows[_enough(asked, table.loc[rows])]),
    )


def _sentences(
    asked: Scored, scores: pd.DataFrame, table: pd.DataFrame, by: str, ends: tuple[int, ...]
) -> list[Sentence]:
    groups = sorted(set(scores[by]) - {NOT_RECORDED})
    when = words.listed([circumstances.when(asked.programme, wave) for wave in ends])
    people = words.counted(int(scores["respondent_id"].nunique()), "person", "people")
    said = [Sentence(f"{people} scored {words.counted(len(asked.subjects), asked.subject)} ({when}): "
                     f"{words.counted(len(groups), ONE[by], BY[by])} side by side, by the alphabet.")]  # fmt: skip
    found = _ranges(asked, table, ends[-1])
    if len(found) > 1:
        closest = found.iloc[-1]
        said.append(
            Sentence(
                f"They lie closest on {found.index[-1]}, from {words.number(closest['min'])} to "
                f"{words.number(closest['max'])}.",
                rows=tuple(int(row) for row in table.index[
                    (table["measure"] == found.index[-1]) & (table["wave"] == ends[-1])
                    & _enough(asked, table)
                ]),
            )
        )  # fmt: skip
    unknown = scores[scores[by] == NOT_RECORDED]["respondent_id"].nunique()
    if unknown:
        text = f"Of {words.counted(int(unknown), 'person', 'people')} the {by} was not recorded."
        said.append(Sentence(text, rows=tuple(int(row) for row in table.index[table["group"] == NOT_RECORDED])))
    return said


def _marks(asked: Scored, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a domain, group and date, domains of one aspect together."""
    shown = table.sort_values("aspect", kind="stable")
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": words.month(row["measured_on"]), "x": row["measure"], "y": row["estimate"],
         "n": row["n"], "row": at, "label": row["group"]}
        for at, row in shown.to_dict("index").items()
    ]  # fmt: skip
    scale = asked.instrument.scale
    rows.append({"mark": "scale", "low": scale.low, "high": scale.high})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{asked.instrument.name}, {asked.informant}, {asked.programme.title}",
        x_axis=f"score, {scale.low:g} to {scale.high:g}",
    )


def _cautions(asked: Scored, by: str) -> list[Sentence]:
    said = ["Groups differ by who answered, too; where few did, a difference may be one person's view."]
    if by != asked.subject:
        said.append(f"A group's people scored different {asked.subject}s; a difference may be one of what they scored.")
    return [Sentence(text) for text in [*said, "A low score may mean that people see clearly."]]
