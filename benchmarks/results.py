"""benchmarks/RESULTS.md: a section a measurement, each replaced by the command that makes it."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["RESULTS_FILE", "put_section"]

RESULTS_FILE = Path(__file__).resolve().parent / "RESULTS.md"

_HEADER = """# Results

Each section is written by the command in it, which replaces what it wrote before. Timings on a
machine that does something else as well are worse than they could be, never better.
"""


def put_section(file: Path, heading: str, body: str) -> None:
    """Write or replace the section called `heading`; sections stand in the order of headings.

    Args:
        file: made when it is missing.
        heading: one line, which names the measurement and what it was made of.
        body: Markdown without headings of the second level.
    """
    sections = _sections(file.read_text(encoding="utf-8")) if file.is_file() else {}
    sections[heading] = body.strip()
    text = "\n".join([_HEADER, *(f"## {name}\n\n{sections[name]}\n" for name in sorted(sections))])
    beside = file.with_name(file.name + ".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
