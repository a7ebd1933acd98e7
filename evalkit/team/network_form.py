"""Do partners work as a market, a hierarchy or a network, as those who looked saw it?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.team.looks import DIFFER, ROUND_DAYS, Looks, Round, looks
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.menu import Menu
    from evalkit.programme import Programme
    from evalkit.stats.agreement import KrippendorffAlpha
    from evalkit.stats.change import PairedChange

QUESTION = "Do partners work as a market, a hierarchy or a network?"
LEAST_ALPHA = 0.667
"""Below this alpha not even tentative conclusions are drawn (Krippendorff 2004, Content Analysis, 2nd ed., ch. 11; from
memory)."""
ALPHA, AGREED = "Krippendorff's alpha of coders", "Findings on which coders agree"
EXTRAS = ("what", "round", "from_day", "to_day", "places", "coders")


def network_form(
    programme: Programme,
    *,
    form: str = "network",
    round_days: int = ROUND_DAYS,
    confidence: float = 0.95,
    resamples: int = 2_000,
    seed: int = 1,
) -> Result:
    """Do partners work as a market, a hierarchy or a network?

    Needs: `observations` of the features on the menu network_forms, each in one of its forms, by one coder or more. A
    round begins with the first look and holds those of the next `round_days` days; a coder who looked twice in it
    counts with the latest. The share in the `form` asked about is over the features looked at in a place, then over
    places. Where coders differ each one's reading counts as its part in the share; in the counts by feature the place
    stands as `coders differ`. A market, a hierarchy and a network each have their place, so a higher share is neither
    better nor worse, and nothing is decided; it misleads where other coders, places or features were looked at in the
    other round. Alpha's interval takes findings as independent of each other, which those of one place may not be.
    Comparison places are left out.
    Columns: n_of, what (share, change, form, agreement), round, from_day, to_day, places, coders, out_of.
    Errors: `NotEnoughEvidence` when nobody looked; `ValueError` for an unknown form, or `round_days` below 1.

    >>> import evalkit as ek
    >>> found = network_form(ek.load("sample_data/northmere"), resamples=200)
    >>> found.table.loc[found.table["what"] == "share", "measure"].tolist(), found.verdict
    (['Features in network form', 'Features in network form'], <Verdict.DESCRIBED: 'described'>)
    """
    if resamples < 0:
        raise ValueError(f"resamples={resamples} must be 0 (no interval of alpha) or more.")
    seen = looks(programme, form, round_days)
    moved, agreed = seen.moved(confidence), seen.agreed(confidence, resamples, seed)
    table = _table(seen, moved, agreed)
    design = Design.DESCRIBED if moved is None else Design.BEFORE_AFTER
    evidence = grade(design, informants=("coders",), rivals=circumstances.rivals(programme))
    decided = described("A market, a hierarchy and a network each have their place: no form is better than another.")
    headline = _headline(seen, table)
    arguments = {"form": form, "round_days": round_days, "confidence": confidence, "resamples": resamples}
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(programme, seen, table, agreed),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(programme, seen, table, headline.text),
        chart=charts.named("shares"),
        method=_method(seen.menu, design),
        evidence=evidence,
        cautions=_cautions(programme, seen, agreed, evidence.rivals),
        about=circumstances.about(
            programme,
            f"team.network_form({', '.join(f'{name}={value!r}' for name, value in arguments.items())}, seed={seed})",
            n=seen.held["place_id"].nunique(),
            of=len(programme.places) - len(circumstances.comparison_places(programme)) or None,
            counts="places",
        ),
        details=(moved, agreed),
    )


def _method(menu: Menu, design: Design) -> Method:
    return Method(
        name="Mean over places of the share of features in a form, its change with the paired t of places; "
        "Krippendorff's alpha of coders (nominal), with a bootstrap interval",
        source=f"{menu.source}; t: Student 1908; alpha: Krippendorff 2019, Content Analysis, 4th ed., ch. 12",
        assumes="Coders mean the same by each form, knew the places, and places are independent of each other.",
        design=design,
    )


def _share_label(seen: Looks) -> str:
    return f"Features in {words.plain(seen.form)} form"


def _table(seen: Looks, moved: PairedChange | None, agreed: KrippendorffAlpha | None) -> pd.DataFrame:
    """The share a round, its change, places by feature and form at both ends, and how far coders agree."""
    rows = [*_share_rows(seen, moved), *_form_rows(seen), *_agreement_rows(seen, agreed)]
    blank = dict.fromkeys(EXTRAS) | {"out_of": None}
    table = register.table([{**blank, **row} for row in rows], extras=EXTRAS)
    days = dict.fromkeys(("from_day", "to_day"), "datetime64[ns]")
    return table.astype({**dict.fromkeys(("round", "places", "coders", "out_of"), "Int64"), **days})


def _when(seen: Looks, each: Round) -> dict[str, Any]:
    """The columns that say which round, when, and how many looked."""
    coders = seen.held.loc[seen.held["round"] == each.number, "coder"].nunique()
    return {"round": each.number, "from_day": each.first, "to_day": each.last, "coders": coders}


def _share_rows(seen: Looks, moved: PairedChange | None) -> Iterator[dict[str, Any]]:
    """A row a round, and the change over places."""
    label, shares = _share_label(seen), seen.shares
    for each in seen.rounds:
        held = shares[each.number].dropna()
        yield register.row(
            label, ALL, n=len(held), estimate=float(held.mean()), unit="% of features, mean over places", n_of="places",
            what="share", places=len(held), **_when(seen, each),
        )  # fmt: skip
    if moved is not None:
        row = register.row(
            label, ALL, n=moved.n, estimate=moved.estimate, unit="percentage points", n_of="places", what="change",
            places=moved.n,
        )  # fmt: skip
        yield {**row, "low": moved.low, "high": moved.high, "interval": f"{moved.confidence:.0%} confidence"}


def _form_rows(seen: Looks) -> Iterator[dict[str, Any]]:
    """A row a feature, end and form: in how many of the places looked at; and in how many coders differ."""
    units = seen.units
    for feature, label in seen.menu.labels.items():
        for each in seen.ends:
            own = units[(units["feature"] == feature) & (units["round"] == each.number)]
            for form in (*seen.menu.forms, DIFFER) if len(own) else ():
                yield register.share(
                    label, words.plain(form), int((own["form"] == form).sum()), len(own), of="places looked at",
                    n_of="places", what="form", places=len(own), **_when(seen, each),
                )  # fmt: skip


def _agreement_rows(seen: Looks, agreed: KrippendorffAlpha | None) -> Iterator[dict[str, Any]]:
    """Alpha and the plain share of findings two coders or more wrote alike, over all rounds."""
    if agreed is None:
        return
    twice = seen.units[seen.units["size"] > 1]
    same = {"what": "agreement", "places": twice["place_id"].nunique(), "coders": agreed.raters}
    row = register.row(ALPHA, ALL, n=agreed.n, estimate=agreed.estimate, unit="1 agree, 0 as by chance",
                       n_of="findings", **same)  # fmt: skip
    bounds = {"low": agreed.low, "high": agreed.high, "interval": f"{agreed.confidence:.0%} bootstrap"}
    yield row if math.isnan(agreed.low) else {**row, **bounds}
    alike = int((twice["form"] != DIFFER).sum())
    yield register.share(AGREED, ALL, alike, len(twice), of="findings by two coders or more", n_of="findings", **same)


def _of_kind(table: pd.DataFrame, what: str) -> list[dict[Any, Any]]:
    """The rows of a kind, each with its place in the table as `row`."""
    return [{**row, "row": at} for at, row in table[table["what"] == what].to_dict("index").items()]


def _headline(seen: Looks, table: pd.DataFrame) -> Sentence:
    shares = _of_kind(table, "share")
    ends = [shares[0], shares[-1]][: len(seen.ends)]
    said = [f"{words.number(row['estimate'], 0)}% ({each.label})"
            for row, each in zip(ends, seen.ends, strict=True)]  # fmt: skip
    return Sentence(f"{_share_label(seen)}: {', '.join(said)}", rows=tuple(row["row"] for row in ends))


def _sentences(
    programme: Programme, seen: Looks, table: pd.DataFrame, agreed: KrippendorffAlpha | None
) -> list[Sentence]:
    """Who looked where, the share and its change, what was seen most, and how far coders agree."""
    elsewhere = circumstances.comparison_places(programme)
    places = words.of(seen.held["place_id"].nunique(), len(programme.places) - len(elsewhere))
    looked = words.listed([each.label for each in seen.rounds])
    shares = _of_kind(table, "share")
    who = Sentence(
        f"{seen.menu.name}: {words.counted(seen.held['coder'].nunique(), 'coder')} looked at {places} places, in "
        f"{words.counted(len(seen.rounds), 'round')} ({looked}).",
        rows=tuple(row["row"] for row in shares),
    )
    return [who, _share_sentence(seen, table), _forms_sentence(seen, table), _agreement_sentence(table, agreed)]


def _share_sentence(seen: Looks, table: pd.DataFrame) -> Sentence:
    shares, moved = _of_kind(table, "share"), _of_kind(table, "change")
    first, last = shares[0], shares[-1]
    was = (
        f"Of the features looked at in a place, on average {words.number(first['estimate'], 1)}% were in "
        f"{words.plain(seen.form)} form ({seen.ends[0].label})"
    )
    if len(seen.ends) < 2:
        return Sentence(f"{was}.", rows=(first["row"],))
    now = f"{was}, then {words.number(last['estimate'], 1)}% ({seen.ends[1].label})"
    rows = (first["row"], last["row"])
    if not moved:
        few = f"fewer than {LEAST_PAIRS} places were looked at in both, or all moved alike"
        return Sentence(f"{now}; no interval is given, for {few}.", rows=rows)
    (held,) = moved
    places = max(words.decimals(held["low"], held["high"]), 1)
    return Sentence(
        f"{now}; over the {held['places']} places looked at in both that is "
        f"{words.higher(held['estimate'], places, ' percentage points')} "
        f"({words.span(held['low'], held['high'], places)}, {held['interval']}).",
        rows=(*rows, held["row"]),
    )


def _forms_sentence(seen: Looks, table: pd.DataFrame) -> Sentence:
    """How many findings of the last round are in each form, features and places together."""
    last = [row for row in _of_kind(table, "form") if row["round"] == seen.ends[-1].number]
    counts = {form: sum(row["n"] for row in last if row["group"] == form) for form in _groups(seen)}
    said = [f"{form} {n or 'none'}" for form, n in counts.items()]
    return Sentence(
        f"{words.counted(sum(counts.values()), 'finding').capitalize()} ({seen.ends[-1].label}): {words.listed(said)}.",
        rows=tuple(row["row"] for row in last),
    )


def _groups(seen: Looks) -> list[str]:
    """The forms as they stand in the table, coders who differ last."""
    return [words.plain(form) for form in (*seen.menu.forms, DIFFER)]


def _agreement_sentence(table: pd.DataFrame, agreed: KrippendorffAlpha | None) -> Sentence:
    if agreed is None:
        return Sentence("No two coders looked at the same thing, so how far coders agree is not known.")
    alpha, alike = _of_kind(table, "agreement")
    said = f"Coders agree on {words.of(alike['n'], alike['out_of'])} findings that two or more of them made"
    if math.isnan(agreed.estimate):
        text = f"{said}; all are of one form, so agreement beyond chance is not known."
    elif math.isnan(agreed.low):
        text = f"{said}: Krippendorff's alpha {words.number(agreed.estimate)}, without an interval."
    else:
        limits = words.span(agreed.low, agreed.high, 2)
        text = f"{said}: Krippendorff's alpha {words.number(agreed.estimate)} ({limits}, {alpha['interval']})."
    return Sentence(text, rows=(alpha["row"], alike["row"]))


def _unbroken(days: str) -> str:
    """A day, or two, that no line break parts: "21 April 2024" stays whole beneath its feature."""
    return " to ".join(day.replace(" ", "\N{NO-BREAK SPACE}") for day in days.split(" to "))


def _marks(programme: Programme, seen: Looks, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar a feature and end, cut into the forms: the one asked about at the right end, those who differ before it."""
    rounds = {each.number: _unbroken(each.label) for each in seen.ends}
    order = [form for form in _groups(seen) if form != words.plain(seen.form)] + [words.plain(seen.form)]
    pieces = [
        {"mark": "share", "series": words.sentence_case(row["group"]), "x": f"{row['measure']}, {rounds[row['round']]}",
         "y": row["estimate"], "label": str(row["n"]), "row": row["row"]}
        for row in sorted(_of_kind(table, "form"), key=lambda row: order.index(row["group"]))
    ]  # fmt: skip
    subtitle = f"{seen.menu.name}, by feature, places of {programme.title}"
    return charts.marks(pieces, headline=headline, subtitle=subtitle, x_axis="% of places looked at")


def _cautions(
    programme: Programme, seen: Looks, agreed: KrippendorffAlpha | None, rivals: tuple[str, ...]
) -> list[Sentence]:
    said = [f"That a share is higher does not make it better: {seen.menu.name.lower()}, each has its place."]
    if agreed is not None and agreed.estimate < LEAST_ALPHA:
        said.append(
            f"Alpha lies below {LEAST_ALPHA}, under which Krippendorff draws not even tentative conclusions (his "
            "convention, from memory): part of what was seen is who looked."
        )
    if agreed is not None:
        said.append(
            "Alpha's interval takes findings as independent; where those of one place are alike it is too narrow."
        )
    units = seen.units
    alone = int((units["size"] == 1).sum())
    said.append(f"{words.of(alone, len(units))} findings {'rests' if alone == 1 else 'rest'} on one coder alone.")
    if (units["form"] == DIFFER).any():
        said.append("Where coders differ, each one's reading counts as its part in the share of features.")
    said += _uneven(seen)
    said += _left_out(seen)
    if not seen.menu.verified:
        said.append(f"The words of {seen.menu.name!r} were not all checked against a source.")
    said.append("These places are not compared with others.")
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return [Sentence(text) for text in said]


def _uneven(seen: Looks) -> Iterator[str]:
    """How far the first and the last round are of the same places and features, by the same coders."""
    if len(seen.ends) < 2:
        return
    first, last = (seen.held[seen.held["round"] == each.number] for each in seen.ends)
    cells = [set(zip(held["place_id"], held["feature"], strict=True)) for held in (first, last)]
    one = len(cells[0] ^ cells[1])
    if one:
        yield f"{words.counted(one, 'feature')} of a place seen in one of the two rounds alone."
    if set(first["coder"]) != set(last["coder"]):
        yield "Other coders looked in the last round than in the first: part of any change may be that."


def _left_out(seen: Looks) -> Iterator[str]:
    """What was written down and does not count, and how the days of looking were gathered."""
    if seen.elsewhere:
        yield f"{words.counted(seen.elsewhere, 'look')} at places to compare with left out."
    if seen.again:
        yield f"{words.counted(seen.again, 'look')} left out: the same coder looked again in the same round."
    long = [each.label for each in seen.rounds if each.first != each.last]
    if long:
        yield f"Looks on several days count as one round: {words.listed(long)}."
