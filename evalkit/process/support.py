"""When do teams ask for help, and with what?"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.register import Window
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "When do teams ask for help, and with what?"
METHOD = Method(
    name="Counts of requests for help by theme and by half-year of the programme, and the days until help came",
    source="AQuA, ten learning points: leadership teams request help at different points in the life of their work.",
    assumes="Every request was written down, with the day it was made and the day help came.",
    design=Design.DESCRIBED,
)
MONTHS = 6
"""A period of the programme: half a year, as the programme's own reviews are (a judgement)."""
WAITS = 90
"""Days after which a request is due an answer: a quarter of a year, a judgement no programme has agreed to."""
QUIET_RULE = "no request at all: uncertain, since nobody may need help or nobody may know whom to ask"
"""What silence looks like (a judgement)."""
THEME, PERIOD, BOTH, EVERYTHING = "theme", "period", "theme in period", "everything"
"""What cuts the rows: the values of the column `by`."""


def support(programme: Programme, *, since: date | None = None, until: date | None = None) -> Result:
    """When do teams ask for help, and with what?

    Needs: `support_requests`; `teams` for how many of them asked. Requests made from `since` to `until`, by theme and
    by half-year since the programme began (since the first request, where nobody recorded the beginning). A request
    answered after `until` was open then. Table extras: n_of, by (what cuts the rows), period (its half-year), out_of,
    sign and ask.
    What would mislead: many requests are no failing, and few are no success.
    Errors: `NotEnoughEvidence` when no request was recorded.

    >>> import evalkit as ek
    >>> support(ek.load("sample_data/northmere")).headline
    '33 requests for help, 27 answered and 6 still open'
    """
    if _log(programme).empty:
        raise register.not_recorded(
            QUESTION, "No request for help was recorded.",
            "support_requests.csv: one row a request, with its theme, the day of asking and the day help came.",
        )  # fmt: skip
    window = register.window(programme, since, until)
    asked = _asked(programme, window)
    rows = [*_everything(programme, asked, window), *_cut(asked, THEME, [THEME]), *_cut(asked, PERIOD, [PERIOD])]
    rows += _cut(asked, BOTH, [PERIOD, THEME])
    table = register.table(rows, extras=("by", "period"))
    headline = _headline(table)
    drawn = table.index[(table["measure"] == "Requests") & (table["by"] != BOTH) & (table["by"] != EVERYTHING)]
    marks = register.bars(
        table, drawn, by="group", headline=headline.text,
        subtitle=f"Requests for help, by theme and by months of the programme, {programme.title}, {window.words}",
    )  # fmt: skip
    return register.counted(
        programme, f"process.support({window.asked})", question=QUESTION, headline=headline,
        sentences=_sentences(asked, table), table=table, marks=marks.assign(n=float("nan")), method=METHOD,
        cautions=_cautions(programme, table), n=int(asked["answered"].sum()), of=len(asked), counts="requests",
    )  # fmt: skip


def _log(programme: Programme) -> pd.DataFrame:
    """The requests of the programme, without those of teams in places to compare with."""
    log = programme.support_requests
    home = log["team_id"].map(programme.teams.set_index("team_id")["place_id"])
    return log[~home.isin(circumstances.comparison_places(programme))]


def _asked(programme: Programme, window: Window) -> pd.DataFrame:
    """The requests of the window, each with its theme and period in words, and how it stood at the window's end."""
    log = _log(programme)
    found = log[window.holds(log["asked_on"])]
    answered = found["answered_on"] <= pd.Timestamp(window.until)
    begins = pd.Timestamp(programme.starts_on) if programme.starts_on else log["asked_on"].min()
    return found.assign(
        theme=found["theme"].map(words.plain),
        number=_periods(found["asked_on"], begins),
        answered=answered.astype(bool),
        days=(found["answered_on"] - found["asked_on"]).dt.days.where(answered),
    ).assign(period=lambda held: held["number"].map(_period))


def _periods(days: pd.Series[Any], begins: pd.Timestamp) -> pd.Series[int]:
    """Which half-year of the programme each day lies in: 0 the first, below 0 before it began."""
    months = 12 * (days.dt.year - begins.year) + days.dt.month - begins.month
    whole = months - (days.dt.day < begins.day).astype(int)
    return pd.Series(whole // MONTHS, dtype=int)


def _period(number: int) -> str:
    """A half-year of the programme in words.

    >>> _period(0), _period(2), _period(-1)
    ('months 1 to 6', 'months 13 to 18', 'before the beginning')
    """
    return "before the beginning" if number < 0 else f"months {MONTHS * number + 1} to {MONTHS * (number + 1)}"


def _counts(held: pd.DataFrame, group: str, **said: Any) -> list[dict[str, Any]]:
    """Requests, how many were answered and how soon, and how many are open."""
    answered = int(held["answered"].sum())
    middle = float(held["days"].median()) if answered else float("nan")
    return [
        register.row("Requests", group, n=len(held), unit="requests", n_of="requests", **said),
        register.share("Answered", group, answered, len(held), of="requests", n_of="requests", **said),
        register.row("Days to an answer, median", group, n=answered, unit="days", n_of="requests", estimate=middle,
                     **said),
        register.share("Still open", group, len(held) - answered, len(held), of="requests", n_of="requests", **said),
    ]  # fmt: skip


def _everything(programme: Programme, asked: pd.DataFrame, window: Window) -> list[dict[str, Any]]:
    """All requests, with what to talk about, and how many teams asked."""
    said = {"by": EVERYTHING, "period": ""}
    made, answered, days, still_open = _counts(asked, ALL, **said)
    if asked.empty:
        made = register.signed(made, Sign.UNCERTAIN, "No request for help was made: do teams know whom to ask?")
    else:
        still_open = _signed(asked, still_open, window)
    rows = [made, answered, days, still_open]
    elsewhere = circumstances.comparison_places(programme)
    teams = set(programme.teams.loc[~programme.teams["place_id"].isin(elsewhere), "team_id"])
    if teams:
        rows.append(register.share("Teams that asked", ALL, len(teams & set(asked["team_id"])), len(teams), of="teams",
                                   n_of="teams", **said))  # fmt: skip
    return rows


def _signed(asked: pd.DataFrame, still_open: dict[str, Any], window: Window) -> dict[str, Any]:
    """The row of open requests with its sign: of those made long enough ago, how many were answered."""
    due = asked[(pd.Timestamp(window.until) - asked["asked_on"]).dt.days >= WAITS]
    left = asked.loc[~asked["answered"], "asked_on"]
    sign = register.sign_of(int(due["answered"].sum()), len(due))
    if left.empty:
        return register.signed(still_open, sign, f"All {words.counted(len(asked), 'request')} for help were answered: "
                               "did the help that came meet them?")  # fmt: skip
    verb = "is" if len(left) == 1 else "are"
    ask = f"{words.of(len(left), len(asked))} requests for help {verb} still open, the oldest since "
    return register.signed(still_open, sign, f"{ask}{words.day(left.min())}: who can help, and which has lapsed?")


def _cut(asked: pd.DataFrame, by: str, columns: list[str]) -> list[dict[str, Any]]:
    """The same counts by theme (in the order of the alphabet), by period (in order of time), or of one in the other."""
    in_time = {PERIOD: "number", THEME: "theme"}
    rows = []
    for _, held in asked.groupby([in_time[name] for name in columns]):
        first = held.iloc[0]
        group = ", ".join(str(first[name]) for name in columns)
        period = str(first[PERIOD]) if PERIOD in columns else ""
        rows += _counts(held, group, by=by, period=period)[: 1 if by == BOTH else None]
    return rows


def _headline(table: pd.DataFrame) -> Sentence:
    made, answered, _, still_open = table["n"].iloc[:4]
    said = f", {answered} answered and {still_open} still open" if made else ""
    return Sentence(f"{words.sentence_case(words.counted(made, 'request'))} for help{said}", rows=(0, 1, 3))


def _sentences(asked: pd.DataFrame, table: pd.DataFrame) -> list[Sentence]:
    """How many and how soon; with what; when."""
    made = f"{words.sentence_case(words.counted(len(asked), 'request'))} for help"
    if asked.empty:
        return [Sentence(f"{made} in this time; the log holds others.", rows=(0,))]
    teams = table.index[table["measure"] == "Teams that asked"]
    who = [f", by {words.of(table.loc[at, 'n'], table.loc[at, 'out_of'])} teams" for at in teams]
    said = [Sentence(f"{made} from {words.month(asked['asked_on'].min())} to {words.month(asked['asked_on'].max())}"
                     f"{''.join(who)}.", rows=(0, *map(int, teams)))]  # fmt: skip
    if asked["answered"].any():
        said.append(Sentence(
            f"{words.of(int(asked['answered'].sum()), len(asked))} were answered, half of them within "
            f"{words.number(float(asked['days'].median()), 0)} days; {int((~asked['answered']).sum())} are still open.",
            rows=(1, 2, 3),
        ))  # fmt: skip
    else:
        said.append(Sentence(f"{words.of(0, len(asked))} were answered.", rows=(1, 3)))
    for by, opening, between in ((THEME, "By theme", " on "), (PERIOD, "Over the programme", " in ")):
        rows = table[(table["by"] == by) & (table["measure"] == "Requests")]
        named = [f"{n}{between}{group}" for group, n in zip(rows["group"], rows["n"], strict=True)]
        said.append(Sentence(f"{opening}: {words.listed(named)}.", rows=tuple(rows.index)))
    return said


def _cautions(programme: Programme, table: pd.DataFrame) -> list[Sentence]:
    """What requests do not show, how the periods are counted, and what the sign rests on."""
    said = ["Many requests may mean trust in those asked, and few that nobody knew whom to ask."]
    if programme.starts_on is None:
        said.append("Nobody recorded when the programme began: periods are counted from the first request.")
    log = _log(programme)
    if len(log) < len(programme.support_requests):
        said.append("Requests of teams in places to compare with are left out.")
    if log["team_id"].isna().any():
        said.append("Some requests came from a place and name no team: these are in no count of teams.")
    if table["n"].iloc[0]:
        said.append(f"The sign of open requests rests on those made {WAITS} days or more before the end of this time "
                    f"(a judgement): {register.SIGN_RULE}.")  # fmt: skip
    else:
        said.append(f"The sign rests on a judgement: {QUIET_RULE}.")
    return [Sentence(text) for text in said]
