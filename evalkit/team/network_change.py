"""Are the ties between organisations other than they were?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import network
from evalkit.team import ties
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalkit.programme import Programme
    from evalkit.stats.network import ExternalInternal, NetworkCorrelation, TiesKept
    from evalkit.team.ties import Read, Wave

QUESTION = "Which ties came, which stayed and which went?"
METHOD = Method(
    name="The ties among those who answered at both waves, beside each other: density, E-I index, ties returned, "
    "Jaccard share of ties kept, and correlation of the two networks against relabelled ones (QAP)",
    source="Snijders, van de Bunt and Steglich 2010, Social Networks 32, 44-60 (Jaccard); Krackhardt 1988, Social "
    "Networks 10, 359-381 (QAP); Krackhardt and Stern 1988, Social Psychology Quarterly 51(2), 123-140 (E-I).",
    assumes="Those who answered both times speak for nobody else.",
    design=Design.DESCRIBED,
)
UNTESTED = "Ties of one network depend on each other: two waves give no legitimate test that it changed."
COMPARED = "Ties compared"
KEPT, BEGUN, ENDED = "there both times", "there the second time only", "there the first time only"
ALIKE = "Correlation of the two networks"
ROSTER = "People on a roster"
LEAST = 3
"""Of two people nothing can be told from chance: the one order of them is the other."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Two waves among those who answered at both, with direction or without."""

    read: Read
    directed: bool
    whole: tuple[Wave, Wave]
    seen: tuple[Wave, Wave]

    @property
    def n(self) -> int:
        """How many answered at both."""
        return self.seen[0].n

    @property
    def fewest(self) -> int:
        """The fewest people a figure about both waves could be about."""
        return min(seen.fewest for seen in self.seen)

    @property
    def moved(self) -> int:
        """How many of them worked for another organisation at the second wave."""
        first, last = (seen.organisation for seen in self.seen)
        return int((first != last.reindex(first.index)).sum())


def network_change(
    programme: Programme,
    *,
    relation: str = "trust",
    between: tuple[int, int] | None = None,
    directed: bool = True,
    permutations: int = 10_000,
    seed: int = 1,
) -> Result:
    """Which ties came, which stayed and which went?

    Needs: `ties` of this relation (contact, help or trust; conflict only when asked for by name, and that answer stays
    with the evaluator), `rosters`, and `people` with their organisation, at two waves; `posts` where somebody moved.
    Only people who answered at both waves are compared, and only ties among them: otherwise whoever left would end
    ties, and whoever joined begin them, though nobody's mind changed. The first and the last wave unless `between` says
    otherwise. directed=False counts a tie once if either of two names the other.
    Nothing here is tested as better or worse: ties depend on each other. The p of the correlation says only whether the
    same people are tied both times more than relabelled people would be, which they nearly always are.
    Extras: n_of, wave, ties, possible, p (of the correlation), raters (the fewest people a figure could be about).
    Errors: `NotEnoughEvidence` without two waves that can be read, or where fewer than three people answered at both;
    `ValueError` for a relation there is none of, or waves in the wrong order.

    >>> import evalkit as ek
    >>> network_change(ek.load("sample_data/northmere"), permutations=100).verdict
    <Verdict.DESCRIBED: 'described'>
    """
    told = ties.read(programme, relation, QUESTION)
    asked = _asked(told, between, directed)
    found = _Found.of(asked, permutations, seed)
    table = _table(asked, found)
    evidence = grade(Design.DESCRIBED, informants=("self",), rivals=circumstances.rivals(programme))
    decided, headline = described(UNTESTED), _headline(asked, table)
    first, last = (whole.wave for whole in asked.whole)
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, headline.text),
        chart=charts.named("profile"),
        method=replace(METHOD, assumes=f"{METHOD.assumes} {ties.NAMED if directed else ties.EITHER}"),
        evidence=evidence,
        cautions=_cautions(asked),
        about=circumstances.about(
            programme,
            f"team.network_change(relation={relation!r}, between=({first}, {last}), directed={directed}, "
            f"permutations={permutations}, seed={seed})",
            n=asked.n,
            of=asked.whole[0].n,
            counts="people",
        ),
        details=found,
    )


def _asked(told: Read, between: tuple[int, int] | None, directed: bool) -> _Asked:
    """The two waves among those who answered at both, or a refusal."""
    waves = list(told.waves)
    if between is not None and (len(between) != 2 or between[0] >= between[1]):
        raise ValueError(f"between={between!r} must give the earlier wave first, such as (1, 2).")
    first, last = between or (waves[0], waves[-1])
    absent = [wave for wave in (first, last) if wave not in told.waves]
    if absent:
        raise told.refusal(QUESTION, f"Wave {words.listed([str(wave) for wave in absent])} cannot be read.")
    if first == last:
        raise NotEnoughEvidence(
            QUESTION,
            missing=" ".join([f"Only wave {first} can be read.", *told.unread]),
            would_answer=f"the same people asked again: {ties.NEEDED}",
        )
    whole = (told.waves[first], told.waves[last])
    both = whole[0].answered & whole[1].answered
    seen = (whole[0].among(both), whole[1].among(both))
    if len(both) < LEAST or min(one.organisation.nunique() for one in seen) < 2:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Fewer than {LEAST} people of two organisations answered both at wave {first} and at wave {last}.",
            would_answer="the same people, under the same ids, answering at both waves.",
        )
    if seen[0].ties.empty and seen[1].ties.empty:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Those who answered at both waves named none of each other as a {told.relation} tie.",
            would_answer=ties.NEEDED,
        )
    return _Asked(told, directed, whole, seen)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What was worked out: None where a network without ties, or nobody sharing an organisation, leaves no answer."""

    kept: TiesKept
    alike: NetworkCorrelation | None
    outside: dict[int, ExternalInternal]

    @classmethod
    def of(cls, asked: _Asked, permutations: int, seed: int) -> _Found:
        """Ties kept, correlation and index of both waves."""
        first, last = asked.seen
        outside = {
            seen.wave: network.ei(
                seen.ties, seen.organisation, directed=asked.directed, permutations=permutations, seed=seed
            )
            for seen in asked.seen
            if seen.shares and len(seen.ties)
        }
        kept = network.jaccard(first.ties, last.ties, directed=asked.directed)
        matrices = [_matrix(seen, directed=asked.directed) for seen in asked.seen]
        told = all(0 < matrix.to_numpy().sum() < asked.n * (asked.n - 1) for matrix in matrices)
        alike = network.qap(*matrices, permutations=permutations, seed=seed) if told else None
        return cls(kept, alike, outside)


def _matrix(seen: Wave, *, directed: bool) -> pd.DataFrame:
    """A row and a column a person: 1 where the one named the other, or either of them did."""
    people = sorted(seen.organisation.index)
    square = pd.DataFrame(0.0, index=people, columns=people)
    for one, other in zip(seen.ties["from_id"], seen.ties["to_id"], strict=True):
        square.loc[one, other] = 1.0
        if not directed:
            square.loc[other, one] = 1.0
    return square


def _table(asked: _Asked, found: _Found) -> pd.DataFrame:
    """Each wave: index, density, ties returned; then the two beside each other; then the rosters."""
    rows: list[dict[str, Any]] = []
    for seen in asked.seen:
        rows += [*_outside(asked, found, seen), *ties.rows(seen, asked.read.relation, directed=asked.directed)]
    rows += [*_compared(asked, found), *_rosters(asked)]
    extras = ("wave", "ties", "possible", "p", "raters")
    table = register.table([{**dict.fromkeys(extras), **row} for row in rows], extras=extras)
    whole = dict.fromkeys(("wave", "ties", "possible", "raters"), "Int64")
    return ties.stays(table.astype({**whole, "p": "float"}), asked.read.relation)


def _outside(asked: _Asked, found: _Found, seen: Wave) -> Iterator[dict[str, Any]]:
    index = found.outside.get(seen.wave)
    if index is not None:
        yield {
            **register.row(
                f"E-I index of {asked.read.relation} ties", ALL, n=seen.n, n_of="people", unit="from −1 to +1",
                estimate=index.estimate, wave=seen.wave, ties=index.ties, raters=seen.fewest,
            ),
            **_chance(index),
        }  # fmt: skip


def _chance(found: ExternalInternal | NetworkCorrelation) -> dict[str, Any]:
    """The range expected by chance, none where nothing was dealt."""
    if found.chance_low != found.chance_low:
        return {}
    return {"low": found.chance_low, "high": found.chance_high, "interval": ties.CHANCE}


def _compared(asked: _Asked, found: _Found) -> Iterator[dict[str, Any]]:
    """Ties kept, begun and ended, and how far the two networks go together."""
    kept, n, fewest = found.kept, asked.n, asked.fewest
    yield register.row(COMPARED, ALL, n=n, n_of="people", unit="% kept, of ties there either time", ties=kept.n,
                       estimate=100 * kept.estimate, raters=fewest)  # fmt: skip
    for group, count in ((KEPT, kept.kept), (BEGUN, kept.created), (ENDED, kept.dissolved)):
        yield register.row(COMPARED, group, n=n, n_of="people", unit="ties", ties=count, estimate=count, raters=fewest)
    if found.alike is not None:
        row = register.row(ALIKE, ALL, n=n, n_of="people", unit="correlation", estimate=found.alike.estimate,
                           p=found.alike.p, raters=fewest)  # fmt: skip
        yield {**row, **_chance(found.alike)}


def _rosters(asked: _Asked) -> Iterator[dict[str, Any]]:
    """Who was asked both times, or once."""
    moved = network.turnover(*(list(whole.organisation.index) for whole in asked.whole))
    for group, people in (("both times", moved.stayers), ("the first time only", moved.leavers),
                          ("the second time only", moved.joiners)):  # fmt: skip
        yield register.row(ROSTER, group, n=len(people), unit="people", n_of="people")


def _held(table: pd.DataFrame, measure: str, group: str = ALL, wave: int | None = None) -> tuple[int, Any] | None:
    """A row whose estimate is known, and where it stands."""
    held = table[table["measure"].str.startswith(measure) & (table["group"] == group) & table["estimate"].notna()]
    held = held if wave is None else held[held["wave"] == wave]
    return None if held.empty else (int(held.index[0]), held.iloc[0])


def _pair(
    asked: _Asked, table: pd.DataFrame, measure: str, group: str = ALL
) -> tuple[tuple[int, int], Any, Any] | None:
    """A measure at both waves, and where it stands; nothing unless both are known."""
    first, last = (_held(table, measure, group, seen.wave) for seen in asked.seen)
    return None if first is None or last is None else ((first[0], last[0]), first[1], last[1])


def _headline(asked: _Asked, table: pd.DataFrame) -> Sentence:
    opening = f"{words.sentence_case(asked.read.relation)} ties"
    dense = _pair(asked, table, "Density", ties.BETWEEN)
    if dense is None:
        kept = _held(table, COMPARED)
        assert kept is not None
        share = ties.in_100(kept[1]["estimate"])
        return Sentence(f"{opening}: {share} of every 100 there either time were there both times", rows=(kept[0],))
    rows, *both = dense
    was, now = (ties.in_100(row["estimate"]) for row in both)
    return Sentence(f"{opening} between organisations: {was} of every 100 possible were there, now {now}", rows=rows)


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    """How dense; how many outside and returned; how many kept; who was asked."""
    whens = [whole.when for whole in asked.whole]
    said = [_was_now(asked, table, f"Among {asked.n} people who answered in {whens[0]} and in {whens[1]}", (
        ("Density", ties.BETWEEN, "ties there could be between organisations", "were there"),
        ("Density", ties.WITHIN, "there could be within them", "were"),
    ))]  # fmt: skip
    said.append(_was_now(asked, table, "", (
        ("E-I", ALL, "ties", "went outside the organisation"), ("Returned", ALL, "ties", "were returned"),
    )))  # fmt: skip
    said.append(_kept(table))
    held = table[table["measure"] == ROSTER]
    both, left, joined = held["n"]
    said.append(Sentence(f"{both} people were on the roster both times, {left} the first time only and {joined} the "
                         "second time only.", rows=tuple(held.index)))  # fmt: skip
    return [sentence for sentence in said if sentence is not None]


def _was_now(
    asked: _Asked, table: pd.DataFrame, opening: str, measures: tuple[tuple[str, str, str, str], ...]
) -> Sentence | None:
    """Was and is now, of every 100, for each measure known at both waves."""
    rows: list[int] = []
    parts = []
    for measure, group, of, were in measures:
        pair = _pair(asked, table, measure, group)
        if pair is not None:
            to_share = (lambda index: 50 * (1 + index)) if measure == "E-I" else float
            was, now = (ties.in_100(to_share(row["estimate"])) for row in pair[1:])
            parts.append(f"of every 100 {of} {was} {were} and now {now}")
            rows += pair[0]
    if not parts:
        return None
    return Sentence(words.sentence_case(f"{opening}{', ' if opening else ''}{'; '.join(parts)}."), rows=tuple(rows))


def _kept(table: pd.DataFrame) -> Sentence:
    """How many ties were kept, and how far the two networks go together."""
    held = table[table["measure"] == COMPARED]
    share, kept, begun, ended = held["estimate"]
    alike = _held(table, ALIKE)
    p = "" if alike is None else _p(alike[1]["p"])
    going = "" if alike is None else f"; the two networks correlate at {words.number(alike[1]['estimate'])}{p}"
    rows = (*held.index, *(() if alike is None else (alike[0],)))
    return Sentence(
        f"Of ties there either time {ties.in_100(share)} of every 100 were there both times: {round(kept)} kept, "
        f"{round(begun)} begun, {round(ended)} ended{going}.", rows=rows,
    )  # fmt: skip


def _p(p: float) -> str:
    """A p of relabelling in a sentence; nothing where nothing was relabelled.

    >>> _p(0.0001), _p(0.0123), _p(float("nan"))
    (', permutation p under 0.001', ', permutation p 0.012', '')
    """
    if p != p:
        return ""
    return f", permutation p {'under 0.001' if p < 0.001 else words.significant(p)}"


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a wave for each share, in %."""
    shown = (
        ("Density", ties.WITHIN, "Within organisations, of ties possible"),
        ("Density", ties.BETWEEN, "Between organisations, of ties possible"),
        ("Returned", ALL, "Returned, of ties between two who answered"),
    )
    rows: list[dict[str, Any]] = []
    for measure, group, label in shown:
        for whole in asked.whole:
            held = _held(table, measure, group, whole.wave)
            if held is not None:
                rows.append({"mark": "point", "series": whole.when, "x": label, "y": held[1]["estimate"],
                             "n": held[1]["n"], "row": held[0]})  # fmt: skip
    most = max((row["y"] for row in rows), default=0.0)
    rows.append({"mark": "scale", "low": 0.0, "high": min(10.0 * (most // 10 + 1), 100.0)})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{words.sentence_case(asked.read.relation)} ties among those who answered both times, "
        f"{asked.read.programme.title}",
        x_axis="of every 100",
    )


def _cautions(asked: _Asked) -> list[Sentence]:
    said = [Sentence("Whether the network got better is not tested: its ties depend on each other.")]
    for whole in asked.whole:
        if whole.response_rate < ties.LEAST_RESPONSE:
            said.append(Sentence(f"Under {ties.LEAST_RESPONSE:.0%} answered at wave {whole.wave}; those who answered "
                                 "both times may be tied otherwise than the rest."))  # fmt: skip
    said += ties.cautions(asked.read, asked.whole)
    if asked.moved:
        people = ties.about(asked.moved, "person", "people", asked.read.programme.minimum_group)
        said.append(Sentence(f"Of those compared, {people} worked for another organisation the second time: a tie may "
                             "go outside now that stayed inside, between the same two."))  # fmt: skip
    said.append(Sentence("p of the correlation says that the same people are tied both times beyond chance, and not "
                         "that anything got better."))  # fmt: skip
    said.append(Sentence("A tie says that somebody named somebody, not how well they work together."))
    return said
