"""Scores of places that came as scores: averages somebody published, or what people agreed together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.team.deciding import decision
from evalkit.team.profile import QUESTION, marks
from evalkit.team.scored import named, over_subjects
from evalkit.terms import Design, Level, Step
from evalkit.verdict import Decision, described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme
    from evalkit.stats.change import PairedChange

MOST_TOLD = 3
"""More places than these are not told one by one."""


@dataclass(frozen=True, slots=True)
class Basis:
    """How scores came about: the words of each kind."""

    method: str
    source: str
    assumes: str
    untested: str
    were: str
    cautions: tuple[str, ...]


KNOWN = Basis(
    method="Means of places that came with numbers of people and spread, and their change with the paired t of places",
    source="the table named in the programme's `source`; t on K − 1 degrees of freedom, Student 1908: methods page",
    assumes="Places are independent of each other; those who answered speak for their place.",
    untested="Fewer than five places were scored at two dates or more.",
    were="came as means of people's answers",
    cautions=(
        "We cannot tell whether the same people answered.",
        "A self-assessed score can go down because people came to see more clearly.",
    ),
)
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
    """The scores of places on one instrument, none of them worked out here: no interval, no test, no rate a year.

    One kind may be tested, over places: means of people's answers that came with their numbers and spread.
    """

    programme: Programme
    instrument: Instrument
    scores: pd.DataFrame
    confidence: float = 0.95

    @property
    def basis(self) -> Basis:
        """Agreed where every score was; known where each averages people and says how many and how spread."""
        if (self.scores["basis"] == "consensus").all():
            return AGREED
        people = (self.scores["basis"] == "individuals") & self.scores["n"].notna() & self.scores["sd"].notna()
        return KNOWN if people.all() else PUBLISHED

    def answer(self) -> Result:
        """The scores at their dates: described, or decided over places where these are known well enough."""
        table = self._table()
        dates = sorted(table["measured_on"].unique())
        changes = self._changes()
        if changes:
            table = pd.concat([table, self._changed(changes)], ignore_index=True)
        design = Design.BEFORE_AFTER if changes else Design.DESCRIBED
        rivals = circumstances.rivals(self.programme) if changes else ()
        evidence = grade(design, informants=("people in the place",), rivals=rivals)
        decided = self._decided(changes)
        headline = _moved(table) if changes else _headline(table, dates)
        shown = table[table["what"] == "mean"]
        return Result.of(
            question=QUESTION,
            level=Level.TEAM,
            kirkpatrick=Step.BEHAVIOUR,
            headline=headline,
            sentences=[self._asked(dates, changes), *(_changes_said(table) if changes else _places(shown))],
            decided=decided,
            attribution=attribution(evidence, decided.verdict),
            table=table,
            marks=marks(self.programme, self.instrument, self._drawn(table, changes), headline.text),
            chart=charts.named("profile"),
            method=Method(self.basis.method, self.basis.source, self.basis.assumes, design),
            evidence=evidence,
            cautions=[Sentence(caution) for caution in self.basis.cautions],
            about=circumstances.about(
                self.programme,
                f"team.maturity(on={self.instrument.id!r})",
                n=len(self.scores),
                of=None,
                counts="scores",
            ),
            details=changes or None,
        )

    def _changes(self) -> dict[str, PairedChange]:
        """Each domain's change over places from their first date to their last: only for means known well enough."""
        if self.basis is not KNOWN:
            return {}
        held = self.scores.assign(measured_on=self._dated()).sort_values("measured_on")
        held = held[held["organisation_id"].isna() & held["level"].isna()]
        ends = held.groupby(["domain", "subject_id"])["mean"].agg(["first", "last", "size"])
        means = ends.loc[ends["size"] > 1, ["first", "last"]].set_axis([0, 1], axis="columns")
        return over_subjects(means, (0, 1), self.confidence)

    def _decided(self, changes: dict[str, PairedChange]) -> Decision:
        if not changes:
            return described(self.basis.untested)
        return decision(self.programme, self.instrument, changes, self._dated().max())

    def _table(self) -> pd.DataFrame:
        """A row a place (and view), domain and date, in the tool's order. Extras: n_of, measured_on, aspect, what,
        places, tells."""
        order = {domain.key: place for place, domain in enumerate(self.instrument.domains)}
        aspects = {domain.key: domain.aspect for domain in self.instrument.domains}
        held = self.scores.assign(order=self.scores["domain"].map(order), measured_on=self._dated(), view=self._views())
        held = held.sort_values(["view", "order", "measured_on"])
        return pd.DataFrame(
            {
                "measure": held["domain"].map(self.instrument.domain_labels),
                "group": held["view"],
                "estimate": held["mean"],
                "low": float("nan"),
                "high": float("nan"),
                "interval": "none given",
                "n": held["n"].astype("Int64"),
                "unit": self._unit,
                "n_of": "respondents",
                "measured_on": held["measured_on"],
                "aspect": held["domain"].map(aspects),
                "what": "mean",
                "places": 1,
                TELLS: self._tells(held),
            }
        ).reset_index(drop=True)

    def _tells(self, held: pd.DataFrame) -> pd.Series[Any]:
        """Of each view how few people it would tell: those of its place who are in no view that is shown.

        The smallest view of an organisation (or level) is kept back, until none is told by the place less its views.
        """
        told: dict[Any, int] = {}
        minimum = self.programme.minimum_group
        for _, rows in held.groupby(["subject_kind", "subject_id", "domain", "measured_on"]):
            whole = rows[rows["organisation_id"].isna() & rows["level"].isna()]["n"]
            for kind in ("organisation_id", "level") if whole.notna().any() else ():
                view = rows[rows[kind].notna() & (rows["n"] >= minimum).fillna(False)].sort_values("n", kind="stable")
                rest = int(whole.max()) - int(view["n"].sum())
                for at, n in view["n"].items():
                    if not 0 < rest < minimum:
                        break
                    told[at], rest = rest, rest + int(n)
        return pd.Series(pd.array([told.get(at) for at in held.index], dtype="Int64"), index=held.index)

    def _changed(self, changes: dict[str, PairedChange]) -> pd.DataFrame:
        """A row a domain that could be tested over places."""
        aspects = {domain.key: domain.aspect for domain in self.instrument.domains}
        rows = [
            {"measure": self.instrument.domain_labels[key], "group": ALL, "estimate": moved.estimate, "low": moved.low,
             "high": moved.high, "interval": f"{self.confidence:.0%} confidence", "n": moved.n, "unit": self._unit,
             "n_of": "places", "measured_on": pd.NaT, "aspect": aspects[key], "what": "change", "places": moved.n,
             TELLS: None}
            for key, moved in changes.items()
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=self._table().columns).astype({"n": "Int64", "places": int, TELLS: "Int64"})

    def _drawn(self, table: pd.DataFrame, changes: dict[str, PairedChange]) -> pd.DataFrame:
        """What is drawn: every score; where there are many places, the mean of places at each date."""
        shown = table[table["what"] == "mean"]
        if not changes:
            return shown
        by = ["measure", "measured_on"]
        over = shown.groupby(by, sort=False, as_index=False).agg(estimate=("estimate", "mean"), n=("n", "sum"),
                                                                  aspect=("aspect", "first"))  # fmt: skip
        rows = table[table["what"] == "change"].reset_index().set_index("measure")["index"]
        return over.assign(group=ALL).set_index(over["measure"].map(rows).astype(int).to_numpy())

    @property
    def _unit(self) -> str:
        return f"points on a scale of {self.instrument.scale.low:g} to {self.instrument.scale.high:g}"

    def _views(self) -> list[str]:
        """What each score is of, by name: the place, and whose view of it where it is one organisation's or level's."""
        called = {kind: named(self.programme, kind) for kind in self.scores["subject_kind"].unique()}
        bodies = named(self.programme, "organisation")
        return [
            ", ".join([called[kind].get(of, of), *(bodies.get(view, view) for view in views if pd.notna(view))])
            for kind, of, *views in self.scores[["subject_kind", "subject_id", "organisation_id", "level"]]
            .astype(object)
            .to_numpy()
        ]

    def _dated(self) -> pd.Series[pd.Timestamp]:
        """The day of each score: its own, or the close of its wave."""
        closes = dict(zip(self.programme.waves["wave"], self.programme.waves["closes_on"], strict=True))
        closed = pd.Series([closes.get(wave) for wave in self.scores["wave"]], index=self.scores.index, dtype=object)
        dated = self.scores["measured_on"].fillna(pd.to_datetime(closed))
        undated = int(dated.isna().sum())
        if undated:
            raise NotEnoughEvidence(
                QUESTION,
                missing=f"{words.counted(undated, 'score')} on the {self.instrument.name} "
                f"{'has' if undated == 1 else 'have'} no date.",
                would_answer="measured_on, or a wave whose close is in waves.csv, for each row of scores.csv.",
            )
        return dated

    def _asked(self, dates: list[pd.Timestamp], changes: dict[str, PairedChange]) -> Sentence:
        months = [12 * (later.year - first.year) + later.month - first.month for first, later in pairwise(dates)]
        apart = f", {words.listed([words.counted(gap, 'month') for gap in months])} apart" if months else ""
        without = ", without numbers of people" if self.scores["n"].isna().all() and self.basis is PUBLISHED else ""
        when = words.listed([words.month(date) for date in dates])
        tested = "tested over places" if changes else "described here, not tested"
        return Sentence(f"{self.instrument.name} scores {self.basis.were} for {when}{apart}{without}: {tested}.")


def _moved(table: pd.DataFrame) -> Sentence:
    """How many domains changed over places, and by how much where there is one."""
    rows = table[table["what"] == "change"]
    row = rows.iloc[0]
    if len(rows) == 1:
        said = f"{row['measure']}: {words.higher(row['estimate'])} ({words.span(row['low'], row['high'])})"
        return Sentence(f"{said}, over {row['places']} places", rows=tuple(rows.index))
    up, down = (rows["low"] > 0).sum(), (rows["high"] < 0).sum()
    return Sentence(f"{len(rows)} domains over places: intervals above no change {up}, below it {down}",
                    rows=tuple(rows.index))  # fmt: skip


def _changes_said(table: pd.DataFrame) -> list[Sentence]:
    """Each domain's change with its interval."""
    rows = table[table["what"] == "change"]
    told = [
        f"{row['measure']} {words.number(row['estimate'])} ({words.span(row['low'], row['high'])})"
        for row in rows.to_dict("records")
    ]
    many = words.counted(int(rows["places"].max()), "place")
    return [Sentence(f"Mean change over {many}, first date to last: {words.listed(told)}.", rows=tuple(rows.index))]


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
    """Each place, alphabetically: no place is ranked. Of more than three only how far they lie apart is said."""
    if table["group"].nunique() > MOST_TOLD:
        return [Sentence(f"{table['group'].nunique()} places and views of them are in the table, by the alphabet.")]
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
