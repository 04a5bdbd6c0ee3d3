"""Columns and nested keys of a usage log -> what each counts, by its name, and what is counted beside the rest.

Which maker counts what where:
- OpenAI, and all who write its form: `prompt_tokens` and `input_tokens` hold the cached ones, `completion_tokens` the reasoning.
- LiteLLM writes that form for every maker; for Claude it adds cache reads and writes to `prompt_tokens` itself and keeps
  `cache_read_input_tokens` beside it (BerriAI/litellm, litellm/llms/anthropic/chat/transformation.py, `calculate_usage`).
- Anthropic and Bedrock: `input_tokens` is what was neither read from a cache nor written to one
  (https://docs.claude.com/en/docs/build-with-claude/prompt-caching). In OpenTelemetry's `gen_ai.usage.input_tokens` both are
  counted in (https://github.com/langfuse/langfuse/issues/12306).
- Langfuse: every key of `usageDetails` is apart from the others. OpenAI's details are taken off `input` and `output` where they
  arrive (langfuse/langfuse, packages/shared/src/server/ingestion/types.ts, `OpenAICompletionUsageSchema`), and all keys with
  "input" in them are the input. Older senders wrote OpenAI's counts as they were
  (https://github.com/langfuse/langfuse/issues/10592), so the total of a row has the last word (`calls.py`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from data.store import Readable, identifier

FIELDS: dict[str, str] = {  # in this order: a name that says one of them is not asked for the next
    "end": r"(?:end_?time|ending_at|bucket_end)$",
    "time": r"(?:start_?time|starting_at|timestamp|created(?:_at)?|time|date|ts|start_time_iso|usage_date_utc|bucket_start)$",
    "model": r"(?:provided_?)?model(?:_?(?:id|name|version|group))?$",
    "cached": r"(?:cached?_(?:read_)?(?:input_)?tokens|input_cached_tokens|cached_input_tokens|cache_read_input_tokens|cache_read|input_tokens_cache_read|input_cached)$",
    "written": r"(?:cache_creation_input_tokens|cache_write_(?:input_)?tokens|input_cache_creation|input_tokens_cache_write_5m|ephemeral_5m_input_tokens)$",
    "written_1h": r"(?:input_tokens_cache_write_1h|ephemeral_1h_input_tokens)$",
    "reasoning": r"(?:reasoning_tokens|output_reasoning(?:_tokens)?|thinking_tokens)$",
    "input": r"(?:prompt_?tokens|input_?tokens|input_tokens_no_cache|tokens_in|n_context_tokens_total|usage(?:_details)?_(?:input|prompt))$",
    "output": r"(?:completion_?tokens|output_?tokens|tokens_out|n_generated_tokens_total|usage(?:_details)?_(?:output|completion))$",
    "total": r"(?:total_?tokens|usage(?:_details)?_total)$",
    "calls": r"(?:num_model_requests|n_requests|num_requests|requests?_count|requests|calls)$",
    "status": r"(?:status|level|outcome)$",
}
PARTS = re.compile(r"(?<!no_)(?<!un)cached?_|ephemeral|audio|image")  # a part of the prompt or answer, never the whole
WITHOUT_CACHE = re.compile(r"(?:input_no_cache|input_tokens_no_cache|uncached_input_tokens)$")
ANTHROPIC = re.compile(r"cache_(?:read|creation|write)_input_tokens$")
BUCKETS = "usage_details_"  # Langfuse
DEEPEST = 3
MOST_KEYS = 200  # of one object; more are data and no columns


@dataclass(frozen=True)
class Columns:
    """`read`: SQL of each field. Names of fields counted beside the input and the output; `*_apart`: not within them."""

    read: dict[str, str]
    beside_input: tuple[str, ...]
    beside_output: tuple[str, ...]
    input_apart: bool
    output_apart: bool


def columns(known: dict[str, str]) -> Columns:
    """For every field that a name says, the expression that reads it; of several names the shortest."""
    named: dict[str, str] = {}
    for field, pattern in FIELDS.items():
        fitting = sorted((n for n in known if re.search(rf"(?:^|_){pattern}", n)), key=lambda n: (len(n), n))
        taken = {known[n] for n in named.values()}
        chosen = next(
            (n for n in fitting if known[n] not in taken and not (field in ("input", "output") and PARTS.search(n))),
            None,
        )
        if chosen:
            named[field] = chosen
    if "written_1h" in named and ANTHROPIC.search(named.get("written", "")):
        del named["written_1h"]  # the sum of both lifetimes is there
    read = {field: known[n] for field, n in named.items()}
    cache = tuple(f for f in ("cached", "written", "written_1h") if f in read)
    if re.search(rf"(?:^|_){BUCKETS}(?:input|prompt)$", named.get("input", "")):
        inside = {
            n: n.rpartition(BUCKETS)[2]
            for n in known
            if BUCKETS in n and n not in (named["input"], named.get("output"))
        }
        buckets = {side: [n for n, key in inside.items() if side in key] for side in ("input", "output")}
        read |= {f"bucket_{n}": known[n] for names in buckets.values() for n in names}
        beside_input, beside_output = (tuple(f"bucket_{n}" for n in buckets[side]) for side in ("input", "output"))
        return Columns(read, beside_input, beside_output, True, True)
    whole = named.get("input", "")
    of_anthropic = (
        whole.endswith("input_tokens") and "gen_ai" not in whole and any(ANTHROPIC.search(named[f]) for f in cache)
    )
    apart = bool(WITHOUT_CACHE.search(whole)) or of_anthropic
    return Columns(read, cache, ("reasoning",) if "reasoning" in read else (), apart, False)


def names(table: Readable) -> dict[str, str]:
    """Every column and nested key by a flat name, with the expression that reads it."""
    out: dict[str, str] = {}

    def add(name: str, expression: str, depth: int, kind: str) -> None:
        if kind.startswith("STRUCT") and depth < DEEPEST:
            for key in keys_of(table, f"to_json({expression})"):
                below = f"{expression}.{identifier(key)}"
                (kind_below,) = table.rows(f"select typeof({below}) as t from log limit 1") or [{"t": ""}]
                add(f"{name}_{key}", below, depth + 1, str(kind_below["t"]))
        elif kind in ("VARCHAR", "JSON") and depth < DEEPEST:
            sound = f"(case when json_valid({expression}) then {expression} end)"  # a cut-off object is none
            inner = keys_of(table, sound)
            for key, inside in inner.items():
                path = json.dumps(f"$.{json.dumps(key)}").replace("'", "''")[1:-1].replace('\\"', '"')
                add(f"{name}_{key}", f"json_extract_string({sound}, '{path}')", depth + 1, "VARCHAR" if inside else "")
            if not inner:
                out[flat(name)] = f"({expression} ->> '$')" if kind == "JSON" else expression
        else:
            out[flat(name)] = expression

    for column in table.rows(
        "select column_name as name, data_type as type from duckdb_columns() where table_name = 'log' order by column_index"
    ):
        add(column["name"], identifier(column["name"]), 0, str(column["type"]))
    return out


def keys_of(table: Readable, expression: str) -> dict[str, bool]:
    """The keys of all JSON objects that an expression reads, not only of the first, and whether an object is below each."""
    text = f"{expression}::varchar"
    rows = table.rows(
        f"select e.key as key, bool_or(e.type = 'OBJECT') as inside from (select case when {text} like '{{%' then {text}::json end as j"
        f" from log) t, json_each(t.j) e group by 1 order by count(*) desc, 1 limit {MOST_KEYS}"
    )
    return {str(r["key"]): bool(r["inside"]) for r in rows}


def flat(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).casefold()).strip("_")
