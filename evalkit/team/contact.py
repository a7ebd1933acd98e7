"""How often do people of different organisations meet, how, and is there time to know each other?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.half_years import HalfYear, half_years
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.team.scored import named
from evalkit.terms import Design, Level, Sign, Step

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "How often do organisations meet, and is there time to know each other?"
METHOD = Method(
    name="Meetings counted by half year and place, with how people met and what for; where lists were kept, the pairs "
    "of organisations with somebody at the same meeting",
    source="The second of the five factors, frequent personal contact: The King's Fund, a practical guide for leaders "
    "of new systems of care (a group that met on business agreed to meet every six weeks without it).",
    assumes="Every meeting across organisations was written down; whoever came spoke for the organisation of that day.",
    design=Design.DESCRIBED,
)
WEEKS = 6
"""A place without a meeting for longer than this is asked about: the source's group agreed on every six weeks."""
RECENT = 6
"""Months looked back for pairs of organisations that met: half a year, as the programme is cut."""
MONTH = 365.25 / 12
MODES = ("face_to_face", "video", "telephone", "mixed")
HELD, A_MONTH, MIDDLE = "Meetings held", "Meetings a month", "Meetings a month, place in the middle"
IN_PERSON, MODE, RELATIONAL = "Met face to face", "How people met", "Held to know each other better"
SINCE, SINCE_MIDDLE = "Days since the last meeting", "Days since the last meeting, place in the middle"
QUIET = "Places without a meeting lately"
JOINED = "Meetings with two organisations or more"
PAIRS, OFTEN = "Pairs of organisations that met lately", "Meetings of a pair of organisations, a month"
EVERYTHING, HALF_YEAR, PLACE = "everything", "half year", "place"
"""What cuts the rows: the values of the column `by`."""
SIGN_RULE = (
    "Signs: a meeting on record in every place in that time: working; in fewer than half of them: not working; between "
    "the two, no meeting without business, or pairs that did not meet: uncertain. This is a judgement."
)


def contact(
    programme: Programme, *, since: date | None = None, until: date | None = None, weeks: int = WEEKS
) -> Result:
    """How often do organisations meet, and is there time to know each other?

    Needs: `meetings`; `meeting_attendance`, `people` and `posts` for which organisations met; `places` and `teams`.
    Meetings held from `since` to `until`, by half year since the start, and by place in the order of the alphabet; the
    share face to face, and the share held to know each other better rather than on business. A place without a meeting
    in the last `weeks` is asked about (six, as the group in the source agreed). An organisation is that of the person
    on the day, under the name it goes by now; of every pair of organisations on any list, how many met.
    What would mislead: meetings that nobody wrote down look like none, and many meetings are not yet good ones.
    Columns: n_of, by (what cuts the rows), months (over which a row counts), out_of, sign and ask.
    Errors: `NotEnoughEvidence` when no meeting was recorded; ValueError for fewer than one week.

    >>> import evalkit as ek
    >>> found = contact(ek.load("sample_data/northmere")).table
    >>> found.loc[found["measure"] == "Held to know each other better", ["n", "out_of"]].to_numpy().tolist()[0]
    [74, 242]
    """
    if weeks < 1:
        raise ValueError(f"weeks={weeks} leaves no time to meet in; give one week or more, such as {WEEKS}.")
    log = _log(programme, register.window(programme, since, until), weeks)
    table = register.table(
        [*_meetings(log), *_kinds(log), *_places(log), *_organisations(log)], extras=("by", "months")
    )
    headline = _headline(log, table)
    told = (log.window.asked, "" if weeks == WEEKS else f"weeks={weeks}")
    return register.counted(
        programme, f"team.contact({', '.join(part for part in told if part)})", question=QUESTION, headline=headline,
        sentences=_sentences(log, table), table=table, marks=_marks(log, table, headline.text), method=METHOD,
        cautions=_cautions(log, table), n=len(log.held), of=None, counts="meetings", level=Level.TEAM,
        step=Step.BEHAVIOUR,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Log:
    """The meetings of the programme: `every` to the end of the window, `held` in it; `places` by id, with their names.

    `lists`: a row a person on a list of one of `every`, with the day, whether they came, and for which organisation.
    """

    programme: Programme
    window: register.Window
    weeks: int
    every: pd.DataFrame
    held: pd.DataFrame
    halves: list[HalfYear]
    places: pd.Series[str]
    lists: pd.DataFrame
    elsewhere: int

    @property
    def cuts(self) -> list[tuple[str, str, pd.DataFrame, float]]:
        """Everything, then each half year: what it is called, what it is, its meetings, and how many months it has."""
        days = self.held["held_on"]
        halves = [(half.label, HALF_YEAR, self.held[half.holds(days)], _months(half)) for half in self.halves]
        return [(ALL, EVERYTHING, self.held, sum(_months(half) for half in self.halves)), *halves]

    @property
    def organisations(self) -> list[str]:
        """Every organisation with anybody on a list."""
        return sorted(self.lists["organisation"].dropna().unique())

    @property
    def tells(self) -> bool:
        """Whether what pairs of organisations did would tell what one person did: few organisations, one of them with
        few people."""
        few = self.programme.minimum_group
        people = self.lists.dropna(subset="organisation").groupby("organisation")["person_id"].nunique()
        return self.lists["person_id"].nunique() < few or (len(people) < few and bool((people < few).any()))


def _log(programme: Programme, window: register.Window, weeks: int) -> _Log:
    own = register.of_programme(programme, programme.meetings)
    known = own[register.by_now(programme, own["held_on"])]
    if known.empty:
        raise register.not_recorded(
            QUESTION, f"No meeting across organisations was recorded by {words.day(programme.as_of)}.",
            "meetings.csv: one row a meeting, with the day, the place, how people met and whether it was on business "
            "or to know each other better; meeting_attendance.csv for who came.",
        )  # fmt: skip
    every = known[known["held_on"] <= pd.Timestamp(window.until)]
    return _Log(
        programme, window, weeks, every, every[window.holds(every["held_on"])],
        half_years(programme, known["held_on"], window), named_places(programme, window, every),
        _lists(programme, window, every), len(programme.meetings) - len(own),
    )  # fmt: skip


def named_places(programme: Programme, window: register.Window, log: pd.DataFrame) -> pd.Series[str]:
    """The places of the programme that had begun, by id; a larger place to which no row of the log belongs is none."""
    places = programme.places.set_index("place_id")
    begun = ~(places["start"] > pd.Timestamp(window.until))
    larger = places.index.isin(places["parent_id"].dropna()) & ~places.index.isin(log["place"])
    places = places[begun & ~larger & ~places.index.isin(circumstances.comparison_places(programme))]
    return pd.Series(named(programme, "place"), dtype=object).reindex(places.index)


def _lists(programme: Programme, window: register.Window, every: pd.DataFrame) -> pd.DataFrame:
    """Who was on the lists of these meetings, and for which organisation that day, by the name it has at the end."""
    lists = programme.meeting_attendance
    lists = lists[~lists["person_id"].isin(circumstances.comparison_leaders(programme))]
    lists = lists.merge(every[["meeting_id", "held_on"]], on="meeting_id")
    worked = {day: programme.organisations_on(day.date()).to_dict() for day in lists["held_on"].unique()}
    then = [worked[day].get(person) for day, person in zip(lists["held_on"], lists["person_id"], strict=True)]
    lists = lists.assign(organisation=pd.Series(then, index=lists.index, dtype=object))
    now = {found: programme.successor(found, window.until) for found in lists["organisation"].dropna().unique()}
    return lists.assign(organisation=lists["organisation"].map(now), present=lists["present"].astype(bool))


def _months(half: HalfYear) -> float:
    return ((half.last - half.first).days + 1) / MONTH


def _row(measure: str, group: str, by: str, months: float = float("nan"), **said: Any) -> dict[str, Any]:
    """A row of meetings unless `n_of` says otherwise."""
    return register.row(measure, group, by=by, months=months, **{"n_of": "meetings", **said})


def _share(measure: str, group: str, by: str, n: int, out_of: int, of: str, n_of: str = "meetings") -> dict[str, Any]:
    return register.share(measure, group, n, out_of, of=of, n_of=n_of, by=by, months=float("nan"))


def _range(values: pd.Series[Any]) -> dict[str, Any]:
    """The place in the middle, and the range of places; nothing of none."""
    if values.empty:
        return {"estimate": float("nan")}
    ends = {"low": float(values.min()), "high": float(values.max()), "interval": "range"}
    return {"estimate": float(values.median()), **ends}


def _meetings(log: _Log) -> Iterator[dict[str, Any]]:
    """How many, and how many a month; then in the place in the middle, where meetings say which place they were of."""
    held = _row(HELD, ALL, EVERYTHING, n=len(log.held), unit="meetings")
    if log.held.empty:
        ask = f"No meeting is on record, {log.window.words}: did nobody meet, or did nobody write it down?"
        held = register.signed(held, Sign.UNCERTAIN, ask)
    yield held
    for group, by, meetings, months in log.cuts:
        rate = len(meetings) / months if months else float("nan")
        yield _row(A_MONTH, group, by, months, n=len(meetings), unit="meetings a month", estimate=rate)
    if log.every["place"].isin(log.places.index).any():
        for group, by, meetings, months in log.cuts:
            rates = meetings["place"].value_counts().reindex(log.places.index, fill_value=0) / months
            yield _row(MIDDLE, group, by, months, n=len(rates), unit="meetings a month", n_of="places", **_range(rates))


def _kinds(log: _Log) -> Iterator[dict[str, Any]]:
    """How people met and what for, of the meetings of which that was written down."""
    for group, by, meetings, _ in log.cuts:
        known = meetings["mode"].dropna()
        yield _share(IN_PERSON, group, by, int((known == "face_to_face").sum()), len(known), "meetings with a mode")
    known = log.held["mode"].dropna()
    for mode in MODES:
        yield _share(MODE, words.plain(mode), "mode", int((known == mode).sum()), len(known), "meetings with a mode")
    for group, by, meetings, _ in log.cuts:
        known = meetings["purpose"].dropna()
        n = int((known == "relational").sum())
        row = _share(RELATIONAL, group, by, n, len(known), "meetings with a purpose")
        if by == EVERYTHING and len(known) and not n:
            ask = f"All {words.counted(len(known), 'meeting')} were on business: when is there time to know each other?"
            row = register.signed(row, Sign.UNCERTAIN, ask)
        yield row


def _places(log: _Log) -> Iterator[dict[str, Any]]:
    """How long ago each place last met, in all and place by place; and how many meetings each had."""
    if not log.every["place"].isin(log.places.index).any():
        return
    last = log.every.groupby("place")["held_on"].max().reindex(log.places.index)
    days = (pd.Timestamp(log.window.until) - last).dt.days
    met = days.dropna()
    yield _row(SINCE_MIDDLE, ALL, EVERYTHING, n=len(met), unit="days, median", n_of="places", **_range(met))
    n, of = int((~(days <= 7 * log.weeks)).sum()), len(days)
    lately = words.counted(log.weeks, "week")
    ask = (
        f"In {words.of(n, of)} places no meeting is on record for more than {lately}: did nobody meet, or did nobody "
        "write it down?"
        if n
        else f"Every place met in the last {lately}: was there time for each other too?"
    )
    yield register.signed(_share(QUIET, ALL, EVERYTHING, n, of, "places", "places"), register.sign_of(of - n, of), ask)
    for name, ids in log.places.groupby(log.places).groups.items():
        yield _row(HELD, str(name), PLACE, n=int(log.held["place"].isin(ids).sum()), unit="meetings")
    for at in log.places[log.places != circumstances.NOT_NAMED].sort_values(kind="stable").index:
        n = int((log.every["place"] == at).sum())
        yield _row(SINCE, log.places[at], PLACE, n=n, unit="days", estimate=float(days[at]))


def _organisations(log: _Log) -> Iterator[dict[str, Any]]:
    """Where lists were kept: which meetings joined organisations, which pairs met lately, and how often a pair did."""
    many = len(log.organisations)
    if many < 2 or log.tells:
        return
    came = log.lists[log.lists["present"]].dropna(subset="organisation")
    kept = log.held[log.held["meeting_id"].isin(log.lists["meeting_id"])]
    joined = came.groupby("meeting_id")["organisation"].nunique()
    n = int((joined.reindex(kept["meeting_id"], fill_value=0) > 1).sum())
    yield _share(JOINED, ALL, EVERYTHING, n, len(kept), "meetings with a list")
    pairs = many * (many - 1) // 2
    lately = pd.Timestamp(log.window.until) - pd.DateOffset(months=RECENT)
    recent = came[came["held_on"] > lately].groupby("meeting_id")["organisation"]
    met = len({pair for _, there in recent for pair in combinations(sorted(set(there)), 2)})
    row = _share(PAIRS, ALL, EVERYTHING, met, pairs, "pairs of organisations on any list", "pairs")
    if met < pairs:
        ask = f"{words.of(pairs - met, pairs)} pairs of organisations did not meet in {RECENT} months: which should?"
        row = register.signed(row, Sign.UNCERTAIN, ask)
    yield row
    yield from _often(log, joined * (joined - 1) // 2, pairs)


def _often(log: _Log, together: pd.Series[int], pairs: int) -> Iterator[dict[str, Any]]:
    """How often a pair met, a month: over the half years in which any list was kept, and in each of them."""
    counted = []
    for group, by, meetings, months in log.cuts[1:]:
        kept = meetings["meeting_id"][meetings["meeting_id"].isin(log.lists["meeting_id"])]
        counted += [(group, by, int(together.reindex(kept, fill_value=0).sum()), months)] if len(kept) else []
    whole = [(ALL, EVERYTHING, sum(n for *_, n, _ in counted), sum(months for *_, months in counted))]
    for group, by, n, months in [*whole, *counted] if counted else []:
        yield _row(OFTEN, group, by, months, n=n, unit="meetings a pair and month", n_of="meetings of a pair",
                   estimate=n / pairs / months)  # fmt: skip


def rows_of(table: pd.DataFrame, *measures: str, group: str = ALL) -> tuple[int, ...]:
    """Where the rows of these measures stand, of everything unless a group is named."""
    return tuple(int(at) for at in table.index[table["measure"].isin(measures) & (table["group"] == group)])


def figures(table: pd.DataFrame, measure: str, group: str = ALL) -> dict[str, Any]:
    """A row's figures, or none where there is no such row."""
    return {str(name): value for at in rows_of(table, measure, group=group) for name, value in table.loc[at].items()}


def _headline(log: _Log, table: pd.DataFrame) -> Sentence:
    if log.held.empty:
        return Sentence(f"No meeting is on record, {log.window.words}", rows=rows_of(table, HELD))
    held, row = words.counted(len(log.held), "meeting"), figures(table, RELATIONAL)
    if not row["out_of"]:
        return Sentence(f"{held}; what for is not recorded", rows=rows_of(table, HELD))
    some = f"{row['n']} of them" if row["out_of"] == len(log.held) else words.of(row["n"], row["out_of"])
    return Sentence(f"{held}, {some} held to know each other better", rows_of(table, HELD, RELATIONAL))


def _sentences(log: _Log, table: pd.DataFrame) -> list[Sentence]:
    """How many; how and what for; how long ago; which organisations."""
    if log.held.empty:
        return [
            Sentence(f"No meeting is on record, {log.window.words}; the log holds other times.", rows_of(table, HELD))
        ]
    met = words.sentence_case(words.counted(len(log.held), "meeting"))
    said = [Sentence(f"{met} {'is' if len(log.held) == 1 else 'are'} on record, {log.window.words}: "
                     f"{_paces(log, table)}.", rows=rows_of(table, HELD))]  # fmt: skip
    kinds = {"face to face": IN_PERSON, "held to know each other better": RELATIONAL}
    rows = [(what, figures(table, measure)) for what, measure in kinds.items()]
    told = [
        f"{words.of(row['n'], row['out_of'])} {'was' if row['n'] == 1 else 'were'} {what} "
        f"({words.number(row['estimate'], 0)}%)"
        for what, row in rows
        if row["out_of"]
    ]
    if told:
        text = f"Of meetings of which it was written down, {words.listed(told)}."
        said.append(Sentence(text, rows=rows_of(table, *kinds.values())))
    since, quiet = figures(table, SINCE_MIDDLE), figures(table, QUIET)
    if quiet:
        ago = f"had last met {since['estimate']:g} days before" if since["n"] else "had never met"
        text = (
            f"On {words.day(log.window.until)} the place in the middle {ago}; in "
            f"{words.of(quiet['n'], quiet['out_of'])} no meeting is on record for more than "
            f"{words.counted(log.weeks, 'week')}."
        )
        said.append(Sentence(text, rows=rows_of(table, SINCE_MIDDLE, QUIET)))
    return [*said, *_of_organisations(table)]


def _paces(log: _Log, table: pd.DataFrame) -> str:
    """How many a month in the first half year and the last whole one: of the place in the middle where it is known."""
    measure, where = (MIDDLE, "in the place in the middle ") if rows_of(table, MIDDLE) else (A_MONTH, "")
    paces = {}
    whole = [half for half in log.halves if half.whole and half.number] or log.halves
    for label in (log.halves[0].label, whole[-1].label):
        rate = words.number(figures(table, measure, label)["estimate"], 1)
        paces[label] = f"{rate} a month ({label[:1].lower()}{label[1:]})"
    return f"{where}{words.listed(list(paces.values()))}"


def _of_organisations(table: pd.DataFrame) -> list[Sentence]:
    joined, pairs, often = (figures(table, measure) for measure in (JOINED, PAIRS, OFTEN))
    if not pairs:
        return []
    rate = f", and a pair met {words.significant(often['estimate'])} times a month" if often else ""
    text = (
        f"Of {words.counted(joined['out_of'], 'meeting')} with a list of who came, {joined['n']} joined two "
        f"organisations or more; {words.of(pairs['n'], pairs['out_of'])} pairs of organisations met in the last "
        f"{RECENT} months{rate}."
    )
    return [Sentence(text, rows=rows_of(table, JOINED, PAIRS, OFTEN))]


def _marks(log: _Log, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar a half year: meetings a month, and beside it how many of them were not on business."""
    drawn = []
    for at, row in table[(table["measure"] == A_MONTH) & (table["by"] == HALF_YEAR)].to_dict("index").items():
        relational = figures(table, RELATIONAL, row["group"])
        other = f" ({words.number(relational['n'] / row['months'], 1)})" if relational["out_of"] else ""
        label = f"{words.number(row['estimate'], 1)}{other}"
        drawn.append({"mark": "bar", "x": row["group"], "y": row["estimate"], "row": at, "label": label})
    subtitle = f"Meetings a month (of these, to know each other better), {log.programme.title}, {log.window.words}"
    return charts.marks(drawn, headline=headline, subtitle=subtitle)


def _cautions(log: _Log, table: pd.DataFrame) -> list[Sentence]:
    said = ["How often people met is counted, not how well; a meeting that nobody wrote down looks like none."]
    listed = int(log.held["meeting_id"].isin(log.lists["meeting_id"]).sum())
    if not listed:
        said.append("Who came was not recorded, so which organisations met is not known.")
    elif len(log.organisations) < 2:
        said.append(
            "Whoever was on a list worked for one organisation, or for none on record: no two are known to meet."
        )
    elif log.tells:
        said.append("Which organisations met is not given: so few are on the lists that it would tell of one person.")
    elif listed < len(log.held):
        said.append(f"Who came is known for {words.of(listed, len(log.held))} meetings: pairs met at least so often.")
    no_place = int((~log.held["place"].isin(log.places.index)).sum())
    if no_place:
        said.append(f"{words.counted(no_place, 'meeting')} of all places, or of none on record, in no place's count.")
    for column in ("mode", "purpose"):
        blank = int(log.held[column].isna().sum())
        if blank:
            meetings = "meeting" if len(log.held) == 1 else "meetings"
            said.append(f"The {column} of {words.of(blank, len(log.held))} {meetings} was not recorded.")
    if log.halves and not log.halves[0].number:
        said.append("The time before the start is counted from the first meeting in the log.")
    if not all(half.whole for half in log.halves):
        said.append("A half year marked as a part lies only partly in the time asked about.")
    if (log.places == circumstances.NOT_NAMED).any():
        said.append("Places that said no to being named stand together, and without the days since they met.")
    if log.elsewhere:
        said.append(f"{words.counted(log.elsewhere, 'meeting')} of comparison places left out.")
    return [Sentence(words.sentence_case(text)) for text in (*said, *([SIGN_RULE] if "sign" in table else []))]
