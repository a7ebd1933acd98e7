"""The answer to one question: a sentence, a table, a chart, what changed, and whether it was because of the programme.

A Result is frozen. Rooms make it through `Result.of`; `disclosure.protect` makes the copy an audience may see; the
report reads it back from its JSON, never from a kernel's HTML.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, html, spreadsheet, words
from evalkit.charts import Chart
from evalkit.errors import Refused
from evalkit.evidence import Evidence
from evalkit.terms import Attribution, Audience, Design, Level, Step, Verdict
from evalkit.verdict import Decision

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MIME = "application/vnd.evalkit.result+json"
FIRST = ("measure", "group", "estimate", "low", "high", "interval", "n", "unit")
"""The first eight columns of every table, in this order; documented extras follow."""
NO_DAY = date(2000, 1, 1)
"""The day in the properties of a workbook that speaks of no data: the same on every run."""
ALL = "all"
"""The group that holds everybody."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One generated sentence and the rows of the table its numbers come from, so that it can be withheld with them.

    `cells`: the columns of these rows that it prints and that may be withheld alone (see `disclosure.KEEPS`).
    """

    text: str
    rows: tuple[int, ...] = ()
    cells: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", words.without_why(self.text))


@dataclass(frozen=True, slots=True)
class Quote:
    """A story in its teller's words, used with consent, and why this one was chosen."""

    title: str
    text: str
    told_by: str
    why_chosen: str


@dataclass(frozen=True, slots=True)
class Method:
    """How the number was made: its name, where it is published, and what must be true for it to mean anything."""

    name: str
    source: str
    assumes: str
    design: Design


@dataclass(frozen=True, slots=True)
class About:
    """What the answer is about: enough to ask it again and get the same number."""

    programme: str
    asked: str
    as_of: date | None
    """The day the data speak of; None for a plan without data."""
    data_hash: str
    version: str
    n: int | None
    of: int | None
    counts: str
    """What `n` and `of` count: people, teams, months, stories, scores."""
    minimum_group: int
    fictional: bool
    beneficiary: str = ""
    """patients, citizens, staff or taxpayers, when the question is about one of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A frozen answer. Its parts: question, reading, verdict, attribution, table, marks, chart, method, evidence."""

    question: str
    level: Level
    kirkpatrick: Step | None
    decided: Decision
    attribution: Attribution
    chart: Chart
    method: Method
    evidence: Evidence
    about: About
    audience: Audience
    details: object | None
    _headline: Sentence
    _sentences: tuple[Sentence, ...]
    _cautions: tuple[Sentence, ...]
    _table: pd.DataFrame
    _marks: pd.DataFrame
    quotes: tuple[Quote, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        question: str,
        level: Level,
        kirkpatrick: Step | None,
        headline: Sentence,
        sentences: Iterable[Sentence],
        decided: Decision,
        attribution: Attribution,
        table: pd.DataFrame,
        marks: pd.DataFrame,
        chart: Chart,
        method: Method,
        evidence: Evidence,
        cautions: Iterable[Sentence],
        about: About,
        details: object | None = None,
        quotes: Iterable[Quote] = (),
    ) -> Result:
        """Build the evaluator's copy. Refuses a table whose first eight columns are not the contract's."""
        if tuple(table.columns[: len(FIRST)]) != FIRST:
            raise ValueError(f"A Result's table begins {', '.join(FIRST)}; this one begins {', '.join(table.columns)}.")
        if method.design is not evidence.design:
            raise ValueError(
                f"The method says {method.design}, the evidence says {evidence.design}: one design a result."
            )
        said = (*cautions,)
        sentences = tuple(sentences)
        asked = table["ask"].dropna().astype(str) if "ask" in table else ()
        texts = [*(sentence.text for sentence in (headline, *sentences, *said)), *asked]
        said += _names_cut(texts, chart.describe(marks))
        return cls(
            question, level, kirkpatrick, decided, attribution, chart, method, evidence, about, Audience.EVALUATOR,
            details, headline, sentences, said, table.reset_index(drop=True), marks.copy(deep=False),
            tuple(quotes),
        )  # fmt: skip

    @property
    def verdict(self) -> Verdict:
        """What changed."""
        return self.decided.verdict

    @property
    def reading(self) -> str:
        """One to three plain sentences with the number, its interval and its n of N."""
        return " ".join(sentence.text for sentence in self._sentences)

    @property
    def headline(self) -> str:
        """The finding in a few words, for the first screen and over the chart."""
        return self._headline.text

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the answer does not show, the main doubt first."""
        return tuple(caution.text for caution in self._cautions)

    @property
    def table(self) -> pd.DataFrame:
        """measure, group, estimate, low, high, interval, n, unit; then documented extras. A copy."""
        return self._table.copy(deep=False)

    @property
    def marks(self) -> pd.DataFrame:
        """Everything the chart draws. A copy."""
        return self._marks.copy(deep=False)

    @property
    def parts(self) -> tuple[Sentence, tuple[Sentence, ...], tuple[Sentence, ...]]:
        """Headline, sentences and cautions with the table rows they rest on: what disclosure and the ledger read."""
        return self._headline, self._sentences, self._cautions

    @property
    def alt(self) -> str:
        """The chart in words, made from the marks. The programme's own name may say what it likes."""
        said = self.chart.describe(self._drawn())
        return self.about.programme.join(map(words.without_why, said.split(self.about.programme)))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the marks; returns the axes. Recomputes nothing."""
        from evalkit.charts import style

        if ax is None:
            _, ax = style.figure()
        self.chart.draw(self._drawn(), ax)
        return ax

    def _drawn(self) -> pd.DataFrame:
        """The marks, their subtitle saying so when the data are invented."""
        drawn, invented = self.marks, "FICTIONAL"
        silent = (drawn["mark"] == "subtitle") & ~drawn["label"].astype(str).str.contains(invented)
        if self.about.fictional:
            drawn["label"] = drawn["label"].mask(silent, f"{invented}: " + drawn["label"].astype(str))
        return drawn

    def svg(self) -> str:
        """The chart as SVG text."""
        from matplotlib.figure import Figure

        from evalkit.charts import style

        drawing = self.plot().get_figure()
        assert isinstance(drawing, Figure)
        return style.svg(drawing)

    def copy_for(
        self,
        audience: Audience,
        *,
        headline: Sentence,
        sentences: tuple[Sentence, ...],
        cautions: tuple[Sentence, ...],
        decided: Decision,
        table: pd.DataFrame,
        marks: pd.DataFrame,
    ) -> Result:
        """The copy an audience may see. Only `disclosure.protect` calls this; the fitted model stays behind."""
        return replace(
            self, audience=audience, details=None, decided=decided, _headline=headline, _sentences=sentences,
            _cautions=cautions, _table=table, _marks=marks,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Everything but the fitted model, as plain values."""
        return {
            "question": self.question,
            "level": self.level.value,
            "kirkpatrick": self.kirkpatrick.value if self.kirkpatrick else None,
            "decided": {name: _plain(value) for name, value in asdict(self.decided).items()},
            "attribution": self.attribution.value,
            "chart": self.chart.name,
            "method": asdict(self.method),
            "evidence": asdict(self.evidence),
            "about": {name: _plain(value) for name, value in asdict(self.about).items()},
            "audience": self.audience.value,
            "headline": asdict(self._headline),
            "sentences": [asdict(sentence) for sentence in self._sentences],
            "cautions": [asdict(caution) for caution in self._cautions],
            "table": _frame_out(self._table),
            "marks": _frame_out(self._marks),
            "quotes": [asdict(quote) for quote in self.quotes],
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Result:
        """The Result again, without its fitted model."""
        method, graded, about = plain["method"], plain["evidence"], plain["about"]
        return cls(
            question=plain["question"],
            level=Level(plain["level"]),
            kirkpatrick=Step(plain["kirkpatrick"]) if plain["kirkpatrick"] else None,
            decided=_decision(plain["decided"]),
            attribution=Attribution(plain["attribution"]),
            chart=charts.named(plain["chart"]),
            method=Method(**{**method, "design": Design(method["design"])}),
            evidence=Evidence(
                Design(graded["design"]), graded["rule"], graded["maryland"], graded["nesta"],
                tuple(graded["informants"]), tuple(graded["rivals"]),
            ),
            about=About(**{**about, "as_of": about["as_of"] and date.fromisoformat(about["as_of"])}),
            audience=Audience(plain["audience"]),
            details=None,
            _headline=_sentence(plain["headline"]),
            _sentences=tuple(map(_sentence, plain["sentences"])),
            _cautions=tuple(map(_sentence, plain["cautions"])),
            _table=_frame_in(plain["table"]),
            _marks=_frame_in(plain["marks"]),
            quotes=tuple(Quote(**quote) for quote in plain["quotes"]),
        )  # fmt: skip

    def save(self, path: str | Path) -> Path:
        """Write the numbers (.csv; .xlsx with the sentence and its doubts beside them) or the chart (.svg, .png).

        Returns where. No text in any of them can run as a formula.
        """
        target = Path(path)
        match target.suffix:
            case ".csv":
                target.write_text(spreadsheet.plain_csv(self._table), encoding="utf-8-sig", newline="")
            case ".xlsx":
                target.write_bytes(self._workbook())
            case ".svg":
                target.write_text(self.svg(), encoding="utf-8", newline="\n")
            case ".png":
                self.plot().get_figure().savefig(target, dpi=300)  # type: ignore[union-attr]
            case other:
                raise Refused(
                    f"A Result is saved as .csv, .xlsx, .svg or .png, not {other or 'a file without an ending'}."
                )
        return target

    def _workbook(self) -> bytes:
        """Two sheets: what was answered, in words; and the numbers."""
        about, method = self.about, self.method
        said = {
            "Question": self.question,
            "Answer": self.reading,
            "What changed?": f"{self.verdict.value}. {self.decided.why}",
            "Because of it?": self.attribution.value,
            "What could make this wrong": "\n".join(self.caveats),
            "Method": method.name,
            "Assumes": method.assumes,
            "Source": method.source,
            "How sure": self.evidence.words,
            "Programme": about.programme,
            "FICTIONAL": "Every person, place and number here is invented." if about.fictional else "",
            "Data to": words.day(about.as_of) if about.as_of else "",
            "For": self.audience.value,
            "Asked as": about.asked,
            "Data fingerprint": about.data_hash,
        }
        answer = pd.DataFrame([(what, text) for what, text in said.items() if text], columns=["What", "Words"])
        sheets = {"Answer": answer, "Numbers (FICTIONAL)" if about.fictional else "Numbers": self._table}
        return spreadsheet.workbook(sheets, said_on=about.as_of or NO_DAY, title=self.question)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/plain": self.reading, "text/html": html.result(self), MIME: self.to_json()}


def _names_cut(said: Iterable[str], described: str) -> tuple[Sentence, ...]:
    """What a reader is told where a word of cause was left out of a name that somebody typed."""
    cut = any(words.LEFT_OUT in text for text in said) or words.without_why(described) != described
    return (Sentence(words.LEFT_OUT_RULE),) if cut else ()


def _sentence(plain: Mapping[str, Any]) -> Sentence:
    return Sentence(plain["text"], tuple(plain["rows"]), tuple(plain.get("cells", ())))


def _decision(plain: Mapping[str, Any]) -> Decision:
    low, high = (math.nan if plain[end] is None else plain[end] for end in ("low", "high"))
    return Decision(Verdict(plain["verdict"]), plain["step"], plain["why"], low, high, plain["confidence"])


def _plain(value: Any) -> Any:
    """One value as JSON has it: null for missing, ISO for a date."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.isoformat() if isinstance(value, date) else value


def _frame_out(frame: pd.DataFrame) -> dict[str, Any]:
    """Columns, their types, and rows with null for missing."""
    rows = frame.astype(object).to_numpy().tolist()
    return {
        "types": {name: str(kind) for name, kind in frame.dtypes.items()},
        "rows": [[_plain(value) for value in row] for row in rows],
    }


def _frame_in(plain: Mapping[str, Any]) -> pd.DataFrame:
    """The frame again, each column in the type it had."""
    frame = pd.DataFrame(plain["rows"], columns=list(plain["types"]), dtype=object)
    return frame.astype(dict(plain["types"]))
