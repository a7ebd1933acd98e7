"""What do people tell us? Stories and interviews as readers coded them, beside the numbers and not instead of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import charts, circumstances, questions, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.result import ALL, Method, Quote, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

METHOD = Method(
    name="Stories and excerpts counted by theme, as read by coders working apart",
    source="Thematic coding; stories collected as for Most Significant Change (Davies and Dart 2005).",
    assumes="Nothing about people who were not heard: those who were chose themselves or were chosen.",
    design=Design.DESCRIBED,
)
KINDS = {"stories": ("story", "stories"), "excerpts": ("excerpt", "excerpts")}
"""The tables that hold what people said, and what one row and many of them are called."""
MOST_TOLD = 2
"""This many of the most told themes are heard in a story, and one story that went badly: voices, few enough to read."""
WENT_BADLY = "went_badly"
"""The domain kept for what did not go well: collecting by success alone would never hear it (Davies and Dart 2005)."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What may be used, a row a story or excerpt; how many came without consent; and what to call them."""

    programme: Programme
    usable: pd.DataFrame
    without: int
    kinds: tuple[str, ...]

    @property
    def n_of(self) -> str:
        """What a row of the table counts."""
        return self.kinds[0]

    @property
    def many(self) -> str:
        """What they are called together."""
        return words.listed(list(self.kinds))

    def counted(self, number: int) -> str:
        """So many of them."""
        return words.counted(number, " or ".join(KINDS[kind][0] for kind in self.kinds), self.many)


def themes(programme: Programme) -> Result:
    """What do people tell us?

    Needs: `stories` or `excerpts`, and `codes`; `coders` tells who read what, also those who found nothing. A theme is
    counted when any coder found it; `by_every_reader` counts those in which everybody who read it did. Stories are
    collected because something happened and excerpts picked because they say something, so how often a theme is told is
    not how often it occurs. What came without consent is neither counted nor quoted. Errors: `NotEnoughEvidence`
    without anything coded.

    >>> import evalkit as ek
    >>> themes(ek.load("sample_data/northmere")).about.counts
    'stories'
    """
    told = _told(programme)
    codes = programme.codes[programme.codes["source_id"].isin(told.usable.index)]
    if codes.empty:
        raise NotEnoughEvidence(
            "What do people tell us?",
            missing=f"{words.sentence_case(told.counted(len(told.usable)))} may be used; none is coded.",
            would_answer="codes.csv: one row a story (or excerpt), coder and code, from two people reading apart.",
        )
    table = _table(told, codes, _readers(programme, codes))
    top = table.iloc[0]
    headline = Sentence(
        f"Told most often: {top['measure']}, in {words.of(top['n'], len(told.usable))} {told.many}", rows=(0,)
    )
    return Result.of(
        question="What do people tell us?",
        level=Level.STORY,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(told, table),
        decided=described("People were heard once; nothing is compared with a time before."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(told, table, headline.text),
        chart=charts.named("bars"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED, said=True),
        cautions=_cautions(told, codes),
        about=circumstances.about(
            programme, "stories.themes()", n=len(told.usable), of=len(told.usable) + told.without, counts=told.n_of
        ),
        quotes=_quotes(told.usable, codes, table),
    )


def _told(programme: Programme) -> _Told:
    """Stories and excerpts side by side, with consent."""
    stories = programme.stories.rename(columns={"story_id": "source_id", "teller_role": "role"})
    excerpts = programme.excerpts.rename(columns={"excerpt_id": "source_id"})
    kept = ["source_id", "collected_on", "role", "domain", "title", "text", "consent"]
    words_only = dict.fromkeys(("domain", "title"), "str")  # a kind without them has them blank
    parts = [part.reindex(columns=kept).astype(words_only) for part in (stories, excerpts)]
    every = pd.concat(parts).set_index("source_id")
    kinds = tuple(kind for kind, held in (("stories", stories), ("excerpts", excerpts)) if len(held)) or ("stories",)
    usable = every[every["consent"] != "none"]
    return _Told(programme, usable, len(every) - len(usable), kinds)


def _readers(programme: Programme, codes: pd.DataFrame) -> pd.Series[int]:
    """How many coders read each story, those who found nothing included."""
    read = pd.concat([programme.coders[["source_id", "coder"]], codes[["source_id", "coder"]]]).drop_duplicates()
    return read.groupby("source_id")["coder"].nunique()


def _table(told: _Told, codes: pd.DataFrame, readers: pd.Series[int]) -> pd.DataFrame:
    """A row a theme, most told first. Extras: n_of, by_every_reader."""
    found = codes.groupby(["code", "source_id"])["coder"].nunique().reset_index(name="finders")
    found["every"] = found["finders"] == found["source_id"].map(readers)
    counted = found.groupby("code").agg(n=("source_id", "size"), by_every_reader=("every", "sum")).reset_index()
    counted = counted.sort_values(["n", "code"], ascending=[False, True], kind="stable")
    return pd.DataFrame(
        {
            "measure": counted["code"].map(words.plain).map(words.sentence_case),
            "group": ALL,
            "estimate": 100 * counted["n"] / len(told.usable),
            "low": float("nan"),
            "high": float("nan"),
            "interval": "none given",
            "n": counted["n"].astype("Int64"),
            "unit": f"% of {told.many}",
            "n_of": told.n_of,
            "by_every_reader": counted["by_every_reader"].astype("Int64"),
        }
    ).reset_index(drop=True)


def _sentences(told: _Told, table: pd.DataFrame) -> list[Sentence]:
    most = [f"{row['measure'].lower()} ({row['n']})" for row in table.head(3).to_dict("records")]
    fewest = table.iloc[-1]
    said = [
        Sentence(
            f"In {told.counted(len(told.usable))} the themes found most often were {words.listed(most)}.",
            rows=tuple(range(len(most))),
        ),
        Sentence(f"Found least often: {fewest['measure'].lower()} ({fewest['n']}).", rows=(len(table) - 1,)),
    ]
    if told.without:
        said.append(Sentence(f"{words.sentence_case(told.counted(told.without))} came without consent, left out here."))
    return said


def _marks(told: _Told, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    rows = [
        {"mark": "bar", "x": row["measure"], "y": row["n"], "row": place, "label": words.of(row["n"], len(told.usable))}
        for place, row in enumerate(table.to_dict("records"))
    ]
    found = f"{words.sentence_case(told.many)} in which any reader found the theme"
    return charts.marks(rows, headline=headline, subtitle=f"{found}, {told.programme.title}")


def _quotes(told: pd.DataFrame, codes: pd.DataFrame, table: pd.DataFrame) -> list[Quote]:
    """By a printed rule: the earliest story of each of the most told themes, and the earliest that went badly."""
    usable = told[told["consent"] == "use"].sort_values("collected_on", kind="stable")
    themes = codes["code"].map(words.plain).map(words.sentence_case)
    chosen: dict[str, Quote] = {}
    for theme in table["measure"].head(MOST_TOLD):
        of_theme = usable.index.isin(codes.loc[themes == theme, "source_id"])
        _choose(chosen, usable[of_theme], f"the earliest on “{theme.lower()}”")
    _choose(chosen, usable[usable["domain"] == WENT_BADLY], "the earliest about something that did not go well")
    return list(chosen.values())


def _choose(chosen: dict[str, Quote], stories: pd.DataFrame, why: str) -> None:
    """The first of these stories not chosen yet, with the reason."""
    for story_id, story in stories[~stories.index.isin(chosen)].head(1).iterrows():
        title, told_by = ("" if pd.isna(story[name]) else story[name] for name in ("title", "role"))
        reason = f"Chosen because it is {why} whose teller agreed to its use."
        chosen[str(story_id)] = Quote(title, story["text"], words.plain(told_by), reason)


def _cautions(told: _Told, codes: pd.DataFrame) -> list[Sentence]:
    why = {
        "stories": "Stories are told because something happened: they show what is possible, not how often it occurs.",
        "excerpts": "Excerpts were picked from what people said: they show what is thought, not how many think so.",
    }
    said = [why[kind] for kind in told.kinds]
    if codes["coder"].nunique() < 2:
        said.append("One person read them; nobody checked the reading.")
    return [Sentence(text) for text in said]


def __dir__() -> list[str]:
    """What can be asked here, and nothing else: what a notebook offers after the dot."""
    return sorted(questions.of_room(sys.modules[__name__]))
