"""The data dictionary says what the models say, and the files on disk say it too."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from data_schemas import dictionary
from data_schemas.dictionary import PAGE, SCHEMAS, files, markdown, table_schemas
from data_schemas.tables import families, models, references, schema
from evalkit.programme import load
from evalkit.reading import to_csv_text

ROOT = Path(__file__).parent.parent
CLEAN = Path(__file__).parent / "broken" / "clean"


def test_the_files_on_disk_are_current() -> None:
    for path, text in files().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path}: run python -m data_schemas.dictionary"
    assert {path.name for path in (ROOT / SCHEMAS).iterdir()} == {f"{name}.json" for name in models()}


def test_writing_removes_what_is_no_table_any_more(tmp_path: Path) -> None:
    (tmp_path / PAGE.parent).mkdir(parents=True)
    (tmp_path / SCHEMAS).mkdir(parents=True)
    (tmp_path / SCHEMAS / "gone.json").write_text("{}")
    dictionary.main(tmp_path)
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")} == files().keys()
    shutil.rmtree(tmp_path / "notebooks")
    with pytest.raises(SystemExit, match="no checkout"):
        dictionary.main(tmp_path)


@pytest.mark.parametrize("table", sorted(models()))
def test_every_column_is_in_the_page_and_in_the_schema(table: str) -> None:
    section = re.split(r"\n##+ ", markdown().split(f"\n### {table}\n")[1])[0]
    said = json.loads((ROOT / SCHEMAS / f"{table}.json").read_text(encoding="utf-8"))
    columns = schema(table).columns
    assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == list(columns)
    assert [field["name"] for field in said["fields"]] == list(columns)
    for name, field in zip(columns, said["fields"], strict=True):
        assert f"**{field['title']}.** {field['description']}".replace("|", "\\|") in section
        assert field["constraints"].get("required", False) is not columns[name].nullable
        for word in field["constraints"].get("enum", []):
            assert f"`{word}`" in section
    for target in {target for targets in references(table).values() for target in targets}:
        assert f"(#{target})" in section
    for rule in schema(table).checks:
        assert str(rule.error) in section


def test_the_page_is_a_page() -> None:
    page = markdown()
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == [family.partition(":")[0] for family in families()]
    assert re.findall(r"^### (.*)$", page, re.MULTILINE) == list(models())
    assert set(re.findall(r"\]\(#(\w+)\)", page)) == set(models()), "every link leads to a table, and each is linked"
    for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()} == {6}


def test_kinds_limits_and_keys_by_the_names_of_the_standard() -> None:
    found = table_schemas()
    fields = {(table, field["name"]): field for table, said in found.items() for field in said["fields"]}
    assert fields["places", "may_be_named"]["trueValues"] == ["yes"]
    assert fields["waves", "wave"]["constraints"] == {"required": True, "unique": True, "minimum": 0}
    assert fields["outcomes", "denominator"]["constraints"] == {"exclusiveMinimum": 0}
    assert fields["outcomes", "span"]["constraints"]["enum"] == [1, 3, 12]
    assert fields["outcomes", "span"]["derivedFrom"] == "period"
    assert fields["admissions", "age"]["constraints"] == {"minimum": 0, "maximum": 120}
    assert fields["sessions", "held_on"]["type"] == "date"
    assert found["people"]["primaryKey"] == ["person_id"]
    assert found["responses"]["uniqueKeys"] == [schema("responses").unique]
    assert "primaryKey" not in found["responses"], "an edition may be blank"
    own = {"fields": ["parent_id"], "reference": {"fields": ["place_id"]}}
    assert own in found["places"]["foreignKeys"], "a reference to the same table names no resource"
    assert fields["codes", "source_id"]["refersTo"] == ["stories", "excerpts"]
    assert "foreignKeys" not in found["codes"]


@pytest.mark.parametrize("table", sorted(models()))
def test_patterns_and_words_of_the_schema_take_the_clean_rows(table: str, tmp_path: Path) -> None:
    """Read as another program would: by the schema alone, the pattern anchored at both ends."""
    text = to_csv_text(getattr(load(CLEAN), table), table)
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    cells = pd.read_csv(tmp_path / "table.csv", dtype=str, keep_default_na=False)
    said = table_schemas()[table]
    fields = {field["name"]: field for field in said["fields"]}
    number = {"integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "date": r"\d{4}-\d\d-\d\d", "boolean": "yes|no"}
    for name, values in cells.items():
        limits, kind = fields[str(name)]["constraints"], fields[str(name)]["type"]
        for value in values[values != ""]:
            assert re.fullmatch(number.get(kind, r"[\s\S]*"), value), (name, value)
            assert re.fullmatch(limits.get("pattern", r"[\s\S]*"), value), (name, value)
            assert value in [str(word) for word in limits.get("enum", [value])]
            assert kind not in ("integer", "number") or float(value) >= limits.get("minimum", float("-inf"))
        assert not (limits.get("required") and (values == "").any())
        assert not (limits.get("unique") and values.duplicated().any())
