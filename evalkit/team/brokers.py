"""Who stands between organisations, and on how few people does that depend?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import network
from evalkit.team import ties
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalkit.programme import Programme
    from evalkit.stats.network import Brokerage
    from evalkit.team.ties import Read, Wave

QUESTION = "Who joins organisations, and how much hangs on them?"
METHOD = Method(
    name="Gould and Fernandez's roles of those who stand between two others who are not tied, among those who answered",
    source="Gould and Fernandez 1989, Sociological Methodology 19, 89-126; the range expected by chance is the "
    "expectation ± 1.96 standard deviations of a network of this density in which ties fall by chance alone, cut at 0.",
    assumes=f"Those who did not answer stand between others much as those who did. {ties.NAMED}",
    design=Design.DESCRIBED,
)
ROLES = {
    "coordinator": "coordinator: all three of one organisation",
    "consultant": "consultant: between two of another organisation",
    "representative": "representative: from the own organisation to another",
    "gatekeeper": "gatekeeper: from another organisation to the own",
    "liaison": "liaison: between two other organisations",
}
"""The five roles, said; all but the first stand between organisations."""
ACROSS = [role for role in ROLES if role != "coordinator"]
OF = ("organisations", "people")
SPREAD = 1.96
"""Standard deviations either side of the expectation: 95 of every 100, were the counts normal."""
BETWEEN_TWO = "Times somebody stands between two others"
STANDING = "People who stand between organisations"
HALF = "People through whom half of it passes"
HALF_AT_MOST = "People through whom half of it passes, at most"
IN_POST = "Of those, still with the organisation"
THOSE = "those through whom half passes"
PAIRS = "Pairs of organisations with a tie"


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One wave among those who answered it, and who stands between whom there."""

    programme: Programme
    relation: str
    whole: Wave
    seen: Wave
    found: Brokerage

    @property
    def across(self) -> pd.Series[int]:
        """How often each person stands between organisations, by person_id, most often first."""
        nodes = self.found.nodes.set_index("id")
        return nodes[ACROSS].sum(axis="columns").sort_values(ascending=False, kind="stable")

    @property
    def names(self) -> pd.Series[str]:
        """What the organisation of each person is called, by person_id."""
        listed = self.programme.organisations.set_index("organisation_id")["name"]
        named = listed.where(~listed.duplicated(keep=False), listed + " (" + listed.index + ")")
        return self.seen.organisation.map(named).fillna(self.seen.organisation)


def brokers(
    programme: Programme, *, relation: str = "trust", wave: int | None = None, of: str = "organisations", seed: int = 1
) -> Result:
    """Who joins organisations, and how much hangs on them?

    Needs: `ties` of this relation (contact, help or trust; conflict only when asked for by name, and that answer stays
    with the evaluator), `rosters`, and `people` with their organisation; `posts` for who is still there. Somebody
    stands between two others when the one names them, they name the other, and the one does not name the other. Read at
    the last `wave` unless one is given, among those who answered: nobody else can be seen to stand between. Each
    organisation's row counts its people, of those who answered, who stand between organisations at all.
    of="people" adds a row a person with person_id, which keeps the answer with the evaluator. What would mislead: real
    ties close triangles, so counts mostly lie below what chance gives, with no fault of anybody; and standing between
    others is work, not merit. `seed` deals the dots of the drawing, which bear no name and say nothing by their place.
    Extras: n_of, wave, expected, z, out_of, possible (pairs of organisations), raters (the fewest people a figure could
    be about); with of="people" person_id and a count a role. Errors: `NotEnoughEvidence` where fewer than three people
    of two organisations answered, or named nobody; `ValueError` for a relation or an `of` there is none of.

    >>> import evalkit as ek
    >>> brokers(ek.load("sample_data/northmere")).chart.name
    'network'
    """
    if of not in OF:
        raise ValueError(f"of={of!r} is neither {words.listed([*OF]).replace(' and ', ' nor ')}.")
    told = ties.read(programme, relation, QUESTION)
    asked = _asked(told, wave)
    table = _table(asked, of)
    headline = _headline(table, asked.found.n)
    evidence = grade(Design.DESCRIBED, informants=("self",), rivals=circumstances.rivals(programme))
    decided = described("One network at one time: it shows who stands where, and nothing to compare it with.")
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, headline.text, seed),
        chart=charts.named("network"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(told, asked),
        about=circumstances.about(
            programme,
            f"team.brokers(relation={relation!r}, wave={asked.whole.wave}, of={of!r}, seed={seed})",
            n=asked.found.n,
            of=asked.whole.n,
            counts="people",
        ),
        details=asked.found,
    )


def _asked(told: Read, wave: int | None) -> _Asked:
    """The wave asked for among those who answered, or a refusal."""
    at = max(told.waves) if wave is None else wave
    if at not in told.waves:
        read = words.listed([str(each) for each in told.waves])
        raise NotEnoughEvidence(
            QUESTION,
            missing=" ".join([*told.unread, f"Wave {at} cannot be read."]),
            would_answer=f"asking about a wave that can, with wave=…: {read}.",
        )
    whole = told.waves[at]
    seen = whole.among(whole.answered)
    if seen.n < 3 or seen.organisation.nunique() < 2 or seen.ties.empty:
        raise told.refusal(QUESTION, f"At wave {at} fewer than three people of two organisations answered, or they "
                           "named none of each other.")  # fmt: skip
    return _Asked(told.programme, told.relation, whole, seen, network.brokerage(seen.ties, seen.organisation))


def _table(asked: _Asked, of: str) -> pd.DataFrame:
    """The roles; on how few it hangs; each organisation's people; pairs of organisations; with `of`, people."""
    rows = [*_roles(asked), *_half(asked), *_standing(asked), _pairs(asked)]
    extras: tuple[str, ...] = ("wave", "expected", "z", "possible", "raters")
    if of == "people":
        rows += _people(asked)
        extras = (*extras, "person_id", *ROLES)
    blank = dict.fromkeys(extras)
    table = register.table([{**blank, **row, "wave": asked.whole.wave} for row in rows], extras=extras)
    whole = [name for name in ("wave", "possible", "raters", *ROLES) if name in table]
    table = table.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(("expected", "z"), "float"))
    if of == "people":
        table["person_id"] = table["person_id"].fillna("")
    return ties.stays(table, asked.relation)


def _roles(asked: _Asked) -> Iterator[dict[str, Any]]:
    """How often each role is taken, with the range expected by chance; none given where nobody could take it."""
    for role in asked.found.roles.to_dict("records"):
        sd, expected = role["sd"], role["expected"]
        known = role["z"] == role["z"]
        chance = {"low": max(expected - SPREAD * sd, 0.0), "high": expected + SPREAD * sd, "interval": ties.CHANCE}
        yield {
            **register.row(
                BETWEEN_TWO, ROLES.get(role["role"], ALL), n=asked.found.n, n_of="people", unit="times",
                estimate=role["count"], expected=expected, z=role["z"],
                raters=min(asked.seen.fewest, _could_be(asked.seen, role["role"])),
            ),
            **(chance if known else {}),
        }  # fmt: skip


def _could_be(seen: Wave, role: str) -> int:
    """How many people the sizes of the organisations would let take a role."""
    sizes, own = seen.sizes, seen.organisation.value_counts()
    shared = own.index[own > 1]
    match role:
        case "coordinator":
            return int((sizes > 2).sum())
        case "consultant":  # for two of one organisation, and of another oneself
            return int(sum(size for name, size in own.items() if any(other != name for other in shared)))
        case "representative" | "gatekeeper":
            return int((sizes > 1).sum())
        case "liaison":
            return seen.n if len(own) > 2 else 0
    return seen.n


def _half(asked: _Asked) -> Iterator[dict[str, Any]]:
    """The fewest people who make up half of the standing between organisations, and how many are still there."""
    across, minimum = asked.across, asked.programme.minimum_group
    if not across.sum():
        return
    half = int((across.cumsum() < across.sum() / 2).sum()) + 1
    few = half < minimum  # whom it hangs on would be known to everybody: no fewer are told than the minimum
    yield register.row(
        HALF_AT_MOST if few else HALF, ALL, n=asked.found.n, n_of="people", unit="people",
        estimate=min(minimum, asked.found.n) if few else half, raters=asked.seen.fewest,
    )  # fmt: skip
    if few:
        return
    those = across.index[across >= across.iloc[half - 1]]  # whoever stands as often as the last of them
    known, there = _still_there(asked, those)
    if known >= minimum:
        yield register.share(IN_POST, THOSE, there, known, of="people whose posts are dated", n_of="people",
                             raters=asked.seen.fewest)  # fmt: skip


def _still_there(asked: _Asked, those: pd.Index) -> tuple[int, int]:
    """Of these people, how many have dated posts, and how many of them still work for the same organisation or for
    what it was merged into."""
    programme = asked.programme
    dated = those[those.isin(programme.posts["person_id"])]
    now, then = programme.organisations_on(programme.as_of).reindex(dated), asked.seen.organisation.reindex(dated)
    listed = set(programme.organisations["organisation_id"])
    stands = {each: programme.successor(each) for each in {*then, *now.dropna()} & listed}
    same = then.map(lambda each: stands.get(each, each)) == now.map(lambda each: stands.get(each, each))
    return len(dated), int((same & now.notna()).sum())


def _standing(asked: _Asked) -> Iterator[dict[str, Any]]:
    """How many stand between organisations at all: everybody, then each organisation's people, by the alphabet."""
    stands = asked.across.reindex(asked.names.index) > 0
    by_name = {name: stands[asked.names == name] for name in sorted(asked.names.unique())}
    for group, own in {ALL: stands, **by_name}.items():
        raters = asked.seen.fewest if group == ALL else None
        yield register.share(STANDING, str(group), int(own.sum()), len(own), of="those who answered", n_of="people",
                             raters=raters)  # fmt: skip


def _pairs(asked: _Asked) -> dict[str, Any]:
    """How many pairs of organisations are tied, of those with as many who answered as the minimum: whether a smaller
    one is tied to all, or to none, would be told of one or two people."""
    sizes = {name: size for name, size in _sizes(asked.seen).items() if size >= asked.programme.minimum_group}
    possible = len(sizes) * (len(sizes) - 1) // 2
    tied = sum(pair <= sizes.keys() for pair in _links(asked.seen))
    return register.row(
        PAIRS, ALL, n=sum(sizes.values()), n_of="people", unit="pairs of organisations with enough who answered",
        estimate=tied if possible else float("nan"), possible=possible, raters=asked.seen.fewest,
    )  # fmt: skip


def _links(seen: Wave) -> dict[frozenset[str], float]:
    """The share of possible ties that are there between two organisations, in %, for every pair that has any."""
    sizes = _sizes(seen)
    ends = [seen.ties[end].map(seen.organisation) for end in ("from_id", "to_id")]
    found: dict[frozenset[str], float] = {}
    for one, other in zip(*ends, strict=True):
        if one != other:
            pair = frozenset((one, other))
            found[pair] = found.get(pair, 0.0) + 100 / (2 * sizes[one] * sizes[other])
    return found


def _sizes(seen: Wave) -> dict[str, int]:
    """How many of each organisation answered."""
    return {str(name): int(size) for name, size in seen.organisation.value_counts().items()}


def _people(asked: _Asked) -> Iterator[dict[str, Any]]:
    """A row a person, by organisation and id: never by how often they stand between others."""
    nodes = asked.found.nodes.set_index("id")
    for person in sorted(nodes.index, key=lambda each: (asked.names[each], each)):
        counts = nodes.loc[person]
        yield register.row(
            BETWEEN_TWO, str(asked.names[person]), n=1, n_of="people", unit="times", estimate=counts["total"],
            expected=counts["expected_total"], z=counts["z_total"], person_id=person, raters=1,
            **{role: counts[role] for role in ROLES},
        )  # fmt: skip


def _one(table: pd.DataFrame, *measures: str, group: str = ALL) -> tuple[int, dict[str, Any]] | None:
    """The row of one of these measures and where it stands."""
    held = table[table["measure"].isin(measures) & (table["group"] == group)]
    return None if held.empty else (int(held.index[0]), {str(name): value for name, value in held.iloc[0].items()})


def _hangs_on(row: dict[str, Any], n: int) -> str:
    """On how many people half of it hangs.

    >>> _hangs_on({"measure": HALF, "estimate": 12.0}, 77), _hangs_on({"measure": HALF_AT_MOST, "estimate": 5.0}, 77)
    ('12 of 77 people', 'at most 5 of 77 people')
    """
    return f"{'at most ' if row['measure'] == HALF_AT_MOST else ''}{words.of(round(row['estimate']), n)} people"


def _headline(table: pd.DataFrame, n: int) -> Sentence:
    half = _one(table, HALF, HALF_AT_MOST)
    if half is None:
        at = [held[0] for measure in (STANDING, BETWEEN_TWO) if (held := _one(table, measure))]
        return Sentence(f"None of {n} people who answered stands between organisations", rows=tuple(at))
    return Sentence(f"Half of the paths across organisations run through {_hangs_on(half[1], n)}", rows=(half[0],))


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    """How many stand between; on how few half of it hangs; who is still there; the roles against chance."""
    standing, pairs = _one(table, STANDING), _one(table, PAIRS)
    assert standing is not None
    assert pairs is not None
    paths = _one(table, BETWEEN_TWO) or standing  # of few people not even that none stands between is told
    enough, tied = asked.programme.minimum_group, ""
    if pairs[1]["possible"]:
        tied = (f"; of pairs of organisations with {enough} or more who answered, "
                f"{words.of(round(pairs[1]['estimate']), pairs[1]['possible'])} "
                f"{'has' if round(pairs[1]['estimate']) == 1 else 'have'} a tie")  # fmt: skip
    said = [Sentence(f"{words.sentence_case(asked.whole.when)}: {words.of(standing[1]['n'], standing[1]['out_of'])} "
                     f"people who answered {'stands' if standing[1]['n'] == 1 else 'stand'} between two others, at "
                     "least one of them of another organisation, of whom the first does not name the second"
                     f"{tied}.", rows=(standing[0], pairs[0], paths[0]))]  # fmt: skip
    half, still = _one(table, HALF, HALF_AT_MOST), _one(table, IN_POST, group=THOSE)
    if half is not None:
        said.append(Sentence(f"Half of these paths run through {_hangs_on(half[1], asked.found.n)}.", rows=(half[0],)))
    if still is not None:
        said.append(Sentence(f"Of those whose posts are dated, {words.of(still[1]['n'], still[1]['out_of'])} "
                             f"{'was' if still[1]['n'] == 1 else 'were'} "
                             f"still with the organisation on {words.day(asked.programme.as_of)}.",
                             rows=(still[0],)))  # fmt: skip
    return [*said, _by_role(table)]


def _by_role(table: pd.DataFrame) -> Sentence:
    held = table[(table["measure"] == BETWEEN_TWO) & table["group"].isin(ROLES.values())]
    parts = []
    for row in held.to_dict("records"):
        chance = f" ({words.span(row['low'], row['high'], 0)} by chance)" if row["low"] == row["low"] else ""
        parts.append(f"{str(row['group']).split(':')[0]} {words.number(row['estimate'], 0)}{chance}")
    return Sentence(f"How often each role is taken: {words.listed(parts)}.", rows=tuple(held.index))


def _marks(asked: _Asked, table: pd.DataFrame, headline: str, seed: int) -> pd.DataFrame:
    """Dots and lines. A dot's n is no larger than the minimum group and a share is whole, so that neither tells which
    organisation it is; they stand in an order that only the ties themselves could give again."""
    minimum, links = asked.programme.minimum_group, _links(asked.seen)
    place = {name: str(at) for at, name in enumerate(_dealt(asked.seen, seed), 1)}
    few = {name: min(size, minimum) for name, size in _sizes(asked.seen).items()}
    (row,) = table.index[table["measure"] == PAIRS]
    rows: list[dict[str, Any]] = [
        {"mark": "dot", "series": "organisation", "x": at, "n": few[name], "row": row} for name, at in place.items()
    ]
    for one, other in combinations(place, 2):
        share = links.get(frozenset((one, other)))
        if share is not None:
            rows.append({"mark": "link", "series": place[one], "x": place[other], "y": max(round(share), 1),
                         "n": min(few[one], few[other]), "row": row})  # fmt: skip
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{words.sentence_case(asked.relation)} ties between organisations, {asked.whole.when}, "
        f"{asked.programme.title}",
        x_axis="each dot is an organisation; each line, ties there of 100 possible between two",
    )


def _dealt(seen: Wave, seed: int) -> list[str]:
    """The organisations in an order dealt by the seed and the ties themselves, so that the seed alone gives no name."""
    known = seen.ties.sort_values(["from_id", "to_id"]).to_csv(index=False)
    return sorted(
        seen.organisation.unique(), key=lambda name: hashlib.sha256(f"{seed}\n{known}\n{name}".encode()).hexdigest()
    )


def _cautions(told: Read, asked: _Asked) -> list[Sentence]:
    whole, minimum = asked.whole, asked.programme.minimum_group
    said = []
    if whole.response_rate < ties.LEAST_RESPONSE:
        said.append(Sentence(f"Under {ties.LEAST_RESPONSE:.0%} answered at wave {whole.wave}: others may stand between "
                             "organisations unseen, and pairs without a tie may have one."))  # fmt: skip
    said += ties.cautions(told, [whole])
    said += [
        Sentence("Standing alone between two organisations is a burden and a risk, no merit: ask who else could."),
        Sentence("People close triangles, so most networks have fewer open paths than chance alone would give."),
        Sentence(f"Copies for others than the evaluator draw no organisation of which fewer than {minimum} answered."),
    ]
    return said
