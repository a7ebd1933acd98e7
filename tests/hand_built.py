"""Small Results made by hand, for tests of what arranges them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from evalkit import charts
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, About, Method, Quote, Result, Sentence
from evalkit.terms import Attribution, Design, Level, Step, Verdict
from evalkit.verdict import Decision

PROGRAMME = "Testmere leadership programme"


def about(asked: str, **said: Any) -> About:
    """What a hand-built answer is about."""
    given = {
        "programme": PROGRAMME, "asked": asked, "as_of": date(2026, 3, 31), "data_hash": "abc123", "version": "0",
        "n": 104, "of": 171, "counts": "leaders", "minimum_group": 5, "fictional": True,
    }  # fmt: skip
    return About(**{**given, **said})


def answer(
    asked: str = "individual.growth(on='system_leadership')",
    *,
    question: str = "Are people leading differently?",
    level: Level = Level.INDIVIDUAL,
    step: Step | None = Step.BEHAVIOUR,
    verdict: Verdict = Verdict.IMPROVED,
    why: str = "The whole 97% interval lies on the better side of no change.",
    headline: str = "0.41 higher on a scale to 5 (0.21 to 0.61), self-report",
    reading: str = "Leaders, of themselves: the mean was 3.10 and is now 3.51 (between 0.21 and 0.61 higher).",
    caveats: tuple[str, ...] = ("There is nobody to compare with.", "People rated themselves."),
    groups: tuple[tuple[str, float, int], ...] = ((ALL, 0.41, 104),),
    because: Attribution | None = None,
    said: bool = False,
    rivals: tuple[str, ...] = (),
    quotes: tuple[Quote, ...] = (),
    **of: Any,
) -> Result:
    """An answer with one row and one dot a group; the headline and first sentence rest on the first row."""
    design = Design.DESCRIBED if verdict is Verdict.DESCRIBED else Design.BEFORE_AFTER
    evidence = grade(design, said=said, informants=("self",), rivals=rivals)
    table = pd.DataFrame(
        [
            {"measure": "Overall", "group": group, "estimate": estimate, "low": estimate - 0.2, "high": estimate + 0.2,
             "interval": "95% confidence", "n": n, "unit": "points", "n_of": "leaders"}
            for group, estimate, n in groups
        ]
    ).astype({"n": "Int64"})  # fmt: skip
    points = [
        {"mark": "point", "series": row["group"], "x": row["group"], "y": row["estimate"], "low": row["low"],
         "high": row["high"], "n": row["n"], "row": at}
        for at, row in table.to_dict("index").items()
    ]  # fmt: skip
    texts = [Sentence(reading, rows=(0,))]
    texts += [
        Sentence(f"{group}: {estimate} higher, {n} leaders.", rows=(at,))
        for at, (group, estimate, n) in enumerate(groups)
        if at
    ]
    return Result.of(
        question=question,
        level=level,
        kirkpatrick=step,
        headline=Sentence(headline, rows=(0,)),
        sentences=texts,
        decided=Decision(verdict, 5, why, 0.21, 0.61),
        attribution=because or attribution(evidence, verdict),
        table=table,
        marks=charts.marks(points, headline=headline, subtitle="Change in system leadership, months 0 to 24"),
        chart=charts.named("dots"),
        method=Method("Paired t", "Student 1908, Biometrika 6(1)", "People are independent of each other.", design),
        evidence=evidence,
        cautions=[Sentence(caveat) for caveat in caveats],
        about=about(asked, **of),
        quotes=quotes,
    )


def admissions(**said: Any) -> Result:
    """An answer about patients, too early to say."""
    given: dict[str, Any] = {
        "question": "Is anything different for patients, citizens, staff and taxpayers?",
        "level": Level.POPULATION,
        "step": Step.RESULTS,
        "verdict": Verdict.TOO_EARLY,
        "why": "It was agreed to read this from April 2029.",
        "headline": "Emergency admissions of people 65+: 2 in every 100 lower (9 lower to 6 higher)",
        "reading": "From April 2024 to March 2026 admissions were 2 in every 100 lower than their trend before.",
        "caveats": ("Other schemes ran at the same time.",),
        "beneficiary": "patients",
        "counts": "months",
    }
    return answer("population.change(measure='emergency_admissions_65_plus')", **{**given, **said})


def working_together(**said: Any) -> Result:
    """An answer about organisations, unclear."""
    given: dict[str, Any] = {
        "question": "Are organisations working better together?",
        "level": Level.TEAM,
        "verdict": Verdict.UNCLEAR,
        "why": "The data fit a worthwhile gain and a worthwhile loss.",
        "headline": "Trust across organisations: 0.02 higher (−0.3 to 0.34)",
        "reading": "Trust across organisations was 2.10 and is now 2.12.",
        "caveats": ("58 of every 100 replied.",),
    }
    return answer("team.bridging(relation='trust')", **{**given, **said})


def everything() -> list[Result]:
    """One answer to each of the three questions."""
    return [answer(), working_together(), admissions()]
