"""What the program sends to YARN with the job."""

from __future__ import annotations

import zipfile
from pathlib import Path

from relay import write_archive


def test_the_archive_has_all_programs_that_the_driver_imports_or_compiles(tmp_path: Path) -> None:
    archive = tmp_path / "spark-jobs.zip"
    archive.write_text("of an earlier start", encoding="utf-8")
    write_archive(Path(__file__).parent.parent, archive)
    with zipfile.ZipFile(archive) as written:
        names = written.namelist()
    assert {"stream.py", "BatchWriter.java", "offstream_jobs/__init__.py"} <= set(names)
    assert [name for name in names if name.startswith(("tests", ".venv", "token"))] == []
