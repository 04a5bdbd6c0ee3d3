"""What a usage log says of traffic and tokens, in the layouts of real exports, and what it does not say."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from data.errors import DataMissing, UsageError
from data.registry import load_registry
from jobs.cli import app
from jobs.profile import Profile, block, profile
from scraper.match import Matcher

START = datetime(2026, 11, 1, 8)
CALLS = [(START + timedelta(hours=n), 900 + 10 * n, 40 + n, 300) for n in range(48)]


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as f:
        writer = csv.DictWriter(f, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def litellm(folder: Path) -> Path:
    rows = [
        {"request_id": str(n), "call_type": "acompletion", "startTime": t.isoformat(), "model": "gpt-4o", "prompt_tokens": i,
         "completion_tokens": o, "total_tokens": i + o, "spend": 0.1, "status": "success",
         "metadata": json.dumps({"usage_object": {"prompt_tokens_details": {"cached_tokens": c}}})}
        for n, (t, i, o, c) in enumerate(CALLS)
    ]  # fmt: skip
    return table(folder / "litellm.csv", rows)


def langfuse(folder: Path) -> Path:
    rows = [
        {"id": str(n), "type": "GENERATION", "startTime": t.isoformat() + "Z", "model": "gpt-4o", "level": "DEFAULT",
         "usageDetails": {"input": i - c, "output": o, "input_cached_tokens": c, "total": i + o}}
        for n, (t, i, o, c) in enumerate(CALLS)
    ]  # fmt: skip
    return jsonl(folder / "langfuse.jsonl", rows)


def litellm_claude(folder: Path) -> Path:
    """As LiteLLM writes Claude's: cache reads are in prompt_tokens and stand beside it too; not every row has details."""
    rows = [
        {"request_id": str(n), "startTime": t.isoformat(), "endTime": (t + timedelta(seconds=2)).isoformat(), "model": "claude-sonnet-4-5",
         "prompt_tokens": i, "completion_tokens": o, "total_tokens": i + o, "status": "success",
         "metadata": json.dumps({"usage_object": {"prompt_tokens": i, "completion_tokens": o, "total_tokens": i + o, "cache_creation_input_tokens": 0,
                                 "prompt_tokens_details": {"cached_tokens": c}, "cache_read_input_tokens": c}})}
        for n, (t, i, o, c) in enumerate(CALLS)
    ]  # fmt: skip
    rows.insert(
        0, rows[0] | {"prompt_tokens": "", "completion_tokens": "", "status": "failure", "metadata": '{"error": "cut'}
    )
    rows.insert(1, rows[0] | {"metadata": "{}"})
    return table(folder / "litellm.csv", rows)


def langfuse_as_sent(folder: Path) -> Path:
    """A sender that wrote OpenAI's inclusive counts into Langfuse's buckets: only the total tells."""
    rows = [
        {"startTime": t.isoformat() + "Z", "model": "gpt-4o", "usageDetails": {"input": i, "output": o, "input_cached_tokens": c, "total": i + o}}
        for t, i, o, c in CALLS
    ]  # fmt: skip
    return jsonl(folder / "sent.jsonl", rows)


def langfuse_page(folder: Path) -> Path:
    """The public API's rows: beside the buckets also their sums."""
    rows = [
        {"startTime": t.isoformat() + "Z", "model": "gpt-4o", "promptTokens": i, "completionTokens": o, "totalTokens": i + o,
         "usage": {"input": i, "output": o, "total": i + o, "unit": "TOKENS"},
         "usageDetails": {"input": i - c, "output": o, "input_cached_tokens": c, "total": i + o}}
        for t, i, o, c in CALLS
    ]  # fmt: skip
    (folder / "page.json").write_text(json.dumps({"data": rows, "meta": {"page": 1}}))
    return folder / "page.json"


def langfuse_claude(folder: Path) -> Path:
    """Claude's own keys as buckets, and no total."""
    rows = [
        {"startTime": t.isoformat() + "Z", "model": "claude-sonnet-4-5",
         "usageDetails": {"input": i - c - 5, "output": o, "cache_read_input_tokens": c, "cache_creation_input_tokens": 5}}
        for t, i, o, c in CALLS
    ]  # fmt: skip
    return jsonl(folder / "claude.jsonl", rows)


def otel(folder: Path) -> Path:
    rows = [
        {"timestamp": t.isoformat(), "model": "claude-sonnet-4-5", "gen_ai.usage.input_tokens": i,
         "gen_ai.usage.cache_read.input_tokens": c, "gen_ai.usage.output_tokens": o}
        for t, i, o, c in CALLS
    ]  # fmt: skip
    return table(folder / "spans.csv", rows)


def anthropic_page(folder: Path) -> Path:
    """Claude's own answers: what is written to a cache stands there as a sum and by lifetime."""
    rows = [
        {"timestamp": t.isoformat(), "model": "claude-sonnet-4-5",
         "usage": {"input_tokens": i - c - 9, "cache_read_input_tokens": c, "cache_creation_input_tokens": 9, "output_tokens": o,
                   "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5}}}
        for t, i, o, c in CALLS
    ]  # fmt: skip
    return jsonl(folder / "answers.jsonl", rows)


def openai_style(folder: Path) -> Path:
    rows = [
        {"created": int(t.timestamp()), "model": "gpt-4o",
         "usage": {"prompt_tokens": i, "completion_tokens": o + 100, "prompt_tokens_details": {"cached_tokens": c},
                   "completion_tokens_details": {"reasoning_tokens": 100}}}
        for t, i, o, c in CALLS
    ]  # fmt: skip
    return jsonl(folder / "responses.jsonl", rows)


def anthropic_style(folder: Path) -> Path:
    rows = [
        {"timestamp": t.isoformat(), "model": "claude-sonnet-4-5", "input_tokens": i - c, "cache_read_input_tokens": c,
         "cache_creation_input_tokens": 0, "output_tokens": o}
        for t, i, o, c in CALLS
    ]  # fmt: skip
    return table(folder / "claude.csv", rows)


@pytest.mark.parametrize(
    "write",
    [
        litellm,
        litellm_claude,
        langfuse,
        langfuse_as_sent,
        langfuse_page,
        langfuse_claude,
        otel,
        openai_style,
        anthropic_style,
        anthropic_page,
    ],
)
def test_the_same_calls_give_the_same_numbers_from_every_export(tmp_path: Path, write: Any) -> None:
    (found,) = profile(write(tmp_path))
    assert found.calls == 48
    assert found.days == pytest.approx(47 / 24)
    assert found.input_tokens == {"mean": 1135.0, "p50": 1140.0, "p95": 1350.0}
    assert found.output_tokens == {"mean": 63.5, "p50": 64.0, "p95": 85.0}
    assert found.cached_share == pytest.approx(300 / 1135)
    assert (found.reasoning_tokens or {}).get("mean") == (100.0 if write is openai_style else None)
    assert not found.aggregated
    assert found.unstated == (2 if write is litellm_claude else 0)


def test_reasoning_is_a_bucket_of_its_own_in_langfuse_and_within_the_answer_elsewhere(tmp_path: Path) -> None:
    """An answer of 100 after 300 of reasoning; the second log counts both as OpenAI does."""
    usage = {"input": 1000, "output": 100, "output_reasoning_tokens": 300, "total": 1400}
    rows = [{"startTime": f"2026-11-0{d}T10:00:00Z", "model": "o3", "usageDetails": usage} for d in (1, 2)]
    (apart,) = profile(jsonl(tmp_path / "apart.jsonl", rows))
    rows = [r | {"usageDetails": usage | {"output": 400}} for r in rows]
    (within,) = profile(jsonl(tmp_path / "within.jsonl", rows))
    for found in (apart, within):
        assert (found.output_tokens["mean"], (found.reasoning_tokens or {})["mean"]) == (100, 300)


def test_other_buckets_of_langfuse_are_part_of_the_prompt_and_of_the_answer(tmp_path: Path) -> None:
    usage = {"input": 100, "input_audio_tokens": 20, "input_cached_tokens": 30, "output": 10, "output_audio_tokens": 5}
    (found,) = profile(
        jsonl(tmp_path / "log.jsonl", [{"startTime": f"2026-11-0{d}T10:00:00Z", "usageDetails": usage} for d in (1, 2)])
    )
    assert (found.input_tokens["mean"], found.output_tokens["mean"], found.cached_share) == (
        150,
        15,
        pytest.approx(0.2),
    )


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 5, "cached_tokens": 900}, "900 cached tokens in a prompt of 100"),
        ({"prompt_tokens": 100, "completion_tokens": 5, "reasoning_tokens": 30}, "30 reasoning tokens in an answer of 5"),
        ({"input_tokens": 9, "output_tokens": -5}, "-5 is no number of output tokens"),
        ({"input_tokens": "1,234", "output_tokens": 5}, "'1,234' is no number of input tokens"),
        ({"input_tokens": True, "output_tokens": 5}, "'true' is no number of input tokens"),
        ({"input_tokens": 9, "output_tokens": 5, "time": "yesterday"}, "'yesterday' is no time"),
        ({"input_tokens": 9, "output_tokens": 5, "time": None}, "no time"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_true_or_read_stops_the_measurement_with_its_number(
    tmp_path: Path, usage: dict[str, Any], said: str
) -> None:
    good = {"time": "2026-11-01T10:00:00Z"} | {
        k: 9 if k in ("prompt_tokens", "input_tokens") else 5 for k in usage if k != "time"
    }
    good |= {k: 0 for k in ("cached_tokens", "reasoning_tokens") if k in usage}
    file = jsonl(tmp_path / "log.jsonl", [good, good, good | usage])
    with pytest.raises(DataMissing, match=f"row 3: {said}"):
        profile(file)


def test_rows_without_token_counts_are_told_and_are_no_calls(tmp_path: Path) -> None:
    good = {"time": START.isoformat(), "input_tokens": 100, "output_tokens": 10}
    (found,) = profile(table(tmp_path / "log.csv", [good, good | {"input_tokens": "", "output_tokens": ""}]))
    assert (found.calls, found.unstated) == (1, 1)
    assert "# 1 rows of the log state no tokens" in block(found)


def test_a_model_called_for_ten_minutes_of_a_month_is_not_called_so_all_day(tmp_path: Path) -> None:
    rows = [
        {"time": (START + timedelta(hours=n)).isoformat(), "model": "a", "input_tokens": 1, "output_tokens": 1}
        for n in range(28 * 24)
    ]
    rows += [
        {
            "time": (START + timedelta(days=5, minutes=n)).isoformat(),
            "model": "b",
            "input_tokens": 1,
            "output_tokens": 1,
        }
        for n in range(10)
    ]
    file = table(tmp_path / "log.csv", rows)
    for found in (profile(file)[1], *profile(file, "b")):
        assert found.calls / found.days == pytest.approx(10 / 28, rel=0.01)


@pytest.mark.parametrize(
    "times",
    [
        [("2026-11-01", ""), ("2026-11-01", ""), ("2026-11-02", "")],  # two rows of a day, by key or by team
        [("2026-11-01T08:00:00", "2026-11-01T09:00:00"), ("2026-11-01T09:00:00", "2026-11-01T10:00:00")],
    ],
)
def test_sums_of_several_keys_or_of_hours_are_no_calls(tmp_path: Path, times: list[tuple[str, str]]) -> None:
    rows = [
        {"start_time": a, "end_time": b, "api_key": f"k{n}", "input_tokens": 5_000_000, "output_tokens": 100_000}
        for n, (a, b) in enumerate(times)
    ]
    with pytest.raises(DataMissing, match="no column says of how many calls"):
        profile(table(tmp_path / "sums.csv", rows))


def test_daily_sums_give_means_and_no_quantiles(tmp_path: Path) -> None:
    rows = [
        {"start_time": (START + timedelta(days=d)).isoformat(), "model": "gpt-4o", "num_model_requests": 1000,
         "input_tokens": 900_000, "output_tokens": 40_000, "input_cached_tokens": 450_000}
        for d in range(8)
    ]  # fmt: skip
    (found,) = profile(table(tmp_path / "usage.csv", rows))
    assert (found.calls, found.input_tokens, found.output_tokens, found.peak_rpm) == (
        8000,
        {"mean": 900.0},
        {"mean": 40.0},
        None,
    )
    assert found.cached_share == 0.5


def test_parquet_is_read_too(tmp_path: Path) -> None:
    from data.store import table_file

    source = litellm(tmp_path)
    with table_file(source) as log:
        log.con.execute(f"copy log to '{tmp_path / 'log.parquet'}' (format parquet)")
    assert profile(tmp_path / "log.parquet") == profile(source)


def test_the_block_is_a_registry_entry(tmp_path: Path) -> None:
    (found,) = profile(litellm(tmp_path))
    text = "use_cases:\n  triage:\n    task: classification\n    model: openai/gpt-4o\n    channel: '#x'\n"
    text += "".join(f"    {line}\n" for line in block(found).splitlines())
    (tmp_path / "use_cases.yaml").write_text(text)
    (case,) = load_registry([tmp_path / "use_cases.yaml"], Matcher.from_package().resolve).use_cases
    assert case.workload.input_tokens.mean == 1135
    assert case.workload.input_tokens.p95 == 1350
    assert case.workload.cached_share == pytest.approx(0.26)


def test_several_models_are_apart_and_one_may_be_asked_for(tmp_path: Path) -> None:
    rows = [{"time": START.isoformat(), "model": m, "input_tokens": 10, "output_tokens": 1} for m in ("a", "a", "b")]
    file = table(tmp_path / "log.csv", rows)
    assert [(p.model, p.calls) for p in profile(file)] == [("a", 2), ("b", 1)]
    assert [p.model for p in profile(file, "b")] == ["b"]
    with pytest.raises(UsageError, match="no model 'c'"):
        profile(file, "c")


def test_failed_calls_count_as_calls_and_not_for_tokens(tmp_path: Path) -> None:
    rows = [{"time": START.isoformat(), "input_tokens": 100, "output_tokens": 10, "status": "success"}] * 3
    rows += [{"time": START.isoformat(), "input_tokens": 100, "output_tokens": 0, "status": "failure"}]
    (found,) = profile(table(tmp_path / "log.csv", rows))
    assert (found.calls, found.output_tokens["mean"], found.failed_share) == (4, 10, 0.25)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("log.csv", "time,prompt_tokens\n2026-01-01,5\n", "output tokens"),
        ("log.csv", "prompt_tokens,completion_tokens\n5,6\n", "times"),
        ("log.csv", "time,prompt_tokens,completion_tokens\nnever,,\n", "no row"),
        ("log.jsonl", "{broken", "not readable"),
        ("log.txt", "hello", "no kind of table"),
    ],
)
def test_a_log_that_does_not_say_it_is_told_so(tmp_path: Path, name: str, text: str, said: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises((DataMissing, UsageError), match=said):
        profile(file)


def test_the_command_prints_the_block(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["profile", str(litellm(tmp_path))])
    assert result.exit_code == 0
    assert "traffic: 25/day" in result.stdout
    assert "in: {mean: 1135, p50: 1140, p95: 1350}" in result.stdout


def test_little_traffic_is_told_by_the_month() -> None:
    few = Profile("m", 3, 30.0, {"mean": 10.0}, {"mean": 1.0}, None, None, None, None, False)
    assert "traffic: 3.0/month" in block(few)


def openai_page(folder: Path) -> Path:
    """The usage API's own answer: buckets of a day with their results."""
    day = 86_400
    buckets = [
        {"object": "bucket", "start_time": 1_761_955_200 + n * day, "end_time": 1_761_955_200 + (n + 1) * day, "results": [
            {"input_tokens": 900_000 * (n + 1), "output_tokens": 40_000 * (n + 1), "input_cached_tokens": 450_000 * (n + 1),
             "num_model_requests": 1_000 * (n + 1), "model": "gpt-4o-2024-08-06"}]}
        for n in range(2)
    ]  # fmt: skip
    (folder / "usage.json").write_text(json.dumps({"object": "page", "data": buckets, "has_more": False}))
    return folder / "usage.json"


def openai_table(folder: Path) -> Path:
    rows = [
        {"start_time": 1_761_955_200 + n * 86_400, "end_time": 1_761_955_200 + (n + 1) * 86_400, "model": "gpt-4o-2024-08-06",
         "num_model_requests": 1_000 * (n + 1), "input_tokens": 900_000 * (n + 1), "input_cached_tokens": 450_000 * (n + 1), "output_tokens": 40_000 * (n + 1)}
        for n in range(2)
    ]  # fmt: skip
    return table(folder / "usage.csv", rows)


def dated_sums(folder: Path) -> Path:
    rows = [{"date": f"2026-11-0{n + 1}", "model": "gpt-4o-2024-08-06", "requests": 1_000 * (n + 1), "prompt_tokens": 900_000 * (n + 1),
             "cached_tokens": 450_000 * (n + 1), "completion_tokens": 40_000 * (n + 1)} for n in range(2)]  # fmt: skip
    return table(folder / "days.csv", rows)


@pytest.mark.parametrize("write", [openai_page, openai_table, dated_sums])
def test_two_daily_buckets_are_two_days_and_not_one(tmp_path: Path, write: Any) -> None:
    """3,000 calls in two days are 1,500 a day; 2,700,000 tokens over 3,000 calls are 900."""
    (found,) = profile(write(tmp_path))
    assert (found.days, found.calls, found.input_tokens, found.cached_share) == (2.0, 3_000, {"mean": 900}, 0.5)
    assert block(found).splitlines()[1] == "traffic: 1500/day"


def test_sums_without_a_number_of_calls_are_refused_and_not_read_as_single_calls(tmp_path: Path) -> None:
    rows = [{"usage_date_utc": f"2026-11-0{n}", "model_version": "claude-sonnet-4-5", "usage_input_tokens_no_cache": 100_000,
             "usage_input_tokens_cache_write_5m": 20_000, "usage_input_tokens_cache_write_1h": 0, "usage_input_tokens_cache_read": 300_000,
             "usage_output_tokens": 9_000} for n in (1, 2)]  # fmt: skip
    with pytest.raises(DataMissing, match="no column says of how many calls"):
        profile(table(tmp_path / "claude.csv", rows))
    (found,) = profile(table(tmp_path / "counted.csv", [r | {"num_requests": 100} for r in rows]))
    assert found.input_tokens == {"mean": 4_200}  # read, written and plain
    assert found.cached_share == pytest.approx(300 / 420)


def test_an_instant_is_the_same_in_every_zone_and_spelling(tmp_path: Path) -> None:
    rows = [
        {"ts": t, "prompt_tokens": 10, "completion_tokens": 1}
        for t in ("2026-11-01T09:00:00+08:00", "2026-11-03T01:00:00Z")
    ]
    (found,) = profile(jsonl(tmp_path / "own.jsonl", rows))
    assert found.days == 2.0


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("time,prompt_tokens,completion_tokens\n")
    with pytest.raises(DataMissing, match="no rows in it"):
        profile(tmp_path / "log.csv")
