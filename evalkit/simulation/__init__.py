"""A programme whose truth is known: to try evalkit on, and to find out how often it is wrong.

`simulate` makes one, `write` puts it in a folder. What may be planted is listed in `EFFECTS`; how an answer or a count
comes about is told where it is drawn: `people` and `scoring` (leaders), `maturity`, `relations`, `lives`, and for the
smaller tables beside their settings; `truth.MEANINGS` says what is known of those.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from evalkit.simulation import truth
from evalkit.simulation.agreed import settings
from evalkit.simulation.effects import EFFECTS, Effect, planted
from evalkit.simulation.scenario import Process, Scenario
from evalkit.simulation.world import ASKED, BY_NAME, PARTS, USUAL, World
from evalkit.simulation.writing import write

if TYPE_CHECKING:
    from evalkit.programme import Programme

__all__ = ["ASKED", "BY_NAME", "EFFECTS", "PARTS", "Effect", "Scenario", "World", "planted", "simulate", "write"]


def simulate(
    *,
    seed: int,
    effects: Mapping[str, float] | None = None,
    leaders: int = 150,
    teams: int = 24,
    places: int = 19,
    programme_places: int = 12,
    waves: int = 4,
    months: int = 60,
    team_icc: float = 0.10,
    dropout: float = 0.25,
    dropout_on_baseline: float = 0.30,
    nonresponse: float = 0.05,
    rho: float = 0.30,
    process: Process = "observation",
    overdispersion: float = 2.0,
    admissions: float = 300.0,
    events: bool = True,
    tables: Collection[str] | None = None,
    asked: Collection[str] | None = None,
) -> Programme:
    """An invented programme, always FICTIONAL, with what is true of it in `programme.truth`.

    `effects` plants true effects in each measure's own terms (`EFFECTS` lists them); None plants the defaults, {}
    nothing at all. `team_icc=0` makes leaders independent; `dropout=0, nonresponse=0` makes everybody answer
    everything; `events=False` leaves out what happened elsewhere; see `Scenario` for the rest.

    `tables` names the parts wanted beside people, places and waves, out of `PARTS`, and `asked` whose answers, out of
    `ASKED`. None is all of them but `admissions` (a row a patient's stay, tens of thousands), which is made when named;
    fewer is faster: `tables=("responses",), asked=("self",)` for leaders alone, `tables=("outcomes",)` for counts of
    admissions alone. Leaving a part out changes nothing in the others, and the same
    arguments give the same programme, to the byte.

    Raises ValueError for a measure nobody can plant, a part nobody knows, or a size that cannot be.

        programme = ek.simulate(seed=1, effects={"system_leadership": 0.3}, tables=("responses", "outcomes"))
        programme.truth["expected"]["system_leadership"]["change"]      # 0.3
    """
    from evalkit.programme import Programme

    scenario = Scenario(
        effects=planted(effects),
        leaders=leaders,
        teams=teams,
        places=places,
        programme_places=programme_places,
        waves=waves,
        months=months,
        team_icc=team_icc,
        dropout=dropout,
        dropout_on_baseline=dropout_on_baseline,
        nonresponse=nonresponse,
        rho=rho,
        process=process,
        overdispersion=overdispersion,
        admissions=admissions,
        events=events,
    )
    parts, answering = _known("tables", tables, PARTS, USUAL), _known("asked", asked, ASKED, ASKED)
    world = World(scenario, seed)
    return Programme.build(settings=settings(scenario), tables=world.tables(parts, answering), truth=truth.of(world))


def _known(
    setting: str, wanted: Collection[str] | None, known: Collection[str], usual: Collection[str]
) -> Collection[str]:
    """The usual ones for None; ValueError for a name that is none of them."""
    unknown = sorted(set(wanted or ()) - set(known))
    if unknown:
        raise ValueError(f"simulate: {setting} does not know {', '.join(unknown)}. Known: {', '.join(known)}.")
    return usual if wanted is None else wanted
