"""Who stopped answering, and could it change the picture?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import assumed as changes
from evalkit.individual import leavers as who
from evalkit.individual import ratings
from evalkit.individual.compared import Compared, compared, known_domain, usual
from evalkit.result import ALL, FIRST, Method, Result, Sentence
from evalkit.stats.student import share
from evalkit.terms import Design, Level
from evalkit.verdict import HEADLINE, LEAST_PAIRS, LEVEL, described

if TYPE_CHECKING:
    from evalkit.individual.assumed import Assumed, Moved
    from evalkit.individual.leavers import Leavers
    from evalkit.programme import Programme
    from evalkit.stats.missing import TippingPoint

QUESTION = "Who stopped answering, and could it change the picture?"
PERMUTATIONS, SEED = 1_999, 20240401
"""How many relabellings of people are drawn where there are more than these, and from which seed."""
CHANGED, UNDONE = "change", "what would undo it"
"""Values of the column `what`, beside those of who stopped."""
TIPS = "How far those not rated at the end would have to fall short"
COLUMNS = (
    "n_of", "wave", "what", "by", "out_of", "mean_stayed", "mean_stopped", "stayed", "stopped", "standardised", TELLS,
)  # fmt: skip
SHORT = {
    changes.EVERY: "All ratings",
    changes.BOTH: "Rated both times alone",
    changes.LOWEST: "All who stopped at lowest",
    changes.HIGHEST: "All who stopped at highest",
}
"""The changes drawn, as the chart names them."""
COUNTED = {
    who.LEFT_PROGRAMME: "Of the {of} not rated at the end, {n} had left the programme.",
    who.NEW: "Of the {of} rated at the end, {n} had not been rated at the start.",
    who.NEVER: "Of the {of} who took part, {n} were never rated; nothing here speaks of them.",
}
"""What is said of each count, where there are any."""
METHOD = Method(
    name="Ratings counted wave by wave; those who stopped against the others in standardised differences and one joint "
    f"permutation of people (clear below {LEVEL}); the change from all ratings beside complete pairs, the worst and "
    f"best case, and the delta at which its {HEADLINE:.0%} interval reaches no change",
    source="Standardised differences: Austin 2009, Statistics in Medicine 28(25), 3083-3107; joint p: Phipson and "
    "Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39; all ratings: as in growth; every rating alike: Derrick, Russ, "
    "Toher and White 2017, J. Modern Applied Statistical Methods 16(1), 137-157; worst and best: Manski 1989, J. Human "
    "Resources 24(3), 343-360; delta: Yan, Lee and Li 2009, J. Biopharmaceutical Statistics 19(6), 1085-1098.",
    assumes="From all ratings: whether somebody stops depends on ratings given, not on those to come; the other "
    "changes show what hangs on that. People stop one by one: where whole teams stop together, differences look "
    "clearer than they are.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """Who stopped, what the change is under each assumption, and the table of both: what the sentences speak from."""

    asked: Compared
    domain: str
    held: Leavers
    found: Assumed
    table: pd.DataFrame
    confidence: float

    def row(self, measure: str) -> dict[str, Any] | None:
        """The row of this measure for everybody, with its place in the table as `row`; None where there is none."""
        held = self.table[(self.table["measure"] == measure) & (self.table["group"] == ALL)]
        if held.empty:
            return None
        return {str(name): value for name, value in held.iloc[0].items()} | {"row": int(held.index[0])}

    @property
    def again(self) -> tuple[int, ...]:
        """The row of those rated at the start and at the end: what every count of who stopped rests on."""
        found = self.row(who.AGAIN)
        assert found is not None
        return (found["row"],)

    def said(self, began: str = "", ended: str = "") -> str:
        """How many stopped, with when they began and ended; where so few that they would be told, how many did not."""
        held, start, end = self.held, f"rated at the start{began}", f"rated at the end{ended}"
        if not held.gone:
            if held.began == 1:
                return f"The only leader {start} was {end}"
            return f"All {held.began} leaders {start} were {end}"
        if held.gone < self.asked.programme.minimum_group:
            return f"{words.of(held.began - held.gone, held.began)} leaders {start} were {end}"
        return f"{words.of(held.gone, held.began)} leaders {start} were not {end}"


def attrition(
    programme: Programme,
    *,
    on: str | None = None,
    rater: str = "self",
    domain: str | None = None,
    between: tuple[int, int] | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = SEED,
    confidence: float = 0.95,
) -> Result:
    """Who stopped answering, and could it change the picture?

    Needs: `responses` about persons on the instrument `on`, at two waves or more, under the same id each time;
    `participants` for who took part, joined and left. Counts are of ratings on `domain` (as declared, else the whole).
    Those rated at the start and not at the end are set beside the others in their scores at the start (with `domain`,
    in that alone), seniority, profession and cohort; groups with too few on either side are put together. Alike in what
    is known is not alike in what is not: nobody can say what those who stopped would have answered.
    Columns: n_of; wave; what; by; out_of; mean_stayed, mean_stopped, stayed, stopped (means and people on either side);
    standardised (differences in standard deviations; of a change to be undone, the SDs of first scores); tells (fewer
    people than the minimum, whom the row would tell: it is withheld). `details` holds the joint permutation p.
    Errors: `NotEnoughEvidence` without two waves of linked ratings; ValueError for a domain or `between` there is not.

    >>> import evalkit as ek
    >>> attrition(ek.load("sample_data/northmere")).headline
    '38 of 142 leaders rated at the start were not rated at the end'
    """
    share(confidence)
    if permutations < 1 or seed < 0:
        raise ValueError(f"permutations={permutations} must be 1 or more, and seed={seed} nought or more.")
    on = usual(programme, on)
    asked = compared(programme, on, rater, between, QUESTION)
    key = known_domain(programme, asked.instrument, domain)
    ends = asked.answers(key)[[asked.first, asked.last]]
    if ends.dropna().empty:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Nobody was rated on {asked.instrument.domain_labels[key]} at both waves.",
            would_answer="asking about another domain, with domain=…, or the same people's answers to it at two waves.",
        )
    held = who.leavers(asked, key, domain is not None, permutations=permutations, seed=seed, confidence=confidence)
    found = changes.assumed(asked, key, confidence)
    picture = _Picture(asked, key, held, found, _table(held, found, confidence), confidence)
    evidence = grade(Design.DESCRIBED, informants=(rater,), rivals=circumstances.rivals(programme))
    decided = described("Counts who stopped; what they would have answered cannot be known.")
    headline = Sentence(picture.said(), picture.again)
    told: dict[str, Any] = {"on": on, "rater": rater, "domain": domain, "between": (asked.first, asked.last)}
    told |= {} if (permutations, seed) == (PERMUTATIONS, SEED) else {"permutations": permutations, "seed": seed}
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(picture),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=picture.table,
        marks=_marks(picture, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(picture),
        about=circumstances.about(
            programme,
            f"individual.attrition({', '.join(f'{name}={value!r}' for name, value in told.items() if value)})",
            n=held.began - held.gone,
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details={"leavers": held.compared, "changes": found},
    )


def _table(held: Leavers, found: Assumed, confidence: float) -> pd.DataFrame:
    """Wave by wave, who stopped and how they began; then the change by what it assumes, and what would undo it."""
    unit = ratings.points(held.asked.instrument)
    rows = who.rows(held, confidence)
    for name, moved in found.moved.items() if held.began - held.gone > 1 else ():  # one pair is one person's change
        rows.append(_moved(name, moved, unit, confidence, None if name == changes.EVERY else held.tells))
    tipping = found.tipping
    if tipping is not None and tipping.estimate is not None:
        least = min(tipping.n_missing, *(each for each in (held.gone, held.began - held.gone) if each))
        few = least if least < held.asked.programme.minimum_group else None
        rows.append(
            register.row(TIPS, ALL, n=tipping.n_missing, unit=unit, n_of="leaders", estimate=tipping.estimate,
                         what=UNDONE, mean_stayed=tipping.stayers_change, mean_stopped=tipping.leavers_change_there,
                         standardised=tipping.in_sd, **{TELLS: few})
        )  # fmt: skip
    table = pd.DataFrame(rows).reindex(columns=[*FIRST, *COLUMNS])
    whole = dict.fromkeys(("n", "wave", "out_of", "stayed", "stopped", TELLS), "Int64")
    real = dict.fromkeys(("mean_stayed", "mean_stopped", "standardised"), float)
    return table.astype({**whole, **real, "by": object}).fillna({"by": ""})


def _moved(name: str, moved: Moved, unit: str, confidence: float, tells: int | None) -> dict[str, Any]:
    row = register.row(
        name, ALL, n=moved.n, unit=unit, n_of="leaders", estimate=moved.estimate, what=CHANGED, **{TELLS: tells}
    )
    if moved.low == moved.low:
        row |= {"low": moved.low, "high": moved.high, "interval": f"{confidence:.0%} confidence"}
    return row


def _sentences(picture: _Picture) -> list[Sentence]:
    asked = picture.asked
    when = (f" ({asked.when(end)})" for end in (asked.first, asked.last))
    text = f"{words.sentence_case(ratings.rated(asked.rater))}. {picture.said(*when)}."
    return [Sentence(text, picture.again), *_how_they_began(picture), *_changed(picture), *_undone(picture)]


def _how_they_began(picture: _Picture) -> list[Sentence]:
    """Where those who stopped had stood, and whether all that is known tells them apart."""
    held, label = picture.held, picture.asked.instrument.domain_labels[picture.domain]
    began = picture.row(f"{label}, at the start")
    if not held.gone or began is None:
        return []
    known = words.listed(held.known)
    apart = {
        True: f"Taken together, what is known of them ({known}) clearly sets them apart.",
        False: f"Taken together, what is known of them ({known}) does not clearly set them apart.",
        None: "They, or the others, are too few to say whether that sets them clearly apart.",
    }[held.differed]
    text = f"Those who stopped had begun {words.higher(began['estimate'])} than the others{_sure(picture, began)}."
    return [Sentence(f"{text} {apart}", (began["row"],))]


def _changed(picture: _Picture) -> list[Sentence]:
    """The change from all ratings, and of those rated both times alone where these are others."""
    every, both = picture.row(changes.EVERY), picture.row(changes.BOTH)
    if every is None:
        return []
    text = f"From all ratings the later mean is {words.higher(every['estimate'])}{_sure(picture, every)}."
    said = [Sentence(text, (every["row"],))]
    if both is None or picture.held.tells is not None:  # what everybody may see stands alone
        return said
    text += f" Of the {both['n']} rated both times alone it is {words.higher(both['estimate'])}{_sure(picture, both)}."
    return [Sentence(text, (every["row"], both["row"]))]


def _undone(picture: _Picture) -> list[Sentence]:
    """How far those not rated at the end would have to fall short before the change is no longer clear."""
    whole, tipping, every = picture.found.whole, picture.found.tipping, picture.row(changes.EVERY)
    tips = picture.row(TIPS)
    if whole is None or tipping is None or every is None:
        return []
    if tips is not None:
        return [Sentence(_tips(tipping), (tips["row"],))]
    low, high = whole.interval(HEADLINE)
    text = (
        f"The change from all ratings is not clear ({words.span(low, high)}, {HEADLINE:.0%} interval), so there is "
        "nothing for missing ratings to undo. They might have shown one."
    )
    return [Sentence(text, (every["row"],))]


def _tips(tipping: TippingPoint) -> str:
    rose, there = tipping.change.estimate > 0, tipping.leavers_change_there
    assert tipping.estimate is not None
    assert there is not None
    text = (
        f"The {'rise' if rose else 'fall'} would no longer be clear ({HEADLINE:.0%} interval) if the "
        f"{tipping.n_missing} not rated at the end had ended {words.number(tipping.estimate)} points "
        f"{'lower' if rose else 'higher'} than ratings given suggest"
    )
    if tipping.tips == "beyond the scale":
        return f"{text}: further than the scale goes."
    sd = "" if tipping.in_sd is None else f", {words.number(tipping.in_sd, 1)} standard deviations of first scores"
    return (
        f"{text}{sd}. They would then have changed by {words.number(there)}, where those rated at the end changed by "
        f"{words.number(tipping.stayers_change)}."
    )


def _sure(picture: _Picture, row: dict[str, Any]) -> str:
    """The interval of a row in brackets, nothing where it has none."""
    if pd.isna(row["low"]):
        return ""
    return f" ({words.span(row['low'], row['high'])}, {picture.confidence:.0%} interval)"


def _marks(picture: _Picture, headline: str) -> pd.DataFrame:
    asked, table = picture.asked, picture.table
    drawn = table[table["measure"].isin(SHORT)]
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": row["measure"], "x": SHORT[row["measure"]], "y": row["estimate"],
         "low": row["low"], "high": row["high"], "n": row["n"], "row": at}
        for at, row in drawn.to_dict("index").items()
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 0.0, "label": "no change"})
    with_interval = f", with {picture.confidence:.0%} confidence intervals" if drawn["low"].notna().any() else ""
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Change in {asked.instrument.name}, {ratings.rated(asked.rater)}, "
        f"{asked.when(asked.first)} to {asked.when(asked.last)}",
        x_axis=f"points, later minus earlier{with_interval}",
    )


def _cautions(picture: _Picture) -> list[Sentence]:
    """What nobody can know, what is the widest that is possible, who else is missing, and what was not compared."""
    held, found = picture.held, picture.found
    said = [
        Sentence("No method can know what those who stopped would have answered.")
        if held.gone
        else Sentence("That everybody answered again does not say that everybody answered as they thought.")
    ]
    lowest, highest = picture.row(changes.LOWEST), picture.row(changes.HIGHEST)
    if lowest is not None and highest is not None:
        text = (
            f"Had all {held.gone} ended at the lowest score the change would be {words.number(lowest['estimate'])}; "
            f"at the highest, {words.number(highest['estimate'])}."
        )
        said.append(Sentence(text, (lowest["row"], highest["row"])))
    for measure, text in COUNTED.items():
        row = picture.row(measure)
        if row is not None and row["n"]:
            said.append(Sentence(text.format(n=row["n"], of=row["out_of"]), (row["row"],)))
    if held.gone and held.too_few:
        text = f"Too few stopped, or stayed, in each group by {words.listed([*held.too_few])} to compare them."
        said.append(Sentence(text))
    few = ratings.few_teams(picture.asked.programme, picture.asked.answers(picture.domain).index)
    said += [Sentence(few)] if few else []
    return said + [Sentence(text, picture.again) for text in _of_the_change(held, found)]


def _of_the_change(held: Leavers, found: Assumed) -> Iterator[str]:
    """Why a change has no interval, or was not taken from every wave."""
    if held.began - held.gone < LEAST_PAIRS:
        yield f"Fewer than {LEAST_PAIRS} leaders were rated twice: no interval is given."
    elif found.whole is None:
        yield "All changed alike: no interval is given."
    elif held.gone and found.whole.basis != "all waves":
        yield f"Too few were rated at every wave to use them all: {found.whole.basis} were used."
