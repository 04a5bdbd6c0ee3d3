"""`undercut explain`: every value with its origin, every sum of a finding redone, and no line wider than a terminal."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from data.errors import RegistryError
from data.records import Candidate, Cost, Decision, Quality, UseCase
from jobs.evals import load_cases
from jobs.explain import explain_use_case, finding_page, remarks_on, values_page
from jobs.explain.values import values
from scraper.match import Matcher

NOW = datetime(2026, 11, 10, tzinfo=UTC)
PLAIN = """use_cases:
  triage:
    task: classification
    model: {id: openai/gpt-4o, discount: 0.3717}
    traffic: {calls: 1000/month, retry_rate: 0.1}
    tokens: {in: {p50: 3200, p95: 9000}, out: 280}
    channel: "#x"
    switch: {eval_cost: 100}
"""


def registered(folder: Path, text: str = PLAIN) -> UseCase:
    file = folder / "use_cases.yaml"
    file.write_text(text, encoding="utf-8")
    return load_cases([file], Matcher.from_package()).use_cases[0]


@pytest.fixture
def full_example(corpus: Path, tmp_path: Path) -> Path:
    """The full entry of the product page with the result file it names, and nothing changed."""
    page = (corpus.parent / "PRODUCT.md").read_text(encoding="utf-8")
    text = page[page.index("### 2.4 Full") :].split("```yaml\n", 1)[1].split("```", 1)[0]
    (tmp_path / "evals").mkdir()
    (tmp_path / "full.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "full.yaml"


@pytest.mark.corpus
def test_the_full_example_is_read_whole_and_every_value_names_its_line(full_example: Path) -> None:
    import duckdb

    duckdb.sql(f"copy (select 'claude-sonnet-4-6' as model, 0.936 as score, 200 as n) to '{full_example.parent}/evals/2026-q3.parquet'")  # fmt: skip
    lines = explain_use_case([full_example], "contract-extraction")
    notes = remarks_on([full_example], "contract-extraction")
    written = {r["key"]: r for r in lines if r["origin"].startswith(str(full_example))}
    source = full_example.read_text(encoding="utf-8").splitlines()
    for key, row in written.items():
        word = key.rpartition(".")[2].partition("[")[0]
        near = source[max(0, int(row["origin"].rpartition(":")[2]) - 8) : int(row["origin"].rpartition(":")[2])]
        assert any(word in line for line in near), (key, row["origin"])
    assert len(written) > 60
    said = " ".join(notes)
    for expected in (
        "require.context 200,000 sits on a price step",
        "about 4 % of the calls lie above it",
        "require.params temperature shuts out",
        "google/gemini-3.1-pro-preview was tested, but require.deny *-preview keeps it away",
        'team "legal-platform" is not declared in this file',
        "langfuse:project/contracts?days=28 is no file",
    ):
        assert expected in said
    page = list(values_page("contract-extraction", lines, notes, None))
    assert max(len(line) for line in page if not line.startswith("from ")) <= 100
    assert "0.08" not in "\n".join(page)  # a contract is not printed


@pytest.mark.corpus
def test_a_result_file_that_is_not_there_is_named_with_its_line(full_example: Path) -> None:
    with pytest.raises(RegistryError) as caught:
        load_cases([full_example])
    (only,) = caught.value.problems
    assert (only.line, only.key) == (62, "contract-extraction.evals.results[0]")
    assert "2026-q3.parquet: no such result file" in only.message


def test_what_nobody_wrote_is_said_to_be_a_default_or_no_demand(tmp_path: Path) -> None:
    rows = {r["key"]: r for r in values(registered(tmp_path))}
    assert (rows["switch.payback_days"]["value"], rows["switch.payback_days"]["origin"]) == ("90", "default")
    assert rows["require.context"]["value"] == "no demand"
    assert rows["traffic.hours_utc"]["value"] == "all hours"
    assert rows["model.discount"]["value"] == "set (private)"
    assert rows["tokens.in"]["value"] == "mean 3,899, p50 3,200, p95 9,000; mean by the lognormal through p50 and p95"


def decided() -> Decision:
    def cost(usd: float, low: float, high: float, ratio: float) -> Cost:
        return Cost(usd_per_month=usd, low_usd_per_month=low, high_usd_per_month=high, usd_per_call=usd / 1100, rate_ids=("r1",),
                    by_meter_usd_per_month={"input": usd * 0.75, "output": usd * 0.25}, answer_ratio=(ratio, 0.7, 1.7))  # fmt: skip

    quality = Quality(mean=0.6, low=0.5, high=0.7, grade="C", measured=True, benchmarks=("a", "b", "c"))
    now = Candidate(use_case="triage", endpoint_id="acme:now", model_id="acme/now", move=None, eligible=True, cost=cost(1000, 1000, 1000, 1.0), quality=quality, p_ok=1.0)  # fmt: skip
    best = Candidate(
        use_case="triage", endpoint_id="x:best", model_id="x/best", move="vendor", eligible=True, cost=cost(200, 150, 400, 1.2), quality=quality,
        p_ok=0.9, saving_usd_per_month=800, saving_low_usd_per_month=600, saving_high_usd_per_month=850, effort_days=4, payback_days=3300 / 600 * 365 / 12,
        net_value_usd=800 * 6 - 3300 - 0.1 * 3200,
    )  # fmt: skip
    return Decision(rec="rec-1", use_case="triage", decided_at=NOW, data_as_of=NOW, verdict="switch", reason="saves $800 a month", current=now,
                    best=best, constraint_usd_per_month={"regions": 41.0}, rate_ids=("r1",))  # fmt: skip


def page_of(case: UseCase | None, figure: str | None = None) -> str:
    d = decided()
    rate = {
        "endpoint": "acme:now", "meter": "input", "tier": "standard", "usd": 2.5, "per": "mtok", "above_tokens": 4000, "up_to_tokens": None,
        "time_window": "22:00-06:00", "standing": "official", "source": "acme", "seen_at": "2026-11-10", "url": "https://acme.example/pricing",
        "fetched_at": NOW, "quote": "Input $2.50 / 1M", "locator": "/table/0", "kept": "abcd1234 ✓",
    }  # fmt: skip
    found = {"rec": "rec-1", "figure": figure, "use_case": "triage", "verdict": "switch", "reason": d.reason, "reasons": ["one"], "state": "open",
             "decided_at": NOW, "data_as_of": NOW, "decision": d, "entry": case, "steps": {"acme:now": [4000]}, "rates": [rate], "scores": []}  # fmt: skip
    lines = list(finding_page(found))
    assert max(map(len, lines)) <= 110
    return "\n".join(lines)


def test_every_sum_of_a_finding_can_be_redone_from_what_is_printed(tmp_path: Path) -> None:
    page = page_of(registered(tmp_path))
    for line in page.splitlines():
        found = re.search(r"([\d,.]+) − ([\d,.]+) = ([\d,.]+)", line)
        if found:
            a, b, c = (float(x.replace(",", "")) for x in found.groups())
            assert a - b == pytest.approx(c)
    assert "1,000 calls × 1.1 with retries = 1,100" in page
    assert "move: answers × 1.2 of the tokens registered (80 %: 0.7 to 1.7)" in page
    # sigma = ln(9000/3200)/1.645 = 0.6286; Phi(ln(3200/4000)/sigma) = Phi(-0.355), of the tokens Phi(-0.355 + sigma)
    assert "now: 36.1% of the calls, with 60.8% of the prompt tokens, have prompts above 4,000" in page
    assert "(4 days × $800 + $100 evaluation = 3,300) / 600.00 low end × 30.42 days" in page
    assert "800.00 × 6 − 3,300 once − 0.1 × 3,200 to go back" in page
    assert "at least 100, and 15 % of 1,000.00 = 150.00" in page
    assert "$2.5       a million tokens, prompts above 4,000, 22:00-06:00 UTC  official" in page
    for word in (
        "acme.example/pricing",
        "/table/0",
        "abcd1234 ✓",
        "“Input $2.50 / 1M”",
        "fetched 10 Nov 2026 00:00 UTC",
    ):
        assert word in page


def test_one_figure_is_shown_with_what_is_behind_it_and_nothing_else(tmp_path: Path) -> None:
    page = page_of(registered(tmp_path), "saving")
    assert "Saving, USD a month" in page
    assert "Payback" not in page
    assert "Quality on" not in page
    assert "Input $2.50" in page


def test_an_entry_that_is_read_no_more_leaves_the_figures_of_the_decision() -> None:
    assert "together                1,000.00        200.00" in page_of(None)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("    decisions: [{model: deepseek/deepseek-chat, verdict: later, date: 2026-01-03}]\n", "later deepseek/deepseek-chat ended on 2026-02-02."),
        ("    alerts: {snooze_until: 2026-01-03}\n", "2026-01-03 is over: alerts are sent again."),
    ],
)  # fmt: skip
def test_what_has_expired_is_a_warning_where_it_stands(line: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "use_cases.yaml"
    file.write_text(PLAIN + line, encoding="utf-8")
    (only,) = load_cases([file], today=date(2026, 11, 25)).warnings
    assert (only.message, only.line, only.code) == (said, 9, "expired")
    assert load_cases([file], today=date(2026, 1, 2)).warnings == ()


def test_token_counts_come_from_the_log_that_is_named_and_a_gap_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("timestamp,model,input_tokens,output_tokens\n" + "".join(f"2026-11-0{d}T10:00:00Z,gpt-4o,6000,{200 + d}\n" for d in range(1, 9)))  # fmt: skip
    file = tmp_path / "use_cases.yaml"
    file.write_text(PLAIN.replace("out: 280}", "out: 280, from: log.csv}"), encoding="utf-8")
    found = load_cases([file])
    (case,) = found.use_cases
    assert (case.workload.input_tokens.mean, case.workload.output_tokens.p50) == (6000, 205)
    assert case.workload.calls_per_month == 1000  # an export may be a sample
    (only,) = found.warnings
    assert only.message == "log.csv differs: tokens.in is 6,000 there and 3,899 here; tokens.out is 204 here and 280 here.".replace("204 here", "204 there")  # fmt: skip
    assert {r["key"]: r["origin"] for r in values(case)}["tokens.in"] == "measured in log.csv"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("gone.csv", None, "no file"),
        ("log.csv", "when,what\n1,2\n", "no column of input tokens"),
        ("log.csv", "timestamp,model,input_tokens,output_tokens\n2026-11-01T08:00:00Z,a,1,1\n2026-11-01T08:00:00Z,b,1,1\n", "log.csv holds calls of a, b and none of openai/gpt-4o"),
    ],
)  # fmt: skip
def test_a_log_that_does_not_say_it_leaves_the_numbers_written(
    name: str, text: str | None, said: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    file = tmp_path / "use_cases.yaml"
    file.write_text(PLAIN.replace("out: 280}", f"out: 280, from: {name}}}"), encoding="utf-8")
    found = load_cases([file])
    (only,) = found.warnings
    assert said in only.message
    assert "numbers written stand" in only.message
    assert round(found.use_cases[0].workload.input_tokens.mean) == 3899


@pytest.mark.parametrize(
    ("names", "measured_on", "taken", "counted"),
    [
        (("gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o"), "", 6000, None),  # one model, as three clients spell it
        (("gpt-4o", "o3"), "", 6000, None),  # only the calls of the model in use count
        (("", ""), "", 6000, None),  # a log without models is whose the entry says
        (("claude-sonnet-4-5",), "", 3899, None),  # another model's calls are not this one's
        (("our-deployment-7",), "", 3899, None),  # nobody knows which model that is
        (("claude-sonnet-4-5", "o3"), ", measured_on: Claude-Sonnet-4.5", 6000, "anthropic/claude-sonnet-4-5"),
        (("gpt-4o",), ", measured_on: o3", 6000, "openai/gpt-4o"),  # the log is newer than what was written
    ],
)  # fmt: skip
def test_only_the_calls_of_the_model_in_use_or_of_the_one_that_was_named_are_counted(
    names: tuple[str, ...], measured_on: str, taken: float, counted: str | None, tmp_path: Path
) -> None:
    lines = (
        f"2026-11-0{d}T10:00:00Z,{name},{77 if name == 'o3' else 6000},280\n" for d in range(1, 9) for name in names
    )
    (tmp_path / "log.csv").write_text("timestamp,model,input_tokens,output_tokens\n" + "".join(lines))
    file = tmp_path / "use_cases.yaml"
    file.write_text(PLAIN.replace("out: 280}", f"out: 280, from: log.csv{measured_on}}}"), encoding="utf-8")
    found = load_cases([file])
    load = found.use_cases[0].workload
    assert (round(load.input_tokens.mean), load.measured_on) == (taken, counted)
    (only,) = found.warnings
    assert ("numbers written stand" in only.message) == (taken == 3899)


def test_an_entry_that_comes_back_is_registered_again(tmp_path: Path) -> None:
    """The registered entry is the newest row: a change that is taken back must not leave the change standing."""
    from data.registry import Registry
    from data.store import Store
    from jobs.check import _register

    one, two = registered(tmp_path), registered(tmp_path, PLAIN.replace("280", "290"))
    with Store(tmp_path / "home") as store:
        for n, case in enumerate((one, one, two, one)):
            with store.transaction():
                _register(store, Registry((case,)), NOW.replace(hour=n))
        found = store.rows(
            "select entry ->> '$.workload.output_tokens.mean' as out from use_case order by registered_at"
        )
    assert [float(r["out"]) for r in found] == [280, 290, 280]


def test_a_benchmark_nobody_knows_is_a_warning_with_the_nearest_one(tmp_path: Path) -> None:
    boards = "{tau2_retial@1.0.1: 1, hub_gpqa_diamond: 2, 'bfcl_memory@prompt': 1, my-board: 1}"
    file = tmp_path / "use_cases.yaml"
    file.write_text(PLAIN + f"    quality: {{benchmarks: {boards}}}\n", encoding="utf-8")
    found = {w.key.rpartition("quality.benchmarks.")[2]: w for w in load_cases([file]).warnings}
    assert set(found) == {"tau2_retial@1.0.1", "my-board"}, "one that only a page's rows can make is known"
    near = found["tau2_retial@1.0.1"]
    assert (near.line, near.code, near.fix) == (9, "benchmark", 'write "tau2_retail@1.0.1".')
    assert found["my-board"].message == 'no benchmark "my-board" is known: it counts for nothing.'


def test_a_parameter_or_region_nobody_knows_is_a_warning_with_the_nearest_one(tmp_path: Path) -> None:
    file = tmp_path / "use_cases.yaml"
    file.write_text(
        PLAIN + "    require: {params: [temprature, top_p, minp], regions: [EU, eu, mars]}\n", encoding="utf-8"
    )
    found = {w.key.rpartition("require.")[2]: f"{w.message} Fix: {w.fix}" for w in load_cases([file]).warnings}
    none = "no endpoint of the catalogue is in a region"
    known = "the catalogue knows apac, eu, jp, us."
    assert found == {
        "params[0]": 'no catalogue says who accepts "temprature": it shuts out every other choice. Fix: write "temperature".',
        "params[2]": 'no catalogue says who accepts "minp": it shuts out every other choice. Fix: drop it, or demand one of temperature, top_k, top_p.',
        "regions[0]": f'{none} "EU": only one that a page names so would fit. Fix: write "eu".',
        "regions[2]": f'{none} "mars": only one that a page names so would fit. Fix: {known}',
    }  # fmt: skip
