"""Do those who lead stay in their posts and teams long enough to work together?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import rates
from evalkit.team.contact import figures, rows_of
from evalkit.terms import Design, Level, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "Do those who lead stay long enough in their posts and teams?"
METHOD = Method(
    name="Posts left for every 100 person-years in post, with Poisson limits (exact under 10 posts, else Byar's); "
    "shares still in post and still in the team, with Wilson's interval",
    source="Continuity in the leadership community, and leaders who moved on frequently: The King's Fund, a practical "
    "guide for leaders of new systems of care; Breslow and Day 1987, p. 69; Wilson 1927, JASA 22, 209-212.",
    assumes="Posts and memberships were written down as they changed; a post without a first day began before any that "
    "has one; people leave independently of each other.",
    design=Design.DESCRIBED,
)
WHOM = {"participant": "leaders", "sponsor": "sponsors", "partner": "partners"}
"""Whose posts are looked at, by kind of person."""
YEAR = 365.25
TIERS = ("micro", "meso", "macro")
LEFT, BY_KIND, NEXT = "Posts left", "Posts left, by whom", "Posts left, by what came next"
ELSEWHERE, INSIDE = "a post in another organisation", "another post in the same organisation"
NOTHING = "no further post on record"
STILL, NOW, LONG_AGO = "Still in the post held at the start", "Years in post now, median", "In post since long ago"
MEMBERS, BY_TIER = "Still in the team", "Still in the team, by tier"
JOINED, HALVED = "Joined the team since, of those in it at the end", "Teams that kept half or fewer"
NOT_GIVEN = {"n": None, "out_of": pd.NA, "estimate": math.nan, "low": math.nan, "high": math.nan,
             "interval": "none given"}  # fmt: skip
"""A row whose number would tell a number of very few people."""
NO_POSTS = "When people took up and left their posts is not written down: who would know?"
NO_TEAMS = "Who joined and left the teams is not written down: who would know?"
SIGN_RULE = (
    "Sign: every team kept more than half of its members: working; fewer than half of teams did: not working; between "
    "the two: uncertain. This is a judgement."
)


def continuity(
    programme: Programme, *, since: date | None = None, until: date | None = None, confidence: float = 0.95
) -> Result:
    """Do those who lead stay long enough in their posts and teams?

    Needs: `posts`, `people` and `participants`, for leaders who take part, sponsors and partners; or `memberships`,
    `teams` and `waves`; or both. Posts from the start (or `since`) to `until`: how many were left for every
    100 person-years in post, for what, and how long people have been in theirs. A merger is no move: the same role in
    the organisation under its new name goes on, and so does a row that changes nothing. A blank first day is long ago,
    longer than any on record; a blank last day goes on. Of those in a team when the first wave closed, how many still
    are when the last one does.
    What would mislead: somebody who moves between organisations of the system may take what they know along.
    Columns: n_of, by (what cuts the rows), person_years, out_of, sign and ask.
    Errors: `NotEnoughEvidence` with neither posts nor memberships at two waves.

    >>> import evalkit as ek
    >>> found = continuity(ek.load("sample_data/northmere")).table
    >>> found.loc[found["measure"] == "Still in the team", ["n", "out_of"]].to_numpy().tolist()
    [[132, 150]]
    """
    span = register.window(programme, since, until)
    posts, teams = _posts(programme, span), _teams(programme, span)
    if posts is None and teams is None:
        raise register.not_recorded(
            QUESTION, "No post of a leader, sponsor or partner since a known start, and nobody in a team at two waves.",
            "posts.csv: one row a post with its first and last day; memberships.csv: one row a person and team, with "
            "the days they joined and left, and waves.csv with the days the waves closed.",
        )  # fmt: skip
    rows = [*_of_posts(posts, confidence), *_of_teams(teams, confidence)]
    table = register.table(rows, extras=("by", "person_years"))
    headline = _headline(teams, table)
    told = [part for part in (span.asked, "" if confidence == 0.95 else f"confidence={confidence}") if part]
    people = {*(posts.people.index if posts else ()), *(teams.first["person_id"] if teams else ())}
    return register.counted(
        programme, f"team.continuity({', '.join(told)})", question=QUESTION, headline=headline,
        sentences=[*_said_of_posts(posts, table), *_said_of_teams(teams, table)], table=table,
        marks=_marks(programme, span, table, headline.text), chart="dots", method=METHOD,
        cautions=_cautions(posts, teams, table), n=len(people), of=None, counts="people", level=Level.TEAM,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Posts:
    """The posts of the people looked at, from `begins` to `ends`; `people` their kind by id, out of a `whole`.

    `held`: a row a post, mergers joined, with `since` and `last` (missing: long ago, goes on) and `next`, what came
    after one that was left in this time.
    """

    programme: Programme
    begins: pd.Timestamp
    ends: pd.Timestamp
    people: pd.Series[str]
    whole: int
    held: pd.DataFrame

    @property
    def left(self) -> pd.DataFrame:
        """The posts left in this time."""
        return self.held[self.held["next"] != ""]

    @property
    def years_now(self) -> pd.Series[Any]:
        """How long each person now in a post has been in it; missing where since long ago, of two the later one."""
        now = self.held[self.held["last"].isna()].sort_values("since", na_position="first", kind="stable")
        since = now.drop_duplicates("person_id", keep="last")["since"]
        return pd.Series((self.ends - since).dt.days / YEAR)

    @property
    def of_each_kind(self) -> dict[str, pd.Series[str]]:
        """The people of each kind, unless there are very few of one, whom the others and all together would tell."""
        kinds = {name: self.people[self.people == kind] for kind, name in WHOM.items() if kind in set(self.people)}
        fewest = min(len(people) for people in kinds.values())
        return kinds if len(kinds) > 1 and fewest >= self.programme.minimum_group else {}

    def person_years(self, people: pd.Series[str]) -> float:
        """Years these people were in a post, two at once counted once."""
        held = self.held[self.held["person_id"].isin(people.index)]
        first = held["since"].where(held["since"] > self.begins, self.begins)
        days = pd.DataFrame({"person_id": held["person_id"], "first": first, "last": held["last"].fillna(self.ends)})
        days = days[days["first"] <= days["last"]].sort_values(["person_id", "first"], kind="stable")
        before = days.groupby("person_id")["last"].cummax().groupby(days["person_id"]).shift()
        fresh = days["first"].where(~(before >= days["first"]), before + pd.Timedelta(days=1))
        return float(((days["last"] - fresh).dt.days + 1).clip(lower=0).sum()) / YEAR


def _posts(programme: Programme, span: register.Window) -> _Posts | None:
    """The posts on record, or none where nobody wrote any down, or nobody knows from when to look."""
    people, leaders = programme.people.set_index("person_id")["kind"], circumstances.taking_part(programme)
    people = people[people.isin(WHOM) & ((people != "participant") | people.index.isin(leaders["participant_id"]))]
    begins, ends, posts = span.since or programme.starts_on, pd.Timestamp(span.until), programme.posts
    posts = posts[posts["person_id"].isin(people.index) & ~(posts["start"] > ends)]
    if posts.empty or begins is None or begins > span.until:
        return None
    first, own = pd.Timestamp(begins), posts.groupby("person_id", sort=False)
    held = pd.DataFrame([spell for _, rows in own for spell in _spells(programme, rows, first, ends)])
    held = held.astype({"since": "datetime64[s]", "last": "datetime64[s]"})
    known = people[people.index.isin(held.loc[~(held["last"] < first), "person_id"])]
    return None if known.empty else _Posts(programme, first, ends, known, len(people), held)


def _spells(programme: Programme, own: pd.DataFrame, begins: pd.Timestamp, ends: pd.Timestamp) -> list[dict[str, Any]]:
    """One person's posts in order of time, rows of one post joined, each with what came next where it was left."""
    spells: list[dict[str, Any]] = []
    for row in own.sort_values("start", na_position="first", kind="stable").to_dict("records"):
        last = row["end"] if row["end"] < ends else pd.NaT  # a post held on the last day goes on
        told = {"person_id": row["person_id"], "organisation": row["organisation_id"], "role": row["role"],
                "seniority": row["seniority"], "since": row["start"], "last": last, "next": ""}  # fmt: skip
        goes_on = [spell for spell in spells if _continues(programme, spell, told)]
        if goes_on:
            goes_on[0] |= {**told, "since": goes_on[0]["since"]}
        else:
            spells.append(told)
    for spell in spells:
        if begins <= spell["last"]:
            spell["next"] = _next(programme, spell, [other for other in spells if other is not spell])
    return spells


def _continues(programme: Programme, spell: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a row is the same post going on: the same part the next day in the same organisation, merged or not."""
    if not 0 <= (row["since"] - spell["last"]).days <= 1:
        return False
    parts = [(spell[part], row[part]) for part in ("role", "seniority")]
    changed = any(was != now for was, now in parts if pd.notna(was) and pd.notna(now))
    day = max(row["since"], spell["last"] + pd.Timedelta(days=1))  # a merged body stands to the end of its last day
    return not changed and _same(programme, spell, row, day)


def _same(programme: Programme, spell: dict[str, Any], other: dict[str, Any], day: pd.Timestamp) -> bool:
    """Whether two posts are in one organisation, by the name it goes by on a day."""
    return len({programme.successor(found["organisation"], day.date()) for found in (spell, other)}) == 1


def _next(programme: Programme, spell: dict[str, Any], others: Sequence[dict[str, Any]]) -> str:
    """What came after a post that was left: whatever was held the day after, else what was taken up soonest."""
    day = spell["last"] + pd.Timedelta(days=1)
    later = [(other["since"] if other["since"] > day else day, other) for other in others if not other["last"] < day]
    soonest = min((taken for taken, _ in later), default=None)
    if soonest is None:
        return NOTHING
    inside = any(_same(programme, spell, other, soonest) for taken, other in later if taken == soonest)
    return INSIDE if inside else ELSEWHERE


@dataclass(frozen=True, slots=True)
class _Teams:
    """Who was in which team when the first and when the last wave closed: a row a person and team."""

    opened: pd.Timestamp
    closed: pd.Timestamp
    first: pd.DataFrame
    last: pd.DataFrame
    minimum: int


def _teams(programme: Programme, span: register.Window) -> _Teams | None:
    """The teams at two waves, or none where nobody was in one at two of those that had closed."""
    days, held = programme.waves["closes_on"].dropna().sort_values(), programme.memberships
    elsewhere = programme.teams["place_id"].isin(circumstances.comparison_places(programme))
    held = held[held["team_id"].isin(programme.teams.loc[~elsewhere, "team_id"])]
    held = held[~held["person_id"].isin(circumstances.comparison_leaders(programme))]
    held = held.assign(tier=held["team_id"].map(programme.teams.set_index("team_id")["tier"]).fillna(register.NOT_SAID))
    at: dict[pd.Timestamp, pd.DataFrame] = {}
    for day in days[days <= pd.Timestamp(span.until)].unique():
        there = held[~(held["start"] > day) & ~(held["end"] < day)].drop_duplicates(["person_id", "team_id"])
        at |= {day: there} if at or len(there) else {}
    if len(at) < 2:
        return None
    opened, *_, closed = at
    first, last = (at[day][["person_id", "team_id", "tier"]] for day in (opened, closed))
    stayed = first.merge(last[["person_id", "team_id"]], how="left", indicator=True)["_merge"] == "both"
    return _Teams(opened, closed, first.assign(still=stayed.to_numpy()), last, programme.minimum_group)


def _of_posts(posts: _Posts | None, confidence: float) -> Iterator[dict[str, Any]]:
    """Posts left, in all, by what came next and by whom; who is still in the post of the start, and for how long."""
    nothing = {**_rate(LEFT, ALL, "everybody", 0, 0, confidence), **NOT_GIVEN}
    if posts is None:
        yield register.signed(nothing, Sign.NOT_RECORDED, NO_POSTS)
        return
    years, few = posts.person_years(posts.people), posts.programme.minimum_group
    if len(posts.people) < few:
        yield nothing
        return
    yield _rate(LEFT, ALL, "everybody", len(posts.left), years, confidence)
    for came in (ELSEWHERE, INSIDE, NOTHING):
        yield _rate(NEXT, came, "what came next", int((posts.left["next"] == came).sum()), years, confidence)
    for name, people in posts.of_each_kind.items():
        left = int(posts.left["person_id"].isin(people.index).sum())
        yield _rate(BY_KIND, name, "kind of person", left, posts.person_years(people), confidence)
    there = posts.held[~(posts.held["since"] > posts.begins) & ~(posts.held["last"] < posts.begins)]
    still = there.loc[there["last"].isna(), "person_id"].nunique()
    row = _stay(STILL, ALL, "everybody", still, there["person_id"].nunique(), confidence)
    yield {**row, **NOT_GIVEN} if 0 < len(posts.left) < few else row  # the others tell how many these are
    now = posts.years_now
    yield register.row(NOW, ALL, n=len(now), unit="years", n_of="people", by="everybody", person_years=float("nan"),
                       **_middle(now))  # fmt: skip
    yield _share(LONG_AGO, ALL, "everybody", int(now.isna().sum()), len(now), "people in a post now")


def _share(measure: str, group: str, by: str, n: int, out_of: int, of: str, n_of: str = "people") -> dict[str, Any]:
    return register.share(measure, group, n, out_of, of=of, n_of=n_of, by=by, person_years=float("nan"))


def _rate(measure: str, group: str, by: str, n: int, years: float, confidence: float) -> dict[str, Any]:
    """Posts left for every 100 person-years; no rate without any time in post."""
    row = register.row(measure, group, n=n, unit="posts left for every 100 person-years", n_of="events", by=by,
                       person_years=years, estimate=float("nan"))  # fmt: skip
    if not years:
        return row
    found = rates.crude(n, years, per=100, confidence=confidence)
    ends = {"low": found.low, "high": found.high, "interval": f"{confidence:.0%} confidence"}
    return {**row, "estimate": found.estimate, **ends}


def _stay(measure: str, group: str, by: str, n: int, out_of: int, confidence: float) -> dict[str, Any]:
    """A share of people, with Wilson's interval; nothing of nobody."""
    row = _share(measure, group, by, n, out_of, "people there at the start")
    if not out_of:
        return row
    found = rates.wilson(n, out_of, confidence=confidence)
    return {**row, "low": 100 * found.low, "high": 100 * found.high, "interval": f"{confidence:.0%} confidence"}


def _middle(years: pd.Series[float]) -> dict[str, Any]:
    """The median, and the middle half of them; those since long ago are the longest, and missing where one is met."""
    values = sorted(years.fillna(math.inf))
    if not values:
        return {"estimate": math.nan}
    middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    low, high = values[(len(values) - 1) // 4], values[-1 - (len(values) - 1) // 4]
    ends = {"low": low, "high": high, "interval": "middle half"} if high < math.inf else {}
    return {"estimate": middle if middle < math.inf else math.nan, **ends}


def _of_teams(teams: _Teams | None, confidence: float) -> Iterator[dict[str, Any]]:
    """Who is still in the team, in all and by tier; who joined; and in how many teams half or fewer are left."""
    if teams is None:
        row = {**_stay(MEMBERS, ALL, "everybody", 0, 0, confidence), **NOT_GIVEN}
        yield register.signed(row, Sign.NOT_RECORDED, NO_TEAMS)
        return
    still = int(teams.first["still"].sum())
    yield _stay(MEMBERS, ALL, "everybody", still, len(teams.first), confidence)
    tiers = [tier for tier in (*TIERS, register.NOT_SAID) if (teams.first["tier"] == tier).any()]
    for tier in tiers if len(tiers) > 1 else ():
        of = teams.first.loc[teams.first["tier"] == tier, "still"]
        yield _stay(BY_TIER, tier, "tier", int(of.sum()), len(of), confidence)
    new = _share(JOINED, ALL, "everybody", len(teams.last) - still, len(teams.last), "people in a team at the end")
    yield {**new, **NOT_GIVEN} if 0 < still < teams.minimum else new  # these and all would tell who stayed
    if len(teams.first) < teams.minimum:
        return
    kept = teams.first.groupby("team_id")["still"].mean()
    n = int((kept <= 0.5).sum())
    ask = f"Half or fewer of the first members are left in {words.of(n, len(kept))} teams: what do others need to know?"
    ask = ask if n else "In every team more than half of the first members are still there: what keeps them?"
    row = _share(HALVED, ALL, "everybody", n, len(kept), "teams", "teams")
    yield register.signed(row, register.sign_of(len(kept) - n, len(kept)), ask)


def _headline(teams: _Teams | None, table: pd.DataFrame) -> Sentence:
    if teams is None:
        return Sentence(_turnover(table), rows=rows_of(table, LEFT))
    row, months = figures(table, MEMBERS), round((teams.closed - teams.opened).days / YEAR * 12)
    still = f"{words.of(row['n'], row['out_of'])} team members still there"
    return Sentence(f"{still} after {words.counted(months, 'month')}", rows=rows_of(table, MEMBERS))


def _turnover(table: pd.DataFrame) -> str:
    row = figures(table, LEFT)
    if pd.isna(row["n"]):
        return "Posts are on record for very few people, and what became of them is not given"
    ends = f"{words.span(row['low'], row['high'], 1)}, {row['interval']}"
    rate = f"{words.number(row['estimate'], 1)} for every 100 person-years ({ends})"
    return f"{words.counted(row['n'], 'post') if row['n'] else 'No post was'} left, {rate}"


def _said_of_posts(posts: _Posts | None, table: pd.DataFrame) -> list[Sentence]:
    """How many posts were left; for what; and who is still in the post they held."""
    still, now = figures(table, STILL), figures(table, NOW)
    if posts is None:
        return []
    if not now:
        return [Sentence(f"{_turnover(table)}.", rows=rows_of(table, LEFT))]
    whose = words.listed([name for kind, name in WHOM.items() if (posts.people == kind).any()])
    since = words.day(posts.begins)
    said = [Sentence(f"{_turnover(table)}, since {since}, of {len(posts.people)} {whose}.", rows_of(table, LEFT))]
    came = table[(table["measure"] == NEXT) & (table["n"] > 0)]
    if len(came):
        named = [f"{group} ({n})" for group, n in zip(came["group"], came["n"], strict=True)]
        said.append(Sentence(f"What came next: {words.listed(named)}.", rows=tuple(map(int, came.index))))
    parts = []
    if pd.notna(still["estimate"]):
        stay = "is" if still["n"] == 1 else "are"
        parts.append(f"{words.of(still['n'], still['out_of'])} {stay} still in the post they held on {since}")
    if pd.notna(now["estimate"]):
        parts.append(f"half of those in a post now took it up {words.number(now['estimate'], 1)} years ago or more")
    text = f"{words.sentence_case('; '.join(parts))}."
    return [*said, *([Sentence(text, rows=rows_of(table, STILL, NOW))] if parts else [])]


def _said_of_teams(teams: _Teams | None, table: pd.DataFrame) -> list[Sentence]:
    row, new, halved = (figures(table, measure) for measure in (MEMBERS, JOINED, HALVED))
    if teams is None:
        return []
    span = f"{words.number(row['estimate'], 0)}%, {row['interval']} {words.span(row['low'], row['high'], 0)}%"
    joined = "" if pd.isna(new["n"]) else f"; {new['n']} of the {new['out_of']} in a team then had joined since"
    few = f"; {words.of(halved['n'], halved['out_of'])} teams kept half or fewer" if halved else ""
    text = (
        f"{words.of(row['n'], row['out_of'])} who were in a team when the wave of {words.month(teams.opened)} closed "
        f"({span}) still were in {words.month(teams.closed)}{joined}{few}."
    )
    return [Sentence(text, rows=rows_of(table, MEMBERS, JOINED, HALVED))]


def _marks(programme: Programme, span: register.Window, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a share of those who stayed: in the post, in the team, and by tier, with its interval."""
    drawn: list[dict[str, Any]] = [
        {"mark": "point", "series": row["measure"], "y": row["estimate"], "low": row["low"], "high": row["high"],
         "x": row["measure"] if row["group"] == ALL else f"Still in the team, {row['group']}", "n": row["n"], "row": at}
        for at, row in table[table["measure"].isin((STILL, MEMBERS, BY_TIER))].to_dict("index").items()
        if pd.notna(row["estimate"])
    ]  # fmt: skip
    drawn.append({"mark": "scale", "low": 0, "high": 100})
    subtitle = f"Who stayed in the post and in the team, {programme.title}, {span.words}"
    return charts.marks(drawn, headline=headline, subtitle=subtitle, x_axis="% of those there at the beginning")


def _cautions(posts: _Posts | None, teams: _Teams | None, table: pd.DataFrame) -> list[Sentence]:
    said = ["Staying is not yet working together, and somebody who moves within the system may take the ties along."]
    if posts is None:
        said.append("No posts of leaders, sponsors or partners are on record since a known start.")
    else:
        many = words.of(len(posts.people), posts.whole)
        said.append(f"Posts are on record for {many} leaders, sponsors and partners.")
        if posts.people.nunique() > 1 and not posts.of_each_kind:
            said.append("Posts are not told by kind of person: of one kind there are very few.")
        if pd.isna(figures(table, STILL).get("n")):
            said.append("What would tell of very few people, or how many they are, is not given.")
        said.append("Whoever took part counts to the end, also after leaving the programme.")
        if figures(table, LONG_AGO).get("n"):
            said.append("Posts without a first day began long ago, and count as longer than any that has one.")
    if teams is None:
        said.append("Nobody is on record as in a team at two waves that had closed.")
    else:
        said.append("Members are compared on two days; who came and went between them is not seen.")
    return [Sentence(text) for text in (*said, SIGN_RULE)]
