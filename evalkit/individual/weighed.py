"""The gap between leaders' own ratings and others', domain by domain, weighed by how much each domain matters."""

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
from evalkit.individual.courses import mean_of
from evalkit.individual.gaps import ABOVE, ALIKE, APART_SOURCE, BELOW, Beside, Gap, beside, count_rows, gap_row
from evalkit.instrument import OVERALL
from evalkit.result import FIRST, Method, Sentence
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme
    from evalkit.stats.clusters import Contrast

QUESTION = "Do others see leaders as leaders see themselves?"
METHOD = Method(
    name="Mean of leaders' own rating less the mean of others' ratings of the same leader, domain by domain; for each "
    "leader, Σ importance × gap over Σ importance",
    source="The Healthcare Leadership Model's 360 form asks how a leader does and how much each dimension matters; the "
    f"weighed mean is evalkit's own. Intervals: CR2, Pustejovsky and Tipton 2018; {APART_SOURCE}",
    assumes="Leaders whom others rated are like those whom nobody rated; people (or teams) are independent; a step of "
    "importance is worth the same anywhere on its scale.",
    design=Design.DESCRIBED,
)
DOMAIN = "domain"
WEIGHED, PLAIN = "Mean of domains, weighed by importance", "Mean of domains, the same leaders, not weighed"
COLUMNS = (
    "n_of", "wave", "raters", "mean_own", "mean_others", "differs_from", "differs_to", "out_of", "weighed_by", TELLS
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The mean over leaders of their gaps weighed by importance, in those with gap and importance on every domain.

    `by`: who said how much a domain matters, `raters` of them. `of`: leaders with a gap on every domain; `missing`:
    ratings of importance these lack. `plain`: the mean of the same leaders' gaps, each domain alike.
    """

    by: str
    raters: int
    n: int
    of: int
    missing: int
    estimate: float
    plain: float
    found: Contrast | None
    plainly: Contrast | None


@dataclass(frozen=True, slots=True)
class _Split:
    """One kind of rater: gaps by domain at the last wave both rated, the whole first where there is one."""

    rater: str
    wave: int
    gaps: tuple[Gap, ...]
    weighed: _Weighed | None

    @property
    def domains(self) -> list[Gap]:
        """The gaps of the domains, without the whole."""
        return [gap for gap in self.gaps if gap.domain != OVERALL]

    @property
    def widest(self) -> Gap:
        """The domain on which the two differ most."""
        return max(self.domains, key=lambda gap: abs(gap.estimate))


def nobody(instrument: Instrument, raters: tuple[str, ...]) -> NotEnoughEvidence:
    """The refusal where no leader was rated by themselves and by others at one wave."""
    either = " or ".join(words.raters(rater) for rater in raters)
    return NotEnoughEvidence(
        QUESTION,
        missing=f"Nobody was rated on the {instrument.name} by themselves and by {either} at one wave.",
        would_answer="ratings of the same leaders by others, at the waves in which leaders rate themselves.",
    )


def by_domain(
    programme: Programme, instrument: Instrument, raters: tuple[str, ...], importance: str | None, confidence: float
) -> result.Result:  # by its full name, for this is no question
    """The gap by domain at the last wave both rated; weighed, where an instrument says how much each matters."""
    weights = None if importance is None else _importance(programme, instrument, importance)
    splits = [split for rater in raters if (split := _split(programme, instrument, rater, weights, confidence))]
    if not splits:
        raise nobody(instrument, raters)
    if weights is not None and not any(split.weighed for split in splits):
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"No leader has both ratings and an answer on the {weights.name} for every domain.",
            would_answer="how much each domain matters, rated by others or by leaders at the same wave or before.",
        )
    table = _table(instrument, splits, confidence)
    evidence = grade(Design.DESCRIBED, informants=("self", *(split.rater for split in splits)))
    decided = described("A difference between raters is not a change.")
    headline = _headline(instrument, table, splits)
    asked = [f"on={instrument.id!r}", f"raters={raters!r}", f"by={DOMAIN!r}"]
    asked += [] if weights is None else [f"importance={weights.id!r}"]
    return result.Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(programme, instrument, table, splits, confidence),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(programme, instrument, table, splits, headline.text, confidence),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(instrument, weights, table, splits),
        about=circumstances.about(
            programme,
            f"individual.seen_by_others({', '.join(asked)})",
            n=max(gap.n for split in splits for gap in split.gaps),
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=splits,
    )


def _importance(programme: Programme, instrument: Instrument, name: str) -> Instrument:
    """The instrument of importance; refused where it asks about other domains."""
    found = circumstances.instrument(programme, name)
    without = [domain.label for domain in instrument.domains if domain.key not in found.domain_labels]
    if without or found.recorded:
        raise ValueError(
            f"importance={name!r} cannot weigh the {instrument.name}: "
            f"{'its answers are kinds, no amounts' if found.recorded else f'it has no {words.listed(without)}'}. "
            "Name an instrument with the same domains, such as 'healthcare_leadership_importance' for the "
            "Healthcare Leadership Model."
        )
    return found


def _split(
    programme: Programme, instrument: Instrument, rater: str, weights: Instrument | None, confidence: float
) -> _Split | None:
    """One kind of rater's gaps at the last wave at which any domain has both ratings; None where none has."""
    keys = [domain.key for domain in instrument.domains]
    whole = [OVERALL] if instrument.overall is not None else []
    each = beside(programme, instrument, rater, [*whole, *keys])
    waves = {wave for key in keys for wave in each[key].waves}
    if not waves:
        return None
    wave = max(waves)
    gaps = tuple(found.gap(wave, confidence) for found in each.values() if wave in found.waves)
    if weights is None:
        return _Split(rater, wave, gaps, None)
    return _Split(rater, wave, gaps, _weighed({key: each[key] for key in keys}, weights, wave, confidence))


def _weighed(each: dict[str, Beside], weights: Instrument, wave: int, confidence: float) -> _Weighed | None:
    """Each leader's gaps weighed by importance, said by the same kind of rater, by leaders where these said nothing."""
    programme, rater = next((found.programme, found.rater) for found in each.values())
    pairs = {key: found.pairs[wave] for key, found in each.items() if wave in found.waves}
    gaps = pd.DataFrame({key: both["own"] - both["others"] for key, both in pairs.items()})
    gaps = gaps.reindex(columns=list(each)).dropna()
    by, said = rater, _said(programme, weights, rater, wave)
    if said.empty:
        by, said = "self", _said(programme, weights, "self", wave)
    matters = _matters(said, list(each)).reindex(gaps.index)
    whole = matters.notna().all(axis=1) & (matters.sum(axis=1) > 0)
    if not whole.any():
        return None
    kept, worth = gaps[whole], matters[whole]
    each_weighed = (kept * worth).sum(axis=1) / worth.sum(axis=1)
    return _Weighed(
        by=by,
        raters=int(said.loc[said["subject_id"].isin(kept.index), "respondent_id"].nunique()),
        n=len(kept),
        of=len(gaps),
        missing=int(matters.isna().to_numpy().sum()),
        estimate=float(each_weighed.mean()),
        plain=float(kept.mean(axis=1).mean()),
        found=mean_of(programme, each_weighed, confidence),
        plainly=mean_of(programme, kept.mean(axis=1), confidence),
    )


def _said(programme: Programme, weights: Instrument, rater: str, wave: int) -> pd.DataFrame:
    """How much domains matter, as this kind of rater scored it at this wave or before."""
    scores = ratings.given(programme, weights, rater)
    return scores[scores["score"].notna() & (scores["wave"] <= wave).fillna(False)]


def _matters(said: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Leaders × domains: how much each matters, as it was last said."""
    each = {key: ratings.by_wave(said, key).ffill(axis="columns") for key in keys if (said["domain"] == key).any()}
    return pd.DataFrame({key: scores.iloc[:, -1] for key, scores in each.items()}, dtype=float).reindex(columns=keys)


def _table(instrument: Instrument, splits: list[_Split], confidence: float) -> pd.DataFrame:
    """Kind of rater by kind: the whole, each domain, weighed and not weighed, how many rate themselves otherwise."""
    rows: list[dict[str, Any]] = []
    for split in splits:
        rows += [gap_row(instrument, gap, confidence) for gap in split.gaps]
        rows += _weighed_rows(instrument, split, confidence)
        rows += count_rows(split.gaps[0]) if split.gaps[0].domain == OVERALL else []
    table = pd.DataFrame([{"weighed_by": "", **row} for row in rows]).reindex(columns=[*FIRST, *COLUMNS])
    whole = dict.fromkeys(("n", "wave", "raters", "out_of", TELLS), "Int64")
    real = dict.fromkeys(("mean_own", "mean_others", "differs_from", "differs_to"), float)
    return table.astype({**whole, **real})


def _weighed_rows(instrument: Instrument, split: _Split, confidence: float) -> Iterator[dict[str, Any]]:
    """The weighed mean, and the same leaders' mean not weighed: which tells those left out, beside the whole."""
    held = split.weighed
    if held is None:
        return
    shared = {
        "group": words.raters(split.rater), "n": held.n, "n_of": "leaders", "wave": split.wave,
        "unit": f"{ratings.points(instrument)}, own less others'",
        "raters": min(held.raters, *(gap.raters for gap in split.domains)),
    }  # fmt: skip
    left = held.of - held.n
    for measure, estimate, found in ((WEIGHED, held.estimate, held.found), (PLAIN, held.plain, held.plainly)):
        yield shared | {
            "measure": measure, "estimate": estimate,
            "low": found.low if found else float("nan"), "high": found.high if found else float("nan"),
            "interval": f"{confidence:.0%} confidence" if found else "none given",
            "weighed_by": words.raters(held.by) if measure == WEIGHED else "",
            TELLS: left if measure == PLAIN and left else pd.NA,
        }  # fmt: skip


def _rows(table: pd.DataFrame, split: _Split, *measures: str) -> tuple[int, ...]:
    """The rows of one kind of rater with these measures."""
    own = (table["group"] == words.raters(split.rater)) & table["measure"].isin(measures)
    return tuple(int(row) for row in table.index[own])


def _labelled(instrument: Instrument, gaps: list[Gap]) -> list[str]:
    return [instrument.domain_labels[gap.domain] for gap in gaps]


def _headline(instrument: Instrument, table: pd.DataFrame, splits: list[_Split]) -> Sentence:
    """Where own and others' ratings differ most."""
    rows = tuple(row for split in splits for row in _rows(table, split, *_labelled(instrument, [split.widest])))
    said = [
        f"{words.raters(split.rater)} on {instrument.domain_labels[split.widest.domain]} "
        f"({words.higher(split.widest.estimate)})"
        for split in splits
    ]
    return Sentence(f"Leaders' own ratings differ most from those of {words.listed(said)}", rows=rows)


def _sentences(
    programme: Programme, instrument: Instrument, table: pd.DataFrame, splits: list[_Split], confidence: float
) -> Iterator[Sentence]:
    """The gaps by domain; weighed and not; how many leaders rate themselves otherwise."""
    told = [_range(programme, instrument, split, confidence) for split in splits]
    rows = tuple(row for split in splits for row in _rows(table, split, *_labelled(instrument, split.domains)))
    yield Sentence(f"{' '.join(told)}", rows=rows)
    with_weights = [split for split in splits if split.weighed]
    if with_weights:
        told = [_worth(table, split) for split in with_weights]
        rows = tuple(row for split in with_weights for row in _rows(table, split, WEIGHED, PLAIN))
        yield Sentence(f"Weighed by importance, the gap is {'; '.join(told)}.", rows=rows)
    counted = [split for split in splits if split.gaps[0].domain == OVERALL and split.gaps[0].counts]
    if counted:
        said = [_otherwise(split.gaps[0]) for split in counted]
        rows = tuple(int(row) for row in table.index[table["out_of"].notna()])
        yield Sentence(f"Half a standard deviation or more apart on the whole: {'; '.join(said)}.", rows=rows)


def _range(programme: Programme, instrument: Instrument, split: _Split, confidence: float) -> str:
    """On how many domains leaders rate themselves higher, and the widest gap."""
    domains, widest = split.domains, split.widest
    sure = ""
    if widest.low == widest.low:
        sure = f", {words.span(widest.low, widest.high, 2)}, {confidence:.0%} interval"
    above = sum(gap.estimate > 0 for gap in domains)
    return (
        f"In {circumstances.when(programme, split.wave)} leaders rated themselves higher than "
        f"{words.raters(split.rater)} did on {words.of(above, len(domains))} domains; furthest apart is "
        f"{instrument.domain_labels[widest.domain]} ({words.higher(widest.estimate)}{sure}, "
        f"{words.counted(widest.n, 'leader')})."
    )


def _worth(table: pd.DataFrame, split: _Split) -> str:
    """The weighed gap beside the same leaders' not weighed."""
    row, plain = (_rows(table, split, measure)[0] for measure in (WEIGHED, PLAIN))
    mean, low, high, alone = (float(table[column][at]) for column, at in
                              (("estimate", row), ("low", row), ("high", row), ("estimate", plain)))  # fmt: skip
    sure = f" ({words.span(low, high, 2)})" if low == low else ""
    return (
        f"{words.number(mean)}{sure} beside {words.raters(split.rater)}, and {words.number(alone)} not weighed, in "
        f"{words.counted(int(table['n'][row]), 'leader')}"
    )


def _otherwise(gap: Gap) -> str:
    """How many leaders rate themselves higher or lower than these others do."""
    counts = gap.counts or {}
    return (
        f"of {words.counted(gap.n, 'leader')} rated by {words.raters(gap.rater)}, {counts[ABOVE]} rate themselves "
        f"higher, {counts[BELOW]} lower and {counts[ALIKE]} alike"
    )


def _marks(
    programme: Programme, instrument: Instrument, table: pd.DataFrame, splits: list[_Split], headline: str,
    confidence: float,
) -> pd.DataFrame:  # fmt: skip
    """A dot a domain and kind of rater, domain by domain; the weighed mean last."""
    labels = instrument.domain_labels
    order = [OVERALL, *(domain.key for domain in instrument.domains)]
    drawn = [
        (labels[key], split, row)
        for key in order
        for split in splits
        if key in labels
        for row in _rows(table, split, labels[key])
    ]
    drawn += [("Weighed by importance", split, row) for split in splits for row in _rows(table, split, WEIGHED)]
    several = len(splits) > 1
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": split.rater, "y": table["estimate"][row], "low": table["low"][row],
         "high": table["high"][row], "n": min(table["n"][row], table["raters"][row]), "row": row,
         "x": f"{label}: {words.raters(split.rater)}" if several else label}
        for label, split, row in drawn
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 0.0, "label": "rated alike"})
    beside_whom = "" if several else f", beside {words.raters(splits[0].rater)}"
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Leaders' own rating less others'{beside_whom}, {instrument.name}, {programme.title}",
        x_axis=f"points, own less others', with {confidence:.0%} intervals",
    )


def _cautions(
    instrument: Instrument, weights: Instrument | None, table: pd.DataFrame, splits: list[_Split]
) -> Iterator[Sentence]:
    yield Sentence("Others see only part of what a leader does; neither rating is the true one.")
    yield Sentence("The leaders rated by others are those for whom somebody answered, not all of them.")
    yield Sentence(f"{words.counted(len(instrument.domains), 'domain')} side by side: some gaps look wide by chance. "
                   "None is tested.")  # fmt: skip
    if weights is not None:
        yield from _of_weights(weights, table, splits)
    if instrument.scale.evaluator_defined:
        yield Sentence(
            f"The {instrument.name} has no scale of its own: this one is the evaluator's, and not validated."
        )


def _of_weights(weights: Instrument, table: pd.DataFrame, splits: list[_Split]) -> Iterator[Sentence]:
    """Whose weights they are, what they are worth, and whose are missing."""
    scale = weights.scale
    yield Sentence(f"Importance weighs by its number, {scale.low:g} to {scale.high:g}: at {scale.low:g} a domain still "
                   f"{'counts' if scale.low else 'counts for nothing'}.")  # fmt: skip
    for split in splits:
        held, who = split.weighed, words.raters(split.rater)
        if held is None:
            yield Sentence(f"Beside {who} nothing is weighed: no leader has every rating it needs.")
            continue
        rows = _rows(table, split, WEIGHED)
        if held.by != split.rater:
            yield Sentence(
                f"{words.sentence_case(who)} did not say what matters: leaders' own importance weighs.", rows
            )
        if held.missing:
            yield Sentence(
                f"Beside {who}, {words.of(held.of - held.n, held.of)} leaders are not weighed, for "
                f"{words.counted(held.missing, 'rating')} of importance are missing.",
                (*rows, *_rows(table, split, PLAIN)),
            )
