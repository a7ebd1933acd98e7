"""How do we see ourselves beside others, who are not named?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.team.deciding import declared_domain
from evalkit.team.scored import INSIDERS, named
from evalkit.team.values import Held, counted_of, values_beside
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "How do we see ourselves beside others?"
LEAST_OTHERS = 5
"""Fewer others than this do not hide each other, and have no middle half worth the name (a judgement)."""
FEW = 20
"""Below this many others the ends of their middle half are said to be loose: AQuA's programmes had 12 to 19."""
MOST_SAID = 8
"""Domains that a sentence lists; of more it says that the table has them."""
HALF = 1.3489795
"""The middle half of a normal distribution, in standard deviations: what chance alone would spread."""
MIDDLE = "middle half of the others"
MIDDLE_OF_ALL = "middle half"
METHOD = Method(
    name="Mean of those who answered in one place, beside the means of the others: their median and their middle half",
    source="Middle half by definition 7 of Hyndman and Fan 1996, The American Statistician 50(4), 361-365. By chance: "
    "1.349 standard errors, the middle half of a normal distribution.",
    assumes="Those who answered speak for their place, and all were asked alike.",
    design=Design.DESCRIBED,
)


def peers(
    programme: Programme,
    *,
    place: str | None = None,
    on: str = "icfat",
    rater: str = INSIDERS,
    subject: str | None = None,
    wave: int | None = None,
) -> Result:
    """How do we see ourselves beside others, who are not named?

    Needs: `responses` about places, teams or organisations on the instrument `on` by one kind of `rater`; or averages
    in `scores`. `place`: the id of one's own place (or team, or organisation); without it, only what all have in
    common is shown. At the last wave unless `wave` says another. Others with fewer people than the minimum group are in
    no figure and no wider copy; with fewer than five others only one's own scores are shown. Nothing here ranks: the
    others have no names, stand in each domain in the order of their values, and are not joined from one to the next.
    Columns: others (how many), others_median, by_chance (how wide the middle half would be if all saw themselves alike
    and only who answered differed). Errors: `ValueError` for a place or wave nobody knows; `NotEnoughEvidence` without
    answers of the place, or without others.

    >>> import evalkit as ek
    >>> found = peers(ek.load("sample_data/northmere"), place="P02")
    >>> found.headline
    'Brackenford beside 11 others: Leadership 2.60, half of the others between 2.66 and 3.10'
    """
    held = values_beside(programme, on, rater, subject, wave, QUESTION)
    own = _own(held, place)
    table = _table(held, own)
    main = _main(held, table)
    headline = _headline(held, own, table, main)
    evidence = grade(Design.DESCRIBED, informants=(words.raters(rater),) if held.rater else ("people in the place",))
    decided = described("One's own scores are shown beside others' to learn from; nothing is tested.")
    people = held.people.get(own) if own else sum(held.people.values()) or None
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(held, own, table, main),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(held, own, table, headline.text),
        chart=charts.named("among"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(held, own, table),
        about=circumstances.about(programme, _asked(held, place), n=people, of=None, counts="respondents"),
    )


def _asked(held: Held, place: str | None) -> str:
    """How to ask it again."""
    own = "" if place is None else f"place={place!r}, "
    told = f", rater={held.rater!r}" if held.rater else ""
    return f"team.peers({own}on={held.instrument.id!r}{told}, subject={held.kind!r}, wave={held.wave})"


def _own(held: Held, place: str | None) -> str | None:
    """One's own id, once it is known that there is something to show, and somebody beside it."""
    there = set(held.values["subject_id"])
    if place is not None and place not in there:
        known = sorted(there | set(named(held.programme, held.kind)))
        if place not in known:
            raise ValueError(f"No {held.kind} has the id {place!r}. There are: {words.listed(known)}.")
        name = held.name(place)
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"{words.sentence_case(name)} has no scores on the {held.instrument.name} in {held.when}.",
            would_answer=f"answers about {name} at this wave, or asking about another, with wave=….",
        )
    enough = counted_of(held)["subject_id"].nunique()
    if len(there) == 1 or (place is None and enough < LEAST_OTHERS):
        raise _too_few(held, enough, len(there))
    return place


def _too_few(held: Held, enough: int, there: int) -> NotEnoughEvidence:
    """The refusal where nothing could stand beside each other without a name."""
    minimum = held.programme.minimum_group
    had = f"{words.of(enough, there)} {held.kind}s had {minimum} people or more"
    if there == 1:
        had = f"one {held.kind} was scored, and none beside it"
    elif held.values["n"].isna().all():
        had = f"{there} {held.kind}s had scores, of how many people nobody says"
    alone = "" if there == 1 else "; with place=…, one's own scores alone"
    missing = f"In {held.when} {had}: too few to stand beside each other without a name."
    others = f"{LEAST_OTHERS} others or more with {minimum} people or more each{alone}."
    return NotEnoughEvidence(QUESTION, missing=missing, would_answer=others)


def _table(held: Held, own: str | None) -> pd.DataFrame:
    """A row a domain, in the tool's order. Extras: n_of, others, others_median, by_chance, tells."""
    rows = [
        _row(held, own, label, *(frame[frame["domain"] == key] for frame in (held.values, counted_of(held))))
        for key, label in held.instrument.domain_labels.items()
        if (held.values["domain"] == key).any()
    ]
    return pd.DataFrame(rows).astype({"n": "Int64", "others": "Int64", TELLS: "Int64"})


def _row(held: Held, own: str | None, label: str, values: pd.DataFrame, counted: pd.DataFrame) -> dict[str, Any]:
    """One's own value, or the median of all; the middle half of the others, or of all."""
    mine, others = values[values["subject_id"] == own], counted[counted["subject_id"] != own]
    others = others.sort_values(["value", "n", "sd"])  # in no place's order, so that not even rounding tells who is who
    enough = len(others) >= LEAST_OTHERS
    low, median, high = (float(others["value"].quantile(q)) if enough else math.nan for q in (0.25, 0.5, 0.75))
    people = others["n"].sum(min_count=len(others)) if own is None else mine["n"].sum(min_count=len(mine))
    value = median if own is None else float(mine["value"].mean())
    inside = MIDDLE_OF_ALL if own is None else MIDDLE
    return {
        "measure": label, "group": ALL if own is None else held.name(own), "estimate": value, "low": low, "high": high,
        "interval": inside if enough else "none given", "n": people, "unit": held.unit, "n_of": "respondents",
        "others": len(others), "others_median": math.nan if own is None else median,
        "by_chance": _by_chance(others) if enough else math.nan, TELLS: _tells(held, own, values, counted),
    }  # fmt: skip


def _tells(held: Held, own: str | None, values: pd.DataFrame, counted: pd.DataFrame) -> int | None:
    """How few people one's own value would tell beside the others': those of the small place it was left out with."""
    if own is None or own in set(counted["subject_id"]):
        return None
    small = values.loc[values["n"] < held.programme.minimum_group, "n"]
    return int(small.min()) if len(small) else None


def _by_chance(others: pd.DataFrame) -> float:
    """How wide the middle half would be if all were alike: 1.349 times the spread of people over the root of n.

    >>> print(f"{_by_chance(pd.DataFrame({'n': [9, 9, 9], 'sd': [1.0, 1.0, 1.0]})):.3f}")
    0.450
    """
    known = others[(others["n"] > 1) & others["sd"].notna()]
    if known.empty or len(known) < len(others):
        return math.nan
    n, sd = known["n"].astype(float), known["sd"].astype(float)
    within = ((n - 1) * sd**2).sum() / (n - 1).sum()
    return float(HALF * math.sqrt(within * (1 / n).mean()))


def _main(held: Held, table: pd.DataFrame) -> int:
    """The row that stands first in words: the domain declared beforehand, else the tool's first with a value."""
    label = held.instrument.domain_labels.get(declared_domain(held.programme, held.instrument), "")
    told = table[table["estimate"].notna()] if table["estimate"].notna().any() else table
    declared = told.index[told["measure"] == label]
    return int(declared[0] if len(declared) else told.index[0])


def _headline(held: Held, own: str | None, table: pd.DataFrame, main: int) -> Sentence:
    row = table.loc[main].to_dict()
    value, half = f"{row['measure']} {words.number(row['estimate'])}", words.between(row["low"], row["high"], 2)
    mine = words.sentence_case(held.name(own or ""))
    if own is None:
        text = f"{words.counted(row['others'], held.kind)}, not named: {value} in the middle, half of them {half}"
    elif math.isnan(row["low"]):
        text = f"{mine}: {value}; too few others to show"
    else:
        text = f"{mine} beside {words.counted(row['others'], 'other')}: {value}, half of the others {half}"
    return Sentence(text, rows=(main,))


def _sentences(held: Held, own: str | None, table: pd.DataFrame, main: int) -> list[Sentence]:
    every = tuple(range(len(table)))
    said = [Sentence(_who(held, own, table), rows=every), Sentence(_values(held, own, table), rows=every)]
    row = table.loc[main].to_dict()
    if pd.notna(row["by_chance"]):
        width, chance = (words.number(each) for each in (row["high"] - row["low"], row["by_chance"]))
        said.append(
            Sentence(
                f"The middle half spans {width} points on {row['measure']}; if all saw themselves alike, chance in who "
                f"answered would still spread it over about {chance}.",
                rows=(main,),
            )
        )
    return said


def _who(held: Held, own: str | None, table: pd.DataFrame) -> str:
    """Who scored what, when, and how many stand beside it."""
    tool, most = held.instrument.name, int(table["others"].max())
    mine = held.people.get(own or "")
    if own is None:
        everybody = words.counted(sum(held.people.values()), "person", "people")
        people = f"{everybody} scored" if held.people else "Scores of"
        return f"{people} {words.counted(most, held.kind)} in {held.when} ({tool}), shown without names."
    scored_by = f"{words.counted(mine, 'person', 'people')} scored " if mine else ""
    people = words.sentence_case(f"{scored_by}{held.name(own)}")
    if table["low"].isna().all():
        hide = "itself" if most == 1 else "each other"
        others = words.sentence_case(words.counted(most, "other"))
        few = f"{others} with enough people would not hide {hide}" if most else f"{others} has enough people"
        return f"{people} in {held.when} ({tool}). {few}, so none is shown: {LEAST_OTHERS} would hide each other."
    others = words.counted(most, f"other {held.kind}")
    return f"{people} in {held.when} ({tool}), beside {others} that are not named."


def _values(held: Held, own: str | None, table: pd.DataFrame) -> str:
    """Each domain's value, with the middle half of the others behind it."""
    if len(table) > MOST_SAID:
        return f"The table has all {len(table)} domains."
    each = [
        f"{row['measure']} {words.number(row['estimate'])}"
        + ("" if pd.isna(row["low"]) else f" ({words.span(row['low'], row['high'], 2)})")
        for row in table.to_dict("records")
    ]
    shown = table["low"].notna().any()
    if own is None:
        return f"Their median, and the middle half of them: {words.listed(each)}."
    return f"{words.sentence_case(held.name(own))}{' (and half of the others)' if shown else ''}: {words.listed(each)}."


def _marks(held: Held, own: str | None, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar, the others' rings and one's own dot (of all places, their median) domain by domain, and the scale."""
    keys = {label: key for key, label in held.instrument.domain_labels.items()}
    rows: list[dict[str, Any]] = []
    for at, row in table.to_dict("index").items():
        of_row = {"x": row["measure"], "row": at}
        if pd.notna(row["low"]):
            band = {"mark": "band", "low": row["low"], "high": row["high"], "label": row["interval"]}
            rows += [{**of_row, **band}, *({**of_row, **ring} for ring in _rings(held, own, keys[row["measure"]]))]
        if pd.notna(row["estimate"]):
            kind = {"mark": "line", "label": f"median of the {held.kind}s"} if own is None else {"mark": "point"}
            rows.append({**of_row, **kind, "series": row["group"], "y": row["estimate"], "n": row["n"]})
    scale = held.instrument.scale
    rows.append({"mark": "scale", "low": scale.low, "high": scale.high})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{held.instrument.name}, {held.programme.title}, {held.when}",
        x_axis=f"score, {scale.low:g} to {scale.high:g}",
    )


def _rings(held: Held, own: str | None, domain: str) -> list[dict[str, Any]]:
    """The others in the order of their values, those kept back last.

    The number of people on a ring says only whether it may be shown, for it would tell one place from another.
    """
    minimum, every = held.programme.minimum_group, counted_of(held)
    shown = set(every.loc[every["domain"] == domain, "subject_id"])
    others = held.values[(held.values["domain"] == domain) & (held.values["subject_id"] != own)].sort_values("value")
    enough, few = "others" if own else f"{held.kind}s", f"{held.kind}s of under {minimum} people, or beside one"
    rings = [
        {"mark": "other", "series": enough if of in shown else few, "y": value, "n": minimum if of in shown else 1}
        for of, value in zip(others["subject_id"], others["value"], strict=True)
    ]
    return sorted(rings, key=lambda ring: bool(ring["series"] == few))


def _cautions(held: Held, own: str | None, table: pd.DataFrame) -> list[Sentence]:
    most, kind = int(table["others"].max()), held.kind
    said = []
    if table["low"].notna().any():
        said.append("Half always lie outside the middle half: to lie outside it says nothing by itself.")
        if most < FEW:
            said.append(
                f"With {words.counted(most, 'other' if own else kind)} each end of the middle half rests on the two "
                "values next to it: it is uncertain itself."
            )
        said.append("Those who know the others may recognise one by an unusual value.")
    labels = held.instrument.domain_labels
    if silent := [labels[each.key] for each in held.instrument.domains if labels[each.key] not in {*table["measure"]}]:
        said.append(f"No score in {held.when} on {words.listed(silent)}: not in the table.")
    clearer = f"a {kind} sees itself" if held.rater in ("", INSIDERS) else "people see"
    said.append(f"A lower score may mean that {clearer} more clearly.")
    people = held.programme.minimum_group
    if few := int((held.values["subject_id"] != own).sum() - (counted_of(held)["subject_id"] != own).sum()):
        said.append(
            f"{words.counted(few, 'score')} of others with fewer than {people} people, or beside one, left out of the "
            "figures."
        )
    return [*(Sentence(text) for text in said), *held.cautions]
