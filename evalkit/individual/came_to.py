"""Whether those who came more changed more, kind of session by kind, domain by domain: explored, not tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit import charts, circumstances, result, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import coming, ratings
from evalkit.individual.coming import Attended, Slope, changed
from evalkit.individual.compared import Compared, known_domain
from evalkit.result import ALL, FIRST, Method, Sentence
from evalkit.stats import multiplicity
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, LEVEL, described

KIND, DOMAIN = "intervention", "domain"
BY = (KIND, DOMAIN)
"""What can be gone through."""
MANY = 10
"""Up to so many slopes are judged by Holm, more by Benjamini and Hochberg: a list to explore, not a family to test."""
EXPLORED = "Explored, not tested: nobody said beforehand which to expect."


@dataclass(frozen=True, slots=True)
class _Found:
    """The slope of one kind of session (ALL: of every session) on one domain."""

    domain: str
    kind: str
    slope: Slope


def explored(
    asked: Compared, came: Attended, by: str, domain: str | None, confidence: float, question: str, call: str
) -> result.Result:  # by its full name, for this is no question
    """Slopes of change on sessions come to, all of them judged together; `call` is how to ask for it again."""
    programme, first = asked.programme, known_domain(asked.programme, asked.instrument, domain)
    labels = asked.instrument.domain_labels
    domains = [first, *(key for key in labels if key != first)] if domain is None or by == DOMAIN else [first]
    kinds = _kinds(asked, came, question) if by == KIND else {ALL: came}
    least = max(LEAST_PAIRS, programme.minimum_group)
    found, without = [], []
    for key in domains:
        moved = changed(asked, key)
        for kind, sessions in kinds.items():
            each = coming.slope(programme, moved, sessions.sessions, confidence)
            if each is None or each.apart < least:
                without.append(kind if by == KIND else labels[key])
            else:
                found.append(_Found(key, kind, each))
    if not found:
        raise NotEnoughEvidence(
            question,
            missing=f"By {by}, fewer than {least} leaders rated at both waves came to another number of sessions than "
            "most did.",
            would_answer="more leaders, or all sessions together (without by).",
        )
    table = _table(asked, found, confidence)
    evidence = grade(Design.DESCRIBED, informants=(asked.rater,), rivals=circumstances.rivals(programme))
    decided = described(EXPLORED)
    headline = _headline(table, by)
    return result.Result.of(
        question=question,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, table, by),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, labels[first], by, confidence, headline.text),
        chart=charts.named("dots"),
        method=_method(len(found)),
        evidence=evidence,
        cautions=_cautions(asked, by, len(found), [*dict.fromkeys(without)], least),
        about=circumstances.about(
            programme, call, n=max(each.slope.n for each in found),
            of=len(circumstances.taking_part(programme)) or None, counts="leaders",
        ),
        details=[each.slope for each in found],
    )  # fmt: skip


def _kinds(asked: Compared, came: Attended, question: str) -> dict[str, Attended]:
    """What leaders came to of each kind of session held, by its name on the menu and in its order."""
    held = set(came.log["intervention"].dropna())
    labels = asked.programme.menus["interventions"].labels
    if not held:
        raise NotEnoughEvidence(
            question,
            missing="Nobody wrote down which kind of intervention each session was.",
            would_answer="the column intervention of sessions.csv: a code of the menu.",
        )
    order = [*(key for key in labels if key in held), *sorted(held - {*labels})]
    return {labels.get(key, words.plain(key)): came.of_kind(key) for key in order}


def _table(asked: Compared, found: list[_Found], confidence: float) -> pd.DataFrame:
    """A row a domain and kind. Extras: n_of, adjusted_p (all rows with an interval judged together), clear."""
    labels = asked.instrument.domain_labels
    table = pd.DataFrame(
        [
            {"measure": labels[each.domain], "group": each.kind, "estimate": each.slope.estimate,
             "low": each.slope.low, "high": each.slope.high,
             "interval": "none given" if pd.isna(each.slope.low) else f"{confidence:.0%} confidence",
             "n": each.slope.n, "unit": "points a session", "n_of": "leaders", "p": each.slope.p}
            for each in found
        ]
    )  # fmt: skip
    table["adjusted_p"] = multiplicity.adjust(table["p"].dropna().astype(float), _judged(len(found))).reindex(
        table.index
    )
    way = table["estimate"].map(lambda each: "higher" if each > 0 else "lower")
    table["clear"] = way.where(table["adjusted_p"] < LEVEL, "")
    return table[[*FIRST, "n_of", "adjusted_p", "clear"]].astype({"n": "Int64"})


def _judged(many: int) -> multiplicity.Method:
    return "holm" if many <= MANY else "benjamini_hochberg"


def _method(many: int) -> Method:
    together = "Holm" if many <= MANY else "Benjamini and Hochberg"
    return Method(
        name="Least-squares slope of each leader's change on how many sessions of a kind they came to, one kind and "
        f"one domain at a time; all judged together by {together}, clear below {LEVEL}",
        source=f"CR2 over teams (over people when fewer than {ratings.LEAST_TEAMS} teams are known): Pustejovsky and "
        "Tipton 2018, J. Business & Economic Statistics 36(4), 672-683. Holm 1979, Scand. J. Statistics 6(2), 65-70; "
        "Benjamini and Hochberg 1995, JRSS B 57(1), 289-300.",
        assumes="The attendance register is complete for the leaders on it; a kind is read among leaders to whom it "
        "was offered, and other kinds they came to are not held still.",
        design=Design.DESCRIBED,
    )


def _headline(table: pd.DataFrame, by: str) -> Sentence:
    rows, clear = tuple(int(row) for row in table.index), int((table["clear"] != "").sum())
    if not clear:
        return Sentence(f"{_looked_at(table, by)}: none went clearly with a higher or lower change", rows)
    return Sentence(f"{words.of(clear, len(table))} looked at went clearly with a higher or lower change", rows)


def _looked_at(table: pd.DataFrame, by: str) -> str:
    """What was gone through, in words."""
    domains, kinds = table["measure"].nunique(), table["group"].nunique()
    if by == DOMAIN:
        return words.counted(domains, "domain")
    said = words.counted(kinds, "kind of session", "kinds of session")
    return said if domains == 1 else f"{said} in {domains} domains"


def _sentences(asked: Compared, table: pd.DataFrame, by: str) -> list[Sentence]:
    rows = tuple(int(row) for row in table.index)
    of = "sessions" if by == DOMAIN else "of that kind"
    said = [
        Sentence(
            f"{words.sentence_case(ratings.rated(asked.rater))}. For {_looked_at(table, by)}, how leaders changed from "
            f"{asked.when(asked.first)} to {asked.when(asked.last)} was set beside how many {of} they came to.",
            rows,
        )
    ]
    clear = table[table["clear"] != ""]
    many = f"Of {len(table)} judged together" if len(table) > 1 else "Looked at alone"
    if clear.empty:
        return [*said, Sentence(f"{many}, {'none was' if len(table) > 1 else 'it was not'} clear. {EXPLORED}", rows)]
    told = [
        f"{row['measure'] if by == DOMAIN else ' with '.join((row['measure'], row['group']))} "
        f"{words.higher(row['estimate'], words.decimals(row['low'], row['high']))} a session"
        for row in clear.to_dict("records")
    ]
    return [*said, Sentence(f"{many}, clear: {'; '.join(told)}. {EXPLORED}", rows)]


def _marks(
    asked: Compared, table: pd.DataFrame, domain: str, by: str, confidence: float, headline: str
) -> pd.DataFrame:
    """The kinds on the domain that counts, or the domains."""
    drawn = table if by == DOMAIN else table[table["measure"] == domain]
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": row["group"], "x": row["measure" if by == DOMAIN else "group"],
         "y": row["estimate"], "low": row["low"], "high": row["high"], "n": row["n"], "row": at}
        for at, row in drawn.to_dict("index").items()
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 0.0, "label": "no higher and no lower"})
    what = asked.instrument.name if by == DOMAIN else domain
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Change in {what} by sessions come to, {ratings.rated(asked.rater)}, "
        f"{asked.when(asked.first)} to {asked.when(asked.last)}",
        x_axis=f"points a session, {confidence:.0%} intervals",
    )


def _cautions(asked: Compared, by: str, many: int, without: list[str], least: int) -> list[Sentence]:
    said = [*coming.DIFFER]
    if by == KIND:
        said.append("Whoever came to more of one kind may have come to more of others: kinds are not told apart here.")
    if many > 1:
        said.append("Each interval is of one row alone: of many, some stand clear of nought by chance.")
    if without:
        said.append(
            f"Not looked at, for fewer than {least} came to another number of them than most did: "
            f"{words.listed(without)}."
        )
    few = ratings.few_teams(asked.programme, asked.answers(next(iter(asked.instrument.domain_labels))).index)
    said += [few] if few else []
    said += [coming.PRESENT, *([coming.SELF] if asked.rater == "self" else [])]
    return [Sentence(text) for text in said]
