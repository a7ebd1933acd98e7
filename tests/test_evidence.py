"""Grades and attribution by the printed rule."""

from __future__ import annotations

import pytest

from evalkit.evidence import ATTRIBUTION_RULES, RULES, attribution, grade
from evalkit.terms import Attribution, Design, Verdict


@pytest.mark.parametrize(
    ("asked", "maryland", "nesta"),
    [
        ({"design": Design.DESCRIBED}, 1, 1),
        ({"design": Design.BEFORE_AFTER}, 1, 2),
        ({"design": Design.INTERRUPTED}, 1, 2),
        ({"design": Design.INTERRUPTED, "comparison": True}, 2, 2),
        ({"design": Design.INTERRUPTED, "comparison": True, "comparable": True}, 3, 3),
        ({"design": Design.COMPARED}, 2, 2),
        ({"design": Design.COMPARED, "comparable": True}, 3, 3),
        ({"design": Design.RANDOMISED}, 5, 3),
        ({"design": Design.DESCRIBED, "said": True}, None, None),
    ],
)
def test_a_design_earns_its_grade_and_no_more(asked, maryland, nesta):
    earned = grade(**asked)
    assert (earned.maryland, earned.nesta) == (maryland, nesta)


def test_only_a_clear_change_can_be_asked_why():
    compared = grade(Design.COMPARED, comparable=True)
    for verdict in Verdict:
        clear = verdict in (Verdict.IMPROVED, Verdict.WORSENED, Verdict.ROSE, Verdict.FELL, Verdict.MIXED)
        said = attribution(compared, verdict)
        assert said is (Attribution.DIFFERENCE if clear else Attribution.CANNOT_TELL)


def test_consistent_needs_people_outside_who_agree_and_no_rival():
    alone = grade(Design.BEFORE_AFTER, informants=("self",))
    rivalled = grade(Design.BEFORE_AFTER, informants=("self",), rivals=("Warm Homes grants",))
    assert attribution(alone, Verdict.IMPROVED) is Attribution.CANNOT_TELL
    assert attribution(alone, Verdict.IMPROVED, outside_agrees=True) is Attribution.CONSISTENT
    assert attribution(rivalled, Verdict.IMPROVED, outside_agrees=True) is Attribution.CANNOT_TELL
    assert attribution(grade(Design.DESCRIBED), Verdict.ROSE, outside_agrees=True) is Attribution.CANNOT_TELL


def test_plausibly_contributed_is_never_given_by_a_design():
    for design in Design:
        for comparable in (True, False):
            for agrees in (True, False):
                given = grade(design, comparable=comparable)
                said = {attribution(given, verdict, outside_agrees=agrees) for verdict in Verdict}
                assert Attribution.PLAUSIBLY_CONTRIBUTED not in said


def test_every_rule_that_is_applied_is_printed():
    assert {rule for rule, _ in ATTRIBUTION_RULES} == set(Attribution)
    assert {grade(design).rule for design in Design} <= set(RULES)
