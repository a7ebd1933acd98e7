"""What do people tell us? Stories as they were coded by readers, beside the numbers and not instead of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.result import ALL, Method, Quote, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

METHOD = Method(
    name="Stories counted by theme, as read by coders working apart",
    source="Thematic coding of stories collected as for Most Significant Change (Davies and Dart 2005).",
    assumes="Nothing about people who told no story: tellers chose themselves or were chosen.",
    design=Design.DESCRIBED,
)
MOST_TOLD = 2
"""This many of the most told themes are heard in a story, and one story that went badly: voices, few enough to read."""
WENT_BADLY = "went_badly"
"""The domain kept for what did not go well: collecting by success alone would never hear it (Davies and Dart 2005)."""


def themes(programme: Programme) -> Result:
    """What do people tell us?

    Needs: `stories` and `codes`; `coders` tells who read what, also those who found nothing. A theme is counted when
    any coder found it; `by_every_reader` counts those in which everybody who read the story did. Stories are collected
    because something happened, so how often a theme is told is not how often it occurs. Stories without consent are
    neither counted nor quoted. Errors: `NotEnoughEvidence` without coded stories.

    >>> import evalkit as ek
    >>> themes(ek.load("sample_data/northmere")).about.counts
    'stories'
    """
    stories = programme.stories
    told = stories[stories["consent"] != "none"].set_index("story_id")
    codes = programme.codes[programme.codes["source_id"].isin(told.index)]
    if codes.empty:
        raise NotEnoughEvidence(
            "What do people tell us?",
            missing=f"{words.counted(len(told), 'story', 'stories').capitalize()} may be used; none is coded.",
            would_answer="codes.csv: one row a story, coder and code, from two people reading apart.",
        )
    table = _table(told, codes, _readers(programme, codes))
    top = table.iloc[0]
    headline = Sentence(f"Told most often: {top['measure']}, in {words.of(top['n'], len(told))} stories", rows=(0,))
    return Result.of(
        question="What do people tell us?",
        level=Level.STORY,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(table, len(told), len(stories) - len(told)),
        decided=described("Stories are told once; nothing is compared with a time before."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(programme, table, len(told), headline.text),
        chart=charts.named("bars"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED, said=True),
        cautions=_cautions(codes),
        about=circumstances.about(programme, "stories.themes()", n=len(told), of=len(stories), counts="stories"),
        quotes=_quotes(told, codes, table),
    )


def _readers(programme: Programme, codes: pd.DataFrame) -> pd.Series[int]:
    """How many coders read each story, those who found nothing included."""
    read = pd.concat([programme.coders[["source_id", "coder"]], codes[["source_id", "coder"]]]).drop_duplicates()
    return read.groupby("source_id")["coder"].nunique()


def _table(told: pd.DataFrame, codes: pd.DataFrame, readers: pd.Series[int]) -> pd.DataFrame:
    """A row a theme, most told first. Extras: n_of, by_every_reader."""
    found = codes.groupby(["code", "source_id"])["coder"].nunique().reset_index(name="finders")
    found["every"] = found["finders"] == found["source_id"].map(readers)
    counted = found.groupby("code").agg(n=("source_id", "size"), by_every_reader=("every", "sum")).reset_index()
    counted = counted.sort_values(["n", "code"], ascending=[False, True], kind="stable")
    return pd.DataFrame(
        {
            "measure": counted["code"].map(words.plain).map(words.sentence_case),
            "group": ALL,
            "estimate": 100 * counted["n"] / len(told),
            "low": float("nan"),
            "high": float("nan"),
            "interval": "none given",
            "n": counted["n"].astype("Int64"),
            "unit": "% of stories",
            "n_of": "stories",
            "by_every_reader": counted["by_every_reader"].astype("Int64"),
        }
    ).reset_index(drop=True)


def _sentences(table: pd.DataFrame, told: int, without: int) -> list[Sentence]:
    most = [f"{row['measure'].lower()} ({row['n']})" for row in table.head(3).to_dict("records")]
    fewest = table.iloc[-1]
    said = [
        Sentence(
            f"In {words.counted(told, 'story', 'stories')} the themes found most often were {words.listed(most)}.",
            rows=tuple(range(len(most))),
        ),
        Sentence(f"Found least often: {fewest['measure'].lower()} ({fewest['n']}).", rows=(len(table) - 1,)),
    ]
    if without:
        said.append(Sentence(f"{words.counted(without, 'story', 'stories')} came without consent and were left out."))
    return said


def _marks(programme: Programme, table: pd.DataFrame, told: int, headline: str) -> pd.DataFrame:
    rows = [
        {"mark": "bar", "x": row["measure"], "y": row["n"], "row": place, "label": words.of(row["n"], told)}
        for place, row in enumerate(table.to_dict("records"))
    ]
    return charts.marks(
        rows, headline=headline, subtitle=f"Stories in which any reader found the theme, {programme.title}"
    )


def _quotes(told: pd.DataFrame, codes: pd.DataFrame, table: pd.DataFrame) -> list[Quote]:
    """By a printed rule: the earliest story of each of the most told themes, and the earliest that went badly."""
    usable = told[told["consent"] == "use"].sort_values("collected_on", kind="stable")
    themes = codes["code"].map(words.plain).map(words.sentence_case)
    chosen: dict[str, Quote] = {}
    for theme in table["measure"].head(MOST_TOLD):
        of_theme = usable.index.isin(codes.loc[themes == theme, "source_id"])
        _choose(chosen, usable[of_theme], f"the earliest story on “{theme.lower()}”")
    _choose(chosen, usable[usable["domain"] == WENT_BADLY], "the earliest story of something that did not go well")
    return list(chosen.values())


def _choose(chosen: dict[str, Quote], stories: pd.DataFrame, why: str) -> None:
    """The first of these stories not chosen yet, with the reason."""
    for story_id, story in stories[~stories.index.isin(chosen)].head(1).iterrows():
        told_by = words.plain(story["teller_role"] or "")
        reason = f"Chosen because it is {why} whose teller agreed to its use."
        chosen[str(story_id)] = Quote(story["title"] or "", story["text"], told_by, reason)


def _cautions(codes: pd.DataFrame) -> list[Sentence]:
    said = ["Stories are gathered because something happened: they show what is possible, not how often it occurs."]
    if codes["coder"].nunique() < 2:
        said.append("One person read the stories; nobody checked the reading.")
    return [Sentence(text) for text in said]
