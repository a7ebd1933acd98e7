"""Arrange Results: the first screen, the page, the ledger of claims, the bundle. `ek.report` lives here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.terms import Audience

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.result import Result


@dataclass(frozen=True, slots=True)
class Report:
    """Answers an audience may see, arranged on one page."""

    results: tuple[Result, ...]
    audience: Audience

    @property
    def ledger(self) -> pd.DataFrame:
        """One row a claim: the sentence, its number, its interval, what it rests on."""
        from evalkit.reporting import ledger

        return ledger.of(self.results)

    def save(self, path: str | Path) -> Path:
        """Write the whole page as one self-contained HTML file. Returns where."""
        from evalkit.errors import Refused
        from evalkit.reporting import page
        from evalkit.reporting.facts import Facts

        target = Path(path)
        if target.suffix != ".html":
            raise Refused(f"A report is saved as .html, not {target.suffix or 'a file without an ending'}.")
        written = page.report(Facts.from_results(self.results), self.results, self.audience)
        target.write_text(written, encoding="utf-8", newline="\n")
        return target

    def _repr_html_(self) -> str:
        from evalkit.reporting import page
        from evalkit.reporting.facts import Facts

        return page.first_screen(Facts.from_results(self.results), self.results)


def report(results: Iterable[Result], *, audience: str = "commissioner") -> Report:
    """Arrange answers for an audience: `team`, `commissioner` or `public`.

    The first answer given to each of the three questions is its primary one. Each passes through `disclosure.protect`;
    an answer about single people is refused. `.save("report.html")` writes the page; `.ledger` lists the claims.
    """
    from evalkit.disclosure import protect
    from evalkit.reporting.facts import Facts, shown_to

    readers = shown_to(audience)
    answers = tuple(protect(answer, readers) for answer in results)
    Facts.from_results(answers)
    return Report(answers, readers)
