"""Change in leaders, group by group: side by side, and the difference where two groups are set against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, result, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.individual.besides import besides, everybody, kept_domain, least
from evalkit.individual.groups import ARM, Groups, groups
from evalkit.result import ALL, Method, Sentence
from evalkit.stats import panel
from evalkit.stats.panel_difference import DifferenceInChange, difference
from evalkit.terms import Design, Level, Step
from evalkit.verdict import HEADLINE, LEAST_PAIRS, Decision, decide, described

if TYPE_CHECKING:
    from evalkit.individual.compared import Compared
    from evalkit.programme import Programme
    from evalkit.stats.panel import PanelChange

METHOD = (
    "Change of each group from all answers given, and the difference of two changes, with errors robust to how people "
    "and teams vary"
)
SOURCE = (
    "EM: Dempster, Laird and Rubin 1977; CR2 and its degrees of freedom: Pustejovsky and Tipton 2018, J. Business & "
    "Economic Statistics 36(4), 672-683."
)
SPLITS = ("seniority", "profession", "cohort", "sector", "organisation")
"""What leaders are known by for their work: groups of two of these may differ by a single leader."""
NOT_ARMS = "Groups that were there before are shown beside each other; they are not tested or ranked."


@dataclass(frozen=True, slots=True)
class _Beside:
    """The change of each group that can be compared; None for one in which too few answered twice."""

    asked: Compared
    groups: Groups
    domain: str
    changes: dict[str, PanelChange | None]
    both: dict[str, int]
    difference: DifferenceInChange | None

    @property
    def arms(self) -> bool:
        """Whether the programme's leaders are set against others: the only split that is tested."""
        return self.groups.by == ARM


def beside(
    asked: Compared, domain: str, by: str, confidence: float, call: str
) -> result.Result:  # by its full name, for this is no question
    """The change in one domain, group by group; `call` is how to ask for it again."""
    split = groups(asked.programme, by)
    answers = _answers(asked, split, domain)
    changes = {name: _change(asked, answers.loc[answers.index.isin(split.leaders(name))], confidence)
               for name in split.names}  # fmt: skip
    both = {name: int(answers.loc[answers.index.isin(split.leaders(name)), [asked.first, asked.last]]
                      .notna().all(axis=1).sum()) for name in split.names}  # fmt: skip
    if not any(changes.values()):
        raise NotEnoughEvidence(
            ratings.QUESTION,
            missing=f"In no group by {words.plain(by)} did {LEAST_PAIRS} leaders answer at both waves.",
            would_answer="larger groups, or the change of all leaders together (without by).",
        )
    two = [changes[name] for name in split.two or ()]
    apart = difference(two[0], two[1], confidence=confidence) if len(two) == 2 and two[0] and two[1] else None
    return _answer(_Beside(asked, split, domain, changes, both, apart), confidence, call)


def _answer(held: _Beside, confidence: float, call: str) -> result.Result:
    asked, table = held.asked, _table(held, confidence)
    decided = _decided(held)
    design = Design.COMPARED if held.arms else Design.DESCRIBED
    evidence = grade(design, informants=(asked.rater,), rivals=circumstances.rivals(asked.programme))
    headline = _headline(held, table, decided)
    return result.Result.of(
        question=ratings.QUESTION if held.arms else f"Did leaders change alike, by {words.plain(held.groups.by)}?",
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(held, table, decided),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(held, table, headline.text),
        chart=charts.named("dots"),
        method=Method(METHOD, SOURCE, _assumes(held), design),
        evidence=evidence,
        cautions=_cautions(held),
        about=circumstances.about(
            asked.programme,
            call,
            n=sum(held.both.values()),
            of=len(circumstances.taking_part(asked.programme)) or None,
            counts="leaders",
        ),
        details=held.changes,
    )


def _answers(asked: Compared, split: Groups, domain: str) -> pd.DataFrame:
    """Leaders × waves, those followed for comparison too where they are asked about."""
    scores = asked.scores
    if split.by == ARM:
        scores = ratings.given(asked.programme, asked.instrument, asked.rater, leaders=set(split.of.index))
    waves = sorted({*scores["wave"].dropna().astype(int), asked.first, asked.last})
    return ratings.by_wave(scores, domain).reindex(columns=waves)


def _change(asked: Compared, answers: pd.DataFrame, confidence: float) -> PanelChange | None:
    if answers[[asked.first, asked.last]].notna().all(axis=1).sum() < LEAST_PAIRS:
        return None
    teams = ratings.teams(asked.programme, answers.index)
    try:
        return panel.available(answers, first=asked.first, last=asked.last, teams=teams, confidence=confidence)
    except ValueError:  # all changed alike: there is no interval
        return None


def _decided(held: _Beside) -> Decision:
    if not held.arms:
        return described(NOT_ARMS)
    if held.difference is None:
        return described(f"Fewer than {LEAST_PAIRS} leaders answered twice on one side, or all there changed alike.")
    instrument, programme = held.asked.instrument, held.asked.programme
    people = _answers(held.asked, held.groups, held.domain).index
    return decide(
        held.difference,
        described_as=ratings.few_teams(programme, people),
        better=instrument.better,
        worthwhile=instrument.smallest_worthwhile_change,
        value_words=instrument.validated,
        too_early=circumstances.too_early(
            programme, programme.plan.lag_months.get(instrument.id), held.asked.closes(held.asked.last)
        ),
    )


def _table(held: _Beside, confidence: float) -> pd.DataFrame:
    """A row a group with at least one leader at both waves; then the difference, where two groups are compared."""
    rows: list[dict[str, Any]] = []
    tells = _tells(held)
    for name, change in held.changes.items():
        told = {"answered_both": held.both[name], TELLS: tells.get(name)}
        if change is not None:
            rows.append(_row(held, name, "change", change, confidence) | told)
        elif held.both[name]:
            rows.append(_row(held, name, "change", None, confidence) | {"n": held.both[name]} | told)
    if held.difference is not None:
        fewest = min(held.both[name] for name in held.groups.two or ())
        rows.append(_row(held, ALL, "difference", held.difference, confidence)
                    | {"answered_both": held.difference.n_both, TELLS: fewest})  # fmt: skip
    found = pd.DataFrame(rows)
    if TELLS not in found:
        found[TELLS] = pd.NA
    return found.astype({"n": "Int64", "answered_both": "Int64", TELLS: "Int64"})


def _tells(held: _Beside) -> dict[str, int | None]:
    """How few people each group's change would tell: beside groups of other splits, or those of no known group beside
    everybody's (then the smallest group goes, and another with it); or the domain that is kept back everywhere."""
    asked, minimum = held.asked, held.asked.programme.minimum_group
    key, few = kept_domain(everybody(asked.programme, asked.instrument, asked.rater))
    if key == held.domain:
        return dict.fromkeys(held.changes, few)
    if held.arms:
        return {}
    everyone = frozenset(asked.answers(held.domain).dropna(how="all").index)
    own = {name: everyone & held.groups.leaders(name) for name in held.changes}
    others = [part for by in _other_splits(asked.programme, held.groups.by) for part in _parts(by, everyone, minimum)]
    found = {name: besides(members, others, minimum) for name, members in own.items()}
    unknown = len(everyone.difference(*own.values()))
    shown = [name for name, members in own.items() if len(members) >= minimum and held.both[name]]
    if 0 < unknown < minimum and shown:
        smallest = min(shown, key=lambda name: len(own[name]))
        found[smallest] = least(found[smallest], unknown)
    return found


def _other_splits(programme: Programme, by: str) -> Iterator[Groups]:
    """The other groups that leaders' work puts them in."""
    for other in SPLITS:
        if other != by:
            yield groups(programme, other)


def _parts(split: Groups, everyone: frozenset[str], minimum: int) -> Iterator[frozenset[str]]:
    """Each group of a split that is large enough to be shown, and everybody outside it."""
    for name in split.names:
        members = everyone & split.leaders(name)
        if len(members) >= minimum:
            yield from (members, everyone - members)


def _row(
    held: _Beside, group: str, of: str, found: PanelChange | DifferenceInChange | None, confidence: float
) -> dict[str, Any]:
    none = float("nan")
    return {
        "measure": held.asked.instrument.domain_labels[held.domain],
        "group": group,
        "estimate": none if found is None else found.estimate,
        "low": none if found is None else found.low,
        "high": none if found is None else found.high,
        "interval": "none given" if found is None else f"{confidence:.0%} confidence",
        "n": None if found is None else found.n,
        "unit": ratings.points(held.asked.instrument),
        "n_of": "leaders",
        "of": of,
    }


def _headline(held: _Beside, table: pd.DataFrame, decided: Decision) -> Sentence:
    apart = table.index[table["of"] == "difference"].tolist()
    if held.arms and held.difference is not None:
        places = words.decimals(decided.low, decided.high)
        return Sentence(
            f"Differed from leaders followed for comparison by {words.number(held.difference.estimate, places)} points "
            f"({words.span(decided.low, decided.high, places)})",
            tuple(apart),
        )
    shown = table[(table["of"] == "change") & table["estimate"].notna()]
    said = [f"{row['group']}: {words.higher(row['estimate'])}" for row in shown.to_dict("records")]
    return Sentence(f"Change by {words.plain(held.groups.by)}. {'; '.join(said)}", tuple(shown.index))


def _sentences(held: _Beside, table: pd.DataFrame, decided: Decision) -> list[Sentence]:
    asked = held.asked
    shown = table[(table["of"] == "change") & table["estimate"].notna()]
    said = [
        f"{row['group']}: {words.higher(row['estimate'])} ({words.between(row['low'], row['high'], 2)}, {row['n']} "
        "leaders)"
        for row in shown.to_dict("records")
    ]
    found = [
        Sentence(
            f"From {asked.when(asked.first)} to {asked.when(asked.last)} the mean on the {asked.instrument.name} "
            f"changed, by {words.plain(held.groups.by)}. {words.sentence_case('; '.join(said))}.",
            tuple(shown.index),
        )
    ]
    apart = held.difference
    if apart is not None:
        low, high = (decided.low, decided.high) if held.arms else (apart.low, apart.high)
        sure = f"{HEADLINE:.0%}" if held.arms else table["interval"].iloc[0].removesuffix(" confidence")
        first, second = held.groups.two or ("", "")
        found.append(
            Sentence(
                f"The change of those {first} less that of those {second} is {words.number(apart.estimate)} points "
                f"({words.span(low, high, 2)}, {sure} interval).",
                tuple(table.index[table["of"] == "difference"]),
            )
        )
    return found


def _marks(held: _Beside, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    asked = held.asked
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": row["group"], "y": row["estimate"], "low": row["low"], "high": row["high"],
         "n": row["n"], "row": at, "x": "difference" if row["of"] == "difference" else row["group"]}
        for at, row in table.to_dict("index").items() if row["estimate"] == row["estimate"]
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 0.0, "label": "no change"})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Change in {asked.instrument.name}, {ratings.rated(asked.rater)}, {asked.when(asked.first)} to "
        f"{asked.when(asked.last)}",
        x_axis=f"points, later minus earlier, with {table['interval'].iloc[0]} intervals",
    )


def _assumes(held: _Beside) -> str:
    said = "People (or teams, when known) are independent; leaving depends on answers given, not on those to come."
    return f"Both groups would have changed alike without the programme. {said}" if held.arms else said


def _cautions(held: _Beside) -> list[Sentence]:
    """What would mislead: who was compared, who is missing from the groups."""
    known = held.groups.of.dropna().index
    without = len(held.asked.answers(held.domain).index.difference(known))
    said = (
        ["Nobody drew lots over who took part: leaders followed for comparison may differ in more than this."]
        if held.arms
        else ["Groups differ in more than what they are called; a difference between them does not say why."]
    )
    if held.groups.by == held.asked.instrument.id:
        said.append(
            "These groups are cut by the very answers that are compared: low ones rise by themselves, high ones fall."
        )
    if without:
        some = "some leaders" if without < held.asked.programme.minimum_group else words.counted(without, "leader")
        said.append(f"Of {some} who answered, the group is not known.")
    if held.asked.rater == "self":
        said.append("People rated themselves; ratings often dip as understanding grows, whatever they do.")
    return [Sentence(text) for text in said]
