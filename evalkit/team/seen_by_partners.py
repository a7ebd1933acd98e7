"""Do partners outside see a place as those inside it do?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.team.deciding import clear
from evalkit.team.scored import INSIDERS, Scored, change_over, scored
from evalkit.team.told import few, fewest, left_behind, people_behind
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.change import PairedChange

QUESTION = "Do partners outside see a place as those inside it do?"
METHOD = Method(
    name="Mean over places of what those outside scored less what those inside scored at the same wave, with the "
    "paired t of places; and how far each of the two saw the place move",
    source="t on K − 1 degrees of freedom (Student 1908): the methods page. AQuA's learning points: observations of "
    "partner agencies not directly involved may be useful markers of progress.",
    assumes="Places are independent of each other; the two kinds of people read the steps of the scale alike.",
    design=Design.DESCRIBED,
)
INSIDE = "those inside"


@dataclass(frozen=True, slots=True, eq=False)
class _Both:
    """What the two kinds of people scored, domain by domain and place by place, at the waves at which both did."""

    inside: Scored
    outside: Scored
    waves: tuple[int, ...]
    confidence: float

    def gap(self, key: str, wave: int) -> pd.DataFrame:
        """A row a place both scored: those inside, those outside."""
        ends = [_of(asked, key, wave) for asked in (self.inside, self.outside)]
        return pd.concat(ends, axis=1, keys=["inside", "outside"]).dropna()

    def tested(self, held: pd.DataFrame) -> PairedChange | None:
        """Outside less inside over places, where it can be tested."""
        return change_over(held["inside"], held["outside"], self.confidence)

    def gaps(self, wave: int) -> dict[str, PairedChange]:
        """Each domain's gap at one wave, where it can be tested."""
        found = {key: self.tested(self.gap(key, wave)) for key in self.inside.instrument.domain_labels}
        return {key: gap for key, gap in found.items() if gap is not None}


def seen_by_partners(
    programme: Programme, *, on: str = "icfat", rater: str = "partner", subject: str | None = None,
    confidence: float = 0.95,
) -> Result:  # fmt: skip
    """Do partners outside see a place as those inside it do?

    Needs: `responses` about the same places (or teams) on the instrument `on` at the same wave, by `team_member` and by
    another kind of `rater` who looks on from outside. A gap is no error of either: those outside see less, and those
    inside are kinder or harsher to themselves. A gap that narrows can narrow from either side, so what each saw change
    stands beside it. Columns: wave, what (gap, change in gap, change seen inside, change seen outside), places, inside,
    outside (means), raters (people outside; n counts those inside, both of the places counted), tells (fewer people
    than the minimum, whom the row would tell beside other answers: it is withheld).
    Errors: `NotEnoughEvidence` where no place was scored by both at one wave.

    >>> import evalkit as ek
    >>> seen_by_partners(ek.load("sample_data/northmere")).verdict
    <Verdict.DESCRIBED: 'described'>
    """
    if rater == INSIDERS:
        raise ValueError(f"rater={rater!r} are those inside; name those who look on from outside, such as 'partner'.")
    inside = scored(programme, on, rater=INSIDERS, subject=subject, question=QUESTION)
    outside = scored(programme, on, rater=rater, subject=subject, question=QUESTION)
    waves = [wave for wave in inside.waves if _shared(inside, outside, wave)]
    if not waves or inside.subject != outside.subject:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"{words.sentence_case(words.raters(rater))} and {words.raters(INSIDERS)} scored no "
            f"{inside.subject} at the same wave on the {inside.instrument.name}.",
            would_answer="both kinds of people scoring the same places in the same round.",
        )
    both = _Both(inside, outside, tuple(dict.fromkeys((waves[0], waves[-1]))), confidence)
    table = _table(both)
    headline = _headline(both, table)
    evidence = grade(Design.DESCRIBED, informants=(words.raters(INSIDERS), words.raters(rater)))
    decided = described("Who sees a place rightly cannot be tested; the two views are set side by side.")
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(both, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(both, table, headline.text),
        chart=charts.named("profile"),
        method=METHOD,
        evidence=evidence,
        cautions=[*_cautions(both), *inside.cautions(), *outside.cautions()],
        about=circumstances.about(
            programme, f"team.seen_by_partners(on={on!r}, rater={rater!r})", n=outside.people(), of=None,
            counts="respondents",
        ),
    )  # fmt: skip


def _of(asked: Scored, key: str, wave: int) -> pd.Series[float]:
    """The mean of each place at one wave."""
    means = asked.means()
    if wave not in means or key not in means.index.get_level_values("domain"):
        return pd.Series(dtype=float)
    return means.loc[key][wave].dropna()


def _shared(inside: Scored, outside: Scored, wave: int) -> bool:
    both = [set(asked.scores.loc[asked.scores["wave"] == wave, "subject_id"]) for asked in (inside, outside)]
    return bool(both[0] & both[1])


def _table(both: _Both) -> pd.DataFrame:
    """A row a domain and wave (the gap), then a row a domain for each change."""
    rows = [_gap_row(both, key, wave) for wave in both.waves for key in both.inside.instrument.domain_labels]
    rows = [row for row in rows if row["places"]]
    if len(both.waves) == 2:
        for key in both.inside.instrument.domain_labels:
            rows += _moves(both, key)
    table = pd.DataFrame(rows).assign(group=ALL, unit=both.inside.unit, n_of="respondents")
    first = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit"]
    table = table.reindex(columns=[*first, "n_of", "wave", "what", "places", "inside", "outside", "raters", TELLS])
    return table.astype({**dict.fromkeys(("n", "raters", "wave", TELLS), "Int64"), "low": float, "high": float})


def _gap_row(both: _Both, key: str, wave: int) -> dict[str, Any]:
    held = both.gap(key, wave)
    return {
        **_estimate(both, held), "measure": both.inside.instrument.domain_labels[key], "wave": wave, "what": "gap",
        "n": people_behind(both.inside, [key], [wave], held.index), "places": len(held),
        "inside": held["inside"].mean(), "outside": held["outside"].mean(),
        "raters": people_behind(both.outside, [key], [wave], held.index), TELLS: _told_by_gap(both, key, wave),
    }  # fmt: skip


def _told_by_gap(both: _Both, key: str, wave: int) -> int | None:
    """How few people the two means tell beside those of all places each scored, or beside the change of both."""
    shared = both.gap(key, wave).index
    whole = [(asked, _of(asked, key, wave).index, shared) for asked in (both.inside, both.outside)]
    if len(both.waves) == 2:
        moved = shared.intersection(both.gap(key, sum(both.waves) - wave).index)
        whole += [(asked, shared, moved) for asked in (both.inside, both.outside) if len(moved)]
    return fewest(*(left_behind(asked, [key], wave, there, counted) for asked, there, counted in whole))


def _told_by_moves(both: _Both, key: str, places: pd.Index[Any]) -> int | None:
    """How few people a change tells: those of one end, or of places that each alone scored at both, and left out."""
    found = []
    for asked in (both.inside, both.outside):
        own = _of(asked, key, both.waves[0]).index.intersection(_of(asked, key, both.waves[1]).index)
        found += [left_behind(asked, [key], wave, own, places) for wave in both.waves]
        found.append(few(people_behind(asked, [key], both.waves, places), asked.programme.minimum_group))
    return fewest(*found)


def _estimate(both: _Both, held: pd.DataFrame) -> dict[str, Any]:
    """The mean difference over places, with its interval where one can be given."""
    tested = both.tested(held)
    if tested is None:
        return {"estimate": (held["outside"] - held["inside"]).mean(), "interval": "none given"}
    return {"estimate": tested.estimate, "low": tested.low, "high": tested.high,
            "interval": f"{both.confidence:.0%} confidence"}  # fmt: skip


def _moves(both: _Both, key: str) -> list[dict[str, Any]]:
    """How the gap changed, and how far each of the two saw places move: over places both scored at both waves."""
    first, last = (both.gap(key, wave) for wave in both.waves)
    ends = first.add_suffix("_first").join(last.add_suffix("_last"), how="inner")
    gaps = pd.DataFrame({"inside": ends["outside_first"] - ends["inside_first"],
                         "outside": ends["outside_last"] - ends["inside_last"]})  # fmt: skip
    found = [("change in gap", gaps)]
    for who in ("inside", "outside"):
        moved = ends[[f"{who}_first", f"{who}_last"]].set_axis(["inside", "outside"], axis=1)
        found.append((f"change seen {who}", moved))
    people = {
        "n": people_behind(both.inside, [key], both.waves, ends.index),
        "raters": people_behind(both.outside, [key], both.waves, ends.index),
        TELLS: _told_by_moves(both, key, ends.index),
    }
    label = both.inside.instrument.domain_labels[key]
    return [
        {**_estimate(both, held), **people, "measure": label, "what": what, "places": len(held)}
        for what, held in found
        if len(held)
    ]


def _headline(both: _Both, table: pd.DataFrame) -> Sentence:
    """On how many domains those outside score clearly higher or lower at the last wave."""
    last, gaps = both.waves[-1], both.gaps(both.waves[-1])
    rows = table.index[(table["wave"] == last) & (table["what"] == "gap")]
    who = words.sentence_case(words.raters(both.outside.rater))
    if not gaps:
        return Sentence(f"{who} and {INSIDE}: too few places scored by both to tell a gap from chance", tuple(rows))
    up, down = clear(gaps)
    return Sentence(
        f"{who} scored {both.inside.subject}s clearly lower than {INSIDE} on {len(down)} of {len(gaps)} domains, "
        f"clearly higher on {len(up)}",
        rows=tuple(rows),
    )


def _sentences(both: _Both, table: pd.DataFrame) -> list[Sentence]:
    last = table[(table["what"] == "gap") & (table["wave"] == both.waves[-1])]
    widest = last.iloc[int(last["estimate"].abs().to_numpy().argmax())]
    who, when = words.raters(both.outside.rater), circumstances.when(both.inside.programme, both.waves[-1])
    said = [
        Sentence(
            f"In {when}, up to {last['n'].max()} people inside and {last['raters'].max()} outside ({who}) scored "
            f"the same {words.counted(int(last['places'].max()), both.inside.subject)}. "
            f"Furthest apart: {widest['measure']}, "
            f"{words.number(widest['inside'])} inside and {words.number(widest['outside'])} outside"
            f"{_with(widest)}.",
            rows=tuple(last.index),
        )
    ]
    moved = table[table["what"] == "change in gap"]
    if moved.empty:
        return said
    narrower = [_narrower(table, row["measure"]) for row in moved.to_dict("records")]
    since = circumstances.when(both.inside.programme, both.waves[0])
    clearly = int(((moved["low"] > 0) | (moved["high"] < 0)).sum())
    text = (
        f"Since {since} the two came closer on {sum(narrower)} of {len(narrower)} domains; an interval leaves out no "
        f"change on {clearly}."
    )
    said.append(Sentence(text, rows=tuple(moved.index)))
    return [*said, _direction(table)]


def _with(row: pd.Series[Any]) -> str:
    gap = f"gap {words.number(row['estimate'])}"
    return f" ({gap})" if row["low"] != row["low"] else f" ({gap}, {words.span(row['low'], row['high'])})"


def _narrower(table: pd.DataFrame, measure: str) -> bool:
    """Whether the mean gap lies nearer to none at the last wave than at the first."""
    held = table[(table["what"] == "gap") & (table["measure"] == measure)]["estimate"].abs()
    return bool(held.iloc[-1] < held.iloc[0])


def _direction(table: pd.DataFrame) -> Sentence:
    """On how many domains both saw places move the same way."""
    seen = {who: table[table["what"] == f"change seen {who}"].set_index("measure") for who in ("inside", "outside")}
    shared = seen["inside"].index.intersection(seen["outside"].index)
    alike = int((seen["inside"].loc[shared, "estimate"] * seen["outside"].loc[shared, "estimate"] > 0).sum())
    rows = table.index[table["what"].isin(["change seen inside", "change seen outside"])]
    return Sentence(
        f"Both saw places move the same way, up or down, on {alike} of {len(shared)} domains.", rows=tuple(rows)
    )


def _marks(both: _Both, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a domain for each of the two, at the last wave."""
    last = table[(table["what"] == "gap") & (table["wave"] == both.waves[-1])]
    who = {"inside": INSIDE, "outside": words.raters(both.outside.rater)}
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": who[side], "x": row["measure"], "y": row[side],
         "n": row["n" if side == "inside" else "raters"], "row": at}
        for side in who
        for at, row in last.to_dict("index").items()
    ]  # fmt: skip
    scale = both.inside.instrument.scale
    rows.append({"mark": "scale", "low": scale.low, "high": scale.high})
    when = circumstances.when(both.inside.programme, both.waves[-1])
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{both.inside.instrument.name}, {when}, {both.inside.programme.title}",
        x_axis=f"score, {scale.low:g} to {scale.high:g}",
    )


def _cautions(both: _Both) -> list[Sentence]:
    who = words.raters(both.outside.rater)
    said = [
        f"A gap is no error of either: {who} see less, and people inside are kinder or harsher to themselves.",
        f"Those outside at the two waves need not be the same people, nor as many to each {both.inside.subject}.",
    ]
    if len(both.inside.instrument.domains) > 1:
        said.append("All domains were looked at together, and 'clearly' allows for that (Holm, at 3 %).")
    return [Sentence(text) for text in said]
