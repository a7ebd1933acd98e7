"""The same expression on Spark: cell by cell what DuckDB and pandas count. Skipped without pyspark or Java.

Spark runs in a process of its own: it warns of pandas 3, which is an error here. Where pyspark is installed apart from
everything else, EVALKIT_SPARK names that folder.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from evalkit.reading.admissions import counts
from tests.test_admissions_counted import people, put

ON_SPARK = """
import sys
from pathlib import Path
from pyspark.sql import SparkSession
from evalkit.reading.admissions import counts

said = {
    "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1", "spark.sql.shuffle.partitions": "1", "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false", "spark.driver.memory": "512m", "spark.local.dir": sys.argv[1],
    "spark.sql.warehouse.dir": sys.argv[1],
}
building = SparkSession.builder.master("local[1]").appName("counts")
for name, value in said.items():
    building = building.config(name, value)
spark = building.getOrCreate()
folder = Path(sys.argv[1])
found = counts(spark.read.parquet(str(folder / "a.parquet")), ages="65+", people=True)
found.to_csv(folder / "frame.csv", index=False)
counts(folder / "a.csv", by=("sex",), span=12, spark=spark).to_csv(folder / "text.csv", index=False)
spark.stop()
"""


def without_spark() -> str:
    """Why Spark cannot run here; blank where it can."""
    apart = os.environ.get("EVALKIT_SPARK", "")
    if not (Path(apart, "pyspark").is_dir() if apart else importlib.util.find_spec("pyspark")):
        return "pyspark is not installed (the extra evalkit[spark])"
    return "" if shutil.which("java") else "there is no Java for Spark to run on"


@pytest.mark.skipif(bool(without_spark()), reason=f"Spark: {without_spark()}.")
def test_spark_counts_what_duckdb_and_pandas_count(tmp_path: Path) -> None:
    held = people(2_000)
    put(tmp_path / "a.parquet", held)
    put(tmp_path / "a.csv", held)
    found = [path for path in (os.environ.get("EVALKIT_SPARK", ""), str(Path(__file__).parents[1])) if path]
    apart = os.environ | {
        "PYTHONPATH": os.pathsep.join(found),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # begins sooner, and that is most of it
    }
    done = subprocess.run(
        [sys.executable, "-c", ON_SPARK, str(tmp_path)], env=apart, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    kinds = {"sex": "str", "age_band": "str", "quintile": "Int64", "span": "Int64"}
    for name, asked in (("frame", {"ages": "65+", "people": True}), ("text", {"by": ("sex",), "span": 12})):
        plain = counts(held, **asked)  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(counts(tmp_path / "a.parquet", **asked), plain)  # type: ignore[arg-type]
        spark = pd.read_csv(tmp_path / f"{name}.csv", parse_dates=["period"])
        kept = {column: kind for column, kind in kinds.items() if column in spark}
        pd.testing.assert_frame_equal(spark.astype({**kept, "period": "datetime64[us]"}), plain)
