"""Scores of places that came as scores: averages somebody published, or what people agreed together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import Method, Result, Sentence
from evalkit.team.profile import QUESTION, marks
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme


@dataclass(frozen=True, slots=True)
class Basis:
    """How scores came about: the words of each kind."""

    method: str
    source: str
    assumes: str
    untested: str
    were: str
    cautions: tuple[str, ...]


AGREED = Basis(
    method="Scores agreed by people together, each at its date",
    source="the workshop or meeting in which they were agreed; instrument: see methods",
    assumes="Those in the room spoke for their place.",
    untested="One agreed score for each domain has no spread and cannot be tested.",
    were="were agreed",
    cautions=(
        "One agreed score hides where people differ, which is what the tool is for: ask each of them first.",
        "Who was in the room, and who spoke, shapes what is agreed.",
        "A self-assessed score can go down because people came to see more clearly.",
    ),
)
PUBLISHED = Basis(
    method="Published scores, each at its date",
    source="the table named in the programme's `source`; instrument: see methods",
    assumes="The published averages were worked out as the tool says; how many people they rest on is not known.",
    untested="Averages published without numbers of people and spread cannot be tested.",
    were="were published",
    cautions=(
        "We cannot tell whether the same people answered.",
        "How many people each average rests on, and how far they differed, was not published.",
        "A self-assessed score can go down because people came to see more clearly.",
    ),
)


@dataclass(frozen=True, slots=True)
class Given:
    """The scores of places on one instrument, none of them worked out here: no interval, no test, no rate a year."""

    programme: Programme
    instrument: Instrument
    scores: pd.DataFrame

    @property
    def basis(self) -> Basis:
        """Agreed where every score was; published averages otherwise."""
        return AGREED if (self.scores["basis"] == "consensus").all() else PUBLISHED

    def answer(self) -> Result:
        """The scores at their dates, described."""
        table = self._table()
        dates = sorted(table["measured_on"].unique())
        evidence = grade(Design.DESCRIBED, informants=("people in the place",))
        decided, headline = described(self.basis.untested), _headline(table, dates)
        return Result.of(
            question=QUESTION,
            level=Level.TEAM,
            kirkpatrick=Step.BEHAVIOUR,
            headline=headline,
            sentences=[self._asked(dates), *_places(table)],
            decided=decided,
            attribution=attribution(evidence, decided.verdict),
            table=table,
            marks=marks(self.programme, self.instrument, table, headline.text),
            chart=charts.named("profile"),
            method=Method(self.basis.method, self.basis.source, self.basis.assumes, Design.DESCRIBED),
            evidence=evidence,
            cautions=[Sentence(caution) for caution in self.basis.cautions],
            about=circumstances.about(
                self.programme,
                f"team.maturity(on={self.instrument.id!r})",
                n=len(self.scores),
                of=None,
                counts="scores",
            ),
        )

    def _table(self) -> pd.DataFrame:
        """A row a place, domain and date, in the tool's order. Extras: n_of, measured_on, aspect."""
        order = {domain.key: place for place, domain in enumerate(self.instrument.domains)}
        aspects = {domain.key: domain.aspect for domain in self.instrument.domains}
        names = self.programme.places.set_index("place_id")["name"]
        held = self.scores.assign(order=self.scores["domain"].map(order), measured_on=self._dated())
        held = held.sort_values(["subject_id", "order", "measured_on"])
        return pd.DataFrame(
            {
                "measure": held["domain"].map(self.instrument.domain_labels),
                "group": held["subject_id"].map(names).fillna(held["subject_id"]),
                "estimate": held["mean"],
                "low": float("nan"),
                "high": float("nan"),
                "interval": "none given",
                "n": held["n"].astype("Int64"),
                "unit": f"points on a scale of {self.instrument.scale.low:g} to {self.instrument.scale.high:g}",
                "n_of": "respondents",
                "measured_on": held["measured_on"],
                "aspect": held["domain"].map(aspects),
            }
        ).reset_index(drop=True)

    def _dated(self) -> pd.Series[pd.Timestamp]:
        """The day of each score: its own, or the close of its wave."""
        closes = self.programme.waves.set_index("wave")["closes_on"]
        dated = self.scores["measured_on"].fillna(self.scores["wave"].map(closes))
        undated = int(dated.isna().sum())
        if undated:
            raise NotEnoughEvidence(
                QUESTION,
                missing=f"{words.counted(undated, 'score')} on the {self.instrument.name} "
                f"{'has' if undated == 1 else 'have'} no date.",
                would_answer="measured_on, or a wave whose close is in waves.csv, for each row of scores.csv.",
            )
        return dated

    def _asked(self, dates: list[pd.Timestamp]) -> Sentence:
        months = [12 * (later.year - first.year) + later.month - first.month for first, later in pairwise(dates)]
        apart = f", {words.listed([words.counted(gap, 'month') for gap in months])} apart" if months else ""
        without = ", without numbers of people" if self.scores["n"].isna().all() and self.basis is PUBLISHED else ""
        when = words.listed([words.month(date) for date in dates])
        return Sentence(
            f"{self.instrument.name} scores {self.basis.were} for {when}{apart}{without}: described here, not tested."
        )


def _headline(table: pd.DataFrame, dates: list[pd.Timestamp]) -> Sentence:
    """The reach of the scores at the first date, and at the last where there are two."""
    places = _decimals(table)
    ends = [table[table["measured_on"] == when] for when in dict.fromkeys((dates[0], dates[-1]))]
    said = [
        f"from {words.number(rows['estimate'].min(), places)} to {words.number(rows['estimate'].max(), places)} in "
        f"{words.month(rows['measured_on'].iloc[0])}"
        for rows in ends
    ]
    return Sentence(f"Domain scores {', and '.join(said)}", rows=tuple(row for rows in ends for row in rows.index))


def _places(table: pd.DataFrame) -> list[Sentence]:
    """Each place, alphabetically: no place is ranked."""
    return [_place(str(place), rows, _decimals(table)) for place, rows in table.groupby("group")]


def _place(place: str, rows: pd.DataFrame, places: int) -> Sentence:
    """The domains that moved furthest up and down; at one date, the highest and the lowest."""
    ends = rows.groupby("measure", sort=False)["estimate"].agg(["first", "last"])
    if rows["measured_on"].nunique() == 1:
        score, words_of = ends["last"], "{domain} {last}"
    else:
        score, words_of = ends["last"] - ends["first"], "{domain} was {first} and then {last}"
    order = score.sort_values(kind="stable")
    paths = [
        words_of.format(
            domain=domain, **{end: words.number(ends.loc[domain, end], places) for end in ("first", "last")}
        )
        for domain in dict.fromkeys([order.index[-1], order.index[0]])
    ]
    what = "highest and lowest" if rows["measured_on"].nunique() == 1 else "first and last date"
    return Sentence(f"{place}, {what}: {words.listed(paths)}.", rows=tuple(rows.index))


def _decimals(table: pd.DataFrame) -> int:
    """Whole points stay whole where every score is one; published means keep their two decimals."""
    return 0 if (table["estimate"] == table["estimate"].round()).all() else 2
