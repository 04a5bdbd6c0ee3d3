"""The house keeps its shape: import directions, one door per library, sizes, and a lock file without addresses."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("data", "scraper", "recommender", "jobs")
MAY = {
    "data": {"data"},
    "scraper": {"scraper", "data"},
    "recommender": {"recommender", "data.records", "data.errors"},
    "jobs": {"jobs", "data", "scraper", "recommender"},
}
DOORS = {
    "duckdb": "data.store",
    "playwright": "scraper.browser",
    "bs4": "scraper.grids",
    "sklearn": "recommender.quality",
    "apscheduler": "jobs.schedule",
    "slack_sdk": "jobs.slack",
    "altair": "jobs.report.charts",
    "vl_convert": "jobs.report.charts",
    "jinja2": "jobs.report.page",
    "prometheus_client": "jobs.metrics",
}
FILES = sorted(f for room in ROOMS for f in (ROOT / room).rglob("*.py"))


def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{a.name}" for a in node.names}
    return found


def module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def inside(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(allowed + ".")


@pytest.mark.parametrize("file", FILES, ids=module)
def test_a_room_imports_only_the_rooms_it_may(file: Path) -> None:
    room = module(file).split(".")[0]
    for name in imports(file):
        if name.split(".")[0] in ROOMS:
            assert any(inside(name, allowed) for allowed in MAY[room]), f"{module(file)} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=module)
def test_each_library_has_one_door(file: Path) -> None:
    for name in imports(file):
        door = DOORS.get(name.split(".")[0])
        assert door is None or inside(module(file), door), f"{module(file)} imports {name}; only {door} may"


@pytest.mark.parametrize("file", FILES, ids=module)
def test_a_module_opens_with_what_it_is_and_stays_small(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert len(text.splitlines()) <= 400, "a room inside wants a file of its own"


def test_only_jobs_asks_what_time_it_is() -> None:
    clock = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|time\.time)\(")
    # copies.py and capture.py stamp files, spare.py tells new ones, fetch.py paces requests: none of these reach a decision
    allowed = {"data.store.copies", "data.store.spare", "scraper.capture", "scraper.fetch"}
    for file in FILES:
        if module(file).split(".")[0] != "jobs" and module(file) not in allowed:
            assert not clock.search(file.read_text(encoding="utf-8")), f"{module(file)} asks what time it is"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_lock_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in re.sub(r"--hash=\S+", "", text)
    assert "--hash=sha256:" in text
