"""use_cases.yaml: every fault at once, each with file, line, column, key and fix; every effective value with its origin."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from data.errors import RegistryError
from data.registry import load_registry, schema

ROOT = Path(__file__).parents[1]
HEAD = "use_cases:\n"
GOOD = """  support-triage:
    task: classification
    model: openai/gpt-4o
    traffic: 20k/day
    tokens: {in: 900, out: 40}
    channel: "#support-ai"
"""


@dataclass(frozen=True)
class Found:
    model_id: str | None
    endpoint_ids: tuple[str, ...]
    proposals: tuple[str, ...] = ()


def resolve(name: str, via: str | None, region: str | None) -> Found:
    """A small catalogue of our own."""
    if name == "gpt-4o":
        return Found("openai/gpt-4o", ("openai:gpt-4o", "azure:gpt-4o@eu", "azure:gpt-4o@us"))
    if name.endswith("-9"):
        return Found(None, (), ("anthropic/claude-opus-4-6",))
    maker, _, slug = name.partition("/")
    return Found(name, (f"{via or maker}:{slug}",))


def faults(text: str, tmp_path: Path) -> list[str]:
    file = tmp_path / "use_cases.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        load_registry([file], resolve)
    return [str(p).removeprefix(f"{tmp_path}/") for p in caught.value.problems]


def loaded(text: str, tmp_path: Path) -> Any:
    file = tmp_path / "use_cases.yaml"
    file.write_text(text, encoding="utf-8")
    return load_registry([file], resolve).use_cases[0]


def test_the_shortest_form(tmp_path: Path) -> None:
    case = loaded(HEAD + GOOD, tmp_path)
    assert (case.slug, case.tasks, case.current.endpoint_id) == (
        "support-triage",
        {"classification": 1.0},
        "openai:gpt-4o",
    )
    assert case.workload.calls_per_month == pytest.approx(20_000 * 365 / 12)
    assert (case.quality.max_drop, case.quality.confidence, case.switch.min_saving_usd_per_month) == (0.02, 0.85, 100)
    assert case.require.deny == ("*:free", "*-preview")
    assert case.origins["traffic.calls"].endswith("use_cases.yaml:5")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("support-triage:", "Support Triage:"), 'use_cases.yaml:2:3: use_cases: "Support Triage" is not a slug. Fix: support-triage (a-z, 0-9, -; 2 to 63 characters).'),
        (("support-triage:", "a:"), 'use_cases.yaml:2:3: use_cases: "a" is not a slug. Fix: a-1 (a-z, 0-9, -; 2 to 63 characters).'),
        (("classification", "clasification"), 'use_cases.yaml:3:11: support-triage.task: no task "clasification". Fix: classification.'),
        (("model:", "modle:"), 'use_cases.yaml:4:5: support-triage: unknown key "modle". Fix: write "model".'),
        (("openai/gpt-4o", "gpt-4o"), 'use_cases.yaml:4:12: support-triage.model: "gpt-4o" fits 3 endpoints. Fix: one of openai/gpt-4o, {id: openai/gpt-4o, via: azure, region: eu}, {… region: us}.'),
        (("20k/day", "20000"), "use_cases.yaml:5:14: support-triage.traffic: 20000 has no period. Fix: did you mean 20000/day?"),
        ((", out: 40", ""), 'use_cases.yaml:6:13: support-triage.tokens: "out" is missing. Fix: tokens: {in: 900, out: 40}.'),
        (('    channel: "#support-ai"\n', ""), 'use_cases.yaml:2:3: support-triage: no channel. Fix: add channel: "#…".'),
        (("openai/gpt-4o", "anthropic/claude-opus-9"), "use_cases.yaml:4:12: support-triage.model: anthropic/claude-opus-9 is not in the catalogue. Fix: nearest names are anthropic/claude-opus-4-6; a new name goes into the catalogue."),
        (("task: classification", "task: {extraction: 0.5, long_context: 0.4}"), "use_cases.yaml:3:11: support-triage.task: weights add up to 0.9. Fix: make them add up to 1."),
    ],
)  # fmt: skip
def test_each_fault_in_the_words_of_a_person(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    assert faults(HEAD + GOOD.replace(*change), tmp_path) == [message]


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    said = 'use_cases.yaml:8:5: support-triage: "task" again, first on line 3. Fix: keep one.'
    assert faults(HEAD + GOOD + "    task: extraction\n", tmp_path) == [said]
    said = 'use_cases.yaml:8:3: use_cases: "support-triage" again, first on line 2. Fix: keep one.'
    assert faults(HEAD + GOOD + GOOD, tmp_path) == [said]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("    require: {min_precision: q4}\n", 'use_cases.yaml:8:30: support-triage.require.min_precision: no precision "q4". Fix: int4, fp4, int8, fp8, bf16 or fp16.'),
        ('    decisions:\n      - {model: a/b, verdict: rejected, date: 2026-09-03, reopen_if: "when EU"}\n', 'use_cases.yaml:9:70: support-triage.decisions[0].reopen_if: cannot read "when EU". Fix: e.g. "region eu available".'),
    ],
)  # fmt: skip
def test_faults_of_longer_entries_stand_where_they_are(line: str, said: str, tmp_path: Path) -> None:
    assert faults(HEAD + GOOD + line, tmp_path) == [said]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("quality", "{max_dorp: 0.1}", 'quality: unknown key "max_dorp". Fix: write "max_drop".'),
        ("quality", "{max_drop: 5%}", 'quality.max_drop: "5%" is not a number. Fix: write 0.05.'),
        ("switch", "{min_saving: 300}", 'switch: unknown key "min_saving". Fix: write "min_saving_month" or "min_saving_pct".'),
        ("quality", "{max_drop: 2}", "quality.max_drop: 2 is out of range. Fix: at most 1; for 2 % write 0.02."),
        ("quality", "{confidence: 1}", "quality.confidence: 1 is out of range. Fix: at most 0.999."),
        ("quality", "keap", 'quality: no quality "keap". Fix: keep.'),
        ("quality", "3", "quality: no quality 3. Fix: keep, near or good-enough."),
        ("quality", "[keep]", "quality: no quality ['keep']. Fix: keep."),
        ("tokens", "{in: {p95: 10}, out: 1}", 'tokens.in: "p50" is missing. Fix: tokens: {in: {p50: 3200, p95: 9000}, out: 40}.'),
        ("tokens", "{in: {p50: -3, p95: 9}, out: 1}", "tokens.in.p50: -3 is out of range. Fix: at least 0."),
        ("tokens", "{in: {p50: 3, men: 9}, out: 1}", 'tokens.in: unknown key "men". Fix: write "mean".'),
        ("tokens", "{in: 3, out: [1]}", "tokens.out: [1] is not a whole number. Fix: write a whole number."),
        ("tokens", "{in: 3, out: 4O}", 'tokens.out: cannot read "4O". Fix: a number, or one like 200k or 1M.'),
        ("model", "{id: openai/gpt-4o, discount: 8}", "model.discount: 8 is out of range. Fix: below 1; for 8 % write 0.08."),
        ("model", "{id: openai/gpt-4o, effort: banana}", 'model.effort: no effort "banana". Fix: none, minimal, low, medium, high, xhigh or max.'),
        ("fallbacks", "[openai/o3, {id: openai/o3, effort: hihg}]", 'fallbacks[1].effort: no effort "hihg". Fix: high.'),
        ("traffic", "{calls: 20k/day, batchable: 2}", "traffic.batchable: 2 is out of range. Fix: at most 1; for 2 % write 0.02."),
        ("traffic", "-20000", "traffic: -20000 has no period. Fix: calls and period, e.g. 20k/day."),
        ("require", "{context: lots}", "require.context: cannot read \"lots\". Fix: a number, or one like 200k or 1M."),
        ("task", "{classification: yes}", 'task.classification: "yes" is not a number. Fix: write a number.'),
    ],
)  # fmt: skip
def test_a_fault_in_one_of_several_shapes_is_told_of_the_shape_that_was_meant(
    key: str, value: str, said: str, tmp_path: Path
) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"    {key}:")]
    (found,) = faults(HEAD + "\n".join([*lines, f"    {key}: {value}"]) + "\n", tmp_path)
    assert found.split(": ", 1)[1] == f"support-triage.{said}"


def test_every_fault_of_a_map_is_told_and_not_only_the_first(tmp_path: Path) -> None:
    found = faults(HEAD + GOOD + "    quality: {max_drop: 2, confidence: 3, flor: 1}\n", tmp_path)
    assert [line.split(": ")[1].removeprefix("support-triage.") for line in found] == [
        "quality.max_drop",
        "quality.confidence",
        "quality",
    ]


BOMB = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB + HEAD + GOOD, "use_cases.yaml:5:1: use_cases: aliases repeat more than 50,000 values."),
        (HEAD + "  x1: &a {designed: *a}\n", "use_cases.yaml:2:1: use_cases: *a stands within itself."),
        (HEAD + "  x1: &a\n    tags: [b, *a]\n", "use_cases.yaml:3:1: use_cases: *a stands within itself."),
        (HEAD + GOOD + "    title: !now x\n", "use_cases.yaml:8:1: use_cases: tags such as !now are not read."),
        (HEAD + GOOD + "    title: !!str 7\n", "use_cases.yaml:8:1: use_cases: tags such as !!str are not read."),
    ],
)
def test_aliases_without_end_and_tags_are_refused_before_anything_is_built(
    text: str, said: str, tmp_path: Path
) -> None:
    (found,) = faults(text, tmp_path)
    assert found.startswith(said)


@pytest.mark.parametrize("title", ["Warn them !now", "say !important, now", "a - !b", "'!quoted'", '"!quoted"'])
def test_a_word_with_an_exclamation_mark_is_a_word(title: str, tmp_path: Path) -> None:
    assert "!" in loaded(HEAD + GOOD + f"    title: {title}\n", tmp_path).title


def test_entries_may_share_values_by_aliases(tmp_path: Path) -> None:
    text = (
        HEAD
        + GOOD.replace("    tokens: {", "    tokens: &t {")
        + GOOD.replace("support-triage", "other").replace("{in: 900, out: 40}", "*t")
    )
    (tmp_path / "use_cases.yaml").write_text(text, encoding="utf-8")
    one, two = load_registry([tmp_path / "use_cases.yaml"], resolve).use_cases
    assert one.workload == two.workload


def test_a_team_without_a_channel_is_named(tmp_path: Path) -> None:
    text = HEAD + GOOD.replace('    channel: "#support-ai"\n', "    team: legal-platform\n")
    said = 'use_cases.yaml:2:3: support-triage: no channel, and its team "legal-platform" has none. Fix: add channel: "#…".'
    assert faults(text, tmp_path) == [said]


def test_an_undeclared_team_with_a_channel_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "use_cases.yaml"
    file.write_text(HEAD + GOOD + "    team: legal-platform\n", encoding="utf-8")
    (only,) = load_registry([file], resolve).warnings
    assert only.message == 'team "legal-platform" is not declared in this file.'


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    one, two = tmp_path / "a.yaml", tmp_path / "b.yaml"
    one.write_text(HEAD + GOOD.replace("20k/day", "20000").replace("out: 40", "ouf: 40"), encoding="utf-8")
    two.write_text(HEAD + GOOD.replace("#support-ai", "support"), encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        load_registry([one, two, tmp_path / "none.yaml"], resolve)
    found = [(p.file.rsplit("/", 1)[-1], p.line, p.code) for p in caught.value.problems]
    assert found == [
        ("a.yaml", 5, "type"), ("a.yaml", 6, "unknown"), ("b.yaml", 2, "twice"), ("b.yaml", 7, "pattern"), ("none.yaml", 1, "unreadable"),
    ]  # fmt: skip


def test_a_fault_of_one_kind_hides_none_of_another(tmp_path: Path) -> None:
    """A wrong shape, a number without sense, a task, a model and a condition nobody knows: one run tells all five."""
    text = """use_cases:
  support-triage:
    task: clasification
    model: anthropic/claude-opus-9
    traffic: 20k/day
    tokens: {in: {p50: 9000, p95: 3200}, out: 40}
    channel: "#support-ai"
    budgett: {month: 5}
    decisions: [{model: a/b, verdict: rejected, date: 2026-09-03, reopen_if: when EU}]
  reply-draft:
    model: {id: openai/gpt-99, discount: 8}
    fallbacks: [gpt-4o]
    traffic: 20k/day
    tokens: {in: 900, out: 40}
    alerts: {schedule: "Mon 09:00 Mars/Base"}
"""
    file = tmp_path / "use_cases.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        load_registry([file], resolve)
    assert [(p.line, p.key, p.code) for p in caught.value.problems] == [
        (3, "support-triage.task", "task"),
        (4, "support-triage.model", "model"),
        (6, "support-triage.tokens.in.p95", "spread"),
        (8, "support-triage", "unknown"),
        (9, "support-triage.decisions[0].reopen_if", "reopen_if"),
        (10, "reply-draft", "channel"),
        (11, "reply-draft", "missing"),
        (11, "reply-draft.model.discount", "exclusiveMaximum"),
        (12, "reply-draft.fallbacks[0]", "model"),
        (15, "reply-draft.alerts.schedule", "zone"),
    ]


@pytest.mark.parametrize("number", ["9" * 400, "0x" + "F" * 5000, "-" + "9" * 30, "1" + "0" * 400 + ".5"])
@pytest.mark.parametrize(
    "where",
    [
        "tokens: {{in: {}, out: 40}}",
        "traffic: {}",
        "budget: {{month: {}}}",
        "tokens: {{in: {{p50: 1, p95: {}}}, out: 4}}",
    ],
)
def test_a_number_that_none_can_mean_is_refused(where: str, number: str, tmp_path: Path) -> None:
    file = tmp_path / "use_cases.yaml"
    file.write_text(f"use_cases:\n  a-b:\n    {where.format(number)}\n", encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        load_registry([file], resolve)
    assert [(p.line, "digits" in p.message) for p in caught.value.problems] == [(3, True)]


KEYS = ["12", "1.5", "true", "~", "[a, b]", "Bad Slug", "teams", "defaults"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("text", [
    "use_cases: {{{key}: }}", "use_cases: {{{key}: {{quality: keap, task: [x]}}}}", "use_cases: {{{key}: [1]}}", "{key}: 1\nuse_cases: {{}}",
    "teams: {{{key}: }}\nuse_cases: 5", "teams: {{{key}: x}}", 'teams: {{{key}: {{channel: "#x"}}, ops: {{channel: "#o", parent: platfrm}}}}',
    'teams: {{{key}: {{channel: "#x", parent: "12"}}}}', "defaults: {{{key}: {{a: 1}}}}\nuse_cases: {{a-b: {{{key}: 3}}}}",
])  # fmt: skip
def test_a_key_of_any_kind_is_a_fault_with_a_place_and_never_a_crash(key: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "use_cases.yaml"
    file.write_text(text.format(key=key), encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        load_registry([file], resolve)
    assert all(p.line >= 1 and p.fix for p in caught.value.problems)


def test_a_fault_beside_it_hides_nothing_of_a_sound_entry(tmp_path: Path) -> None:
    from jobs.evals import load_cases

    sound = GOOD.replace("support-triage", "reply-draft").replace('    channel: "#support-ai"\n', "")
    named = GOOD.replace("support-triage", "faq") + "    evals: {results: [gone.csv]}\n"
    file = tmp_path / "use_cases.yaml"
    for fault in ("foo: 1\n", "teams: {ops: {chanel: x}}\n", "defaults: {budgett: 1}\n", ""):
        bad = "" if fault else "  Bad Slug: {}\n"
        file.write_text(fault + HEAD + sound + named + bad, encoding="utf-8")
        with pytest.raises(RegistryError) as caught:
            load_cases([file])
        codes = {p.code for p in caught.value.problems}
        assert {"evals"} | ({"channel"} if "teams" not in fault else set()) < codes, (
            "a team that cannot be read may have had its channel"
        )


def test_what_a_faulty_neighbour_names_is_told_with_its_fault(tmp_path: Path) -> None:
    """A file of results that is missing, beside an entry of a wrong shape: `load_cases` tells both."""
    from jobs.evals import load_cases

    file = tmp_path / "use_cases.yaml"
    plain = GOOD.replace("support-triage", "reply-draft") + "    evals: {results: [gone.csv]}\n"
    file.write_text(HEAD + GOOD.replace("20k/day", "20000") + plain, encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        load_cases([file])
    assert [(p.line, p.code) for p in caught.value.problems] == [(5, "type"), (14, "evals")]


LINES = [
    ("budget: {month: .nan}", "budget.month: nan is no number that can be used."),
    ("budget: {month: .inf}", "budget.month: inf is no number that can be used."),
    ("budget:", "budget: is empty. Fix: write a map, or drop the key."),
    ("owner: ~", "owner: is empty. Fix: write text, or drop the key."),
    ("require: {first_party: yes}", 'require.first_party: "yes" is not true or false. Fix: write true or false.'),
    ("require: {contxt: 200k}", 'require: unknown key "contxt". Fix: write "context".'),
    ("switch: {moves: [tiers]}", 'switch.moves[0]: no moves "tiers". Fix: tier.'),
    ("alerts: {snooze_until: 2026-02-30}", '"2026-02-30" is not a day.'),
    ('alerts: {schedule: "Mon 09:00 Mars/Base"}', 'alerts.schedule: no time zone "Mars/Base".'),
    ("decisions: [{model: a/b, verdict: rejected, date: 2026-09-03, reopen_if: precision=q4}]", 'cannot read "precision=q4".'),
    ("fallbacks: [{via: azure}]", 'fallbacks[0]: "id" is missing.'),
    ("budget: {month: 5, month: 6}", 'budget: "month" again, first on line 8.'),
    ("owner: !!str lee", "tags such as !!str are not read."),
]  # fmt: skip


@pytest.mark.parametrize(("line", "said"), LINES)
def test_a_line_that_makes_no_sense_is_told_where_it_stands(line: str, said: str, tmp_path: Path) -> None:
    (only,) = faults(HEAD + GOOD + f"    {line}\n", tmp_path)
    assert only.startswith("use_cases.yaml:8:")
    assert said in only


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("in: 900", "in: {p50: 900, p95: 100}"), "use_cases.yaml:6:34: support-triage.tokens.in.p95: p95 is under p50."),
        (("in: 900", "in: {p50: 0, p95: 100}"), "half of the calls have none, and no mean is given."),
        (("in: 900", "in: 900, in: 3"), 'use_cases.yaml:6:23: support-triage.tokens: "in" again, first on line 6.'),
        (("20k/day", '{calls: 20k/day, hours_utc: "24-06"}'), 'support-triage.traffic.hours_utc: "24-06" begins at 24.'),
        (("support-triage", "12345"), 'use_cases.yaml:2:3: use_cases[12345]: 12345 is a number. Fix: write "12345" in quotes.'),
    ],
)  # fmt: skip
def test_counts_hours_and_slugs_that_mean_nothing_are_refused(
    change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    (only,) = faults(HEAD + GOOD.replace(*change), tmp_path)
    assert said in only


def test_it_is_yaml_1_2_and_an_older_file_is_not_read_as_one(tmp_path: Path) -> None:
    """No word is a truth value, a leading zero is no octal, 0o17 is."""
    case = loaded(
        HEAD + GOOD + "    tags: [no, yes, off, NO]\n    switch: {payback_days: 017, hold_days: 0o17}\n", tmp_path
    )
    assert case.tags == ("no", "yes", "off", "NO")
    assert (case.switch.payback_days, case.switch.hold_days) == (17, 15)
    (only,) = faults("%YAML 1.1\n---\n" + HEAD + GOOD, tmp_path)
    assert only.startswith("use_cases.yaml:1:1: use_cases: %YAML 1.1 is not read")


def test_json_names_file_line_column_key_code_message_and_fix(tmp_path: Path) -> None:
    import subprocess
    import sys

    file = tmp_path / "use_cases.yaml"
    file.write_text(HEAD + GOOD.replace("task:", "tsk:").replace("20k/day", "20000"), encoding="utf-8")
    call = [sys.executable, "-c", "from jobs.cli import main; main()", "check", "--registry", str(file), "--json"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=ROOT)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [(s["severity"], s["line"], s["column"], s["key"], s["code"]) for s in said] == [
        ("error", 3, 5, "support-triage", "unknown"),
        ("error", 5, 14, "support-triage.traffic", "type"),
    ]
    assert all({"file", "message", "fix"} < set(s) for s in said)


def test_a_prompt_cache_is_written_too_and_one_that_is_never_read_is_a_warning(tmp_path: Path) -> None:
    """30 % read at 40 % hits of what can be cached: 0.3 x 0.6 / 0.4 = 45 % written."""
    cache = "    caches: [{name: p, kind: prompt, hit_rate: 0.4, ttl: 1h}]\n"
    load = loaded(HEAD + GOOD.replace("out: 40", "out: 40, cached: 0.3") + cache, tmp_path).workload
    assert (load.cache_written_share, load.cache_lifetime) == (pytest.approx(0.45), "1h")
    file = tmp_path / "use_cases.yaml"
    file.write_text(HEAD + GOOD + cache, encoding="utf-8")
    found = load_registry([file], resolve)
    assert found.use_cases[0].workload.cache_written_share == 0
    assert [w.code for w in found.warnings] == ["unkept"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "use_cases: {}", "use_cases:\n  - a\n", "{", "a: !!python/object x", "x" * 1_100_000, "use_cases: 5"],
)
def test_what_is_no_registry_says_so(text: str, tmp_path: Path) -> None:
    assert faults(text, tmp_path)


def test_dates_and_norway_stay_text(tmp_path: Path) -> None:
    text = HEAD + GOOD + "    designed: {date: 2025-05-02}\n    tokens2: 1\n"
    text = text.replace("    tokens2: 1\n", "    tags: [NO, on, 1e3x]\n")
    case = loaded(text, tmp_path)
    assert case.designed.date == "2025-05-02"
    assert case.tags == ("NO", "on", "1e3x")


def test_defaults_merge_key_by_key_and_lists_are_replaced(tmp_path: Path) -> None:
    text = (
        "defaults:\n  quality: near\n  require: {features: [tools], regions: [eu]}\n  switch: {payback_days: 60}\n"
        + HEAD + GOOD + "    require: {features: [vision]}\n    switch: {min_saving_month: 500}\n"
    )  # fmt: skip
    case = loaded(text, tmp_path)
    assert (case.quality.max_drop, case.require.features, case.require.regions) == (0.05, ("vision",), ("eu",))
    assert (case.switch.payback_days, case.switch.min_saving_usd_per_month) == (60, 500)
    assert case.origins["switch.payback_days"].startswith("defaults ")


def test_p50_and_p95_give_the_mean_of_the_product_page(tmp_path: Path) -> None:
    case = loaded(HEAD + GOOD.replace("in: 900", "in: {p50: 3200, p95: 9000}"), tmp_path)
    assert round(case.workload.input_tokens.mean) == 3899


def test_a_condition_to_reopen_must_be_readable(tmp_path: Path) -> None:
    ruling = '    decisions:\n      - {model: a/b, verdict: rejected, date: 2026-09-03, reopen_if: "when EU"}\n'
    (only,) = faults(HEAD + GOOD + ruling, tmp_path)
    assert only.endswith(
        'support-triage.decisions[0].reopen_if: cannot read "when EU". Fix: e.g. "region eu available".'
    )


def test_the_shipped_registry_is_valid_and_says_all_it_must() -> None:
    from scraper.match import Matcher

    tree = YAML(typ="safe", pure=True).load((ROOT / "use_cases.yaml").read_text(encoding="utf-8"))
    text = json.loads(json.dumps(tree, default=str))
    assert list(Draft202012Validator(schema()).iter_errors(text)) == []
    found = load_registry([ROOT / "use_cases.yaml"], Matcher.from_package().resolve)
    assert len(found.use_cases) >= 6
    assert found.warnings == ()


@pytest.mark.corpus
def test_the_schema_is_the_agreed_one(corpus: Path) -> None:
    agreed = corpus.parent / "use_cases.schema.json"
    assert json.loads(agreed.read_text(encoding="utf-8")) == schema()


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**6),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.lists(st.text(max_size=4), max_size=2),
)
KEYS = st.sampled_from(
    ["task", "model", "traffic", "tokens", "quality", "require", "switch", "alerts", "channel", "budget", "x"]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_what_the_schema_refuses_the_loader_refuses(tmp_path: Path, change: dict[str, Any]) -> None:
    entry = YAML(typ="safe", pure=True).load(GOOD)["support-triage"] | change
    document = {"use_cases": {"support-triage": entry}}
    valid = not list(Draft202012Validator(schema()).iter_errors(document))
    file = tmp_path / "use_cases.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")
    try:
        load_registry([file], resolve)
        accepted = True
    except RegistryError as error:
        accepted = False
        assert all(p.line >= 1 and p.fix for p in error.problems)
    assert not accepted or valid


@pytest.mark.parametrize(
    ("teams", "said"),
    [
        ('ops: {channel: "#ops", parent: all}', 'team "all" is declared nowhere: it gets no roll-up. Fix: add teams: {all: {channel: "#…"}}.'),
        ('ops: {channel: "#ops", parent: palform}\n  platform: {channel: "#p"}', 'team "palform" is declared nowhere: it gets no roll-up. Fix: write "platform".'),
        ('ops: {channel: "#ops", parent: all}\n  all: {contacts: ["@x"]}', 'team "all" has no channel: it gets no roll-up. Fix: add its channel: "#…".'),
        ('ops: {channel: "#ops", parent: ops}', 'team "ops" is also below "ops": both get the same roll-up. Fix: let one of them be the parent.'),
        ('ops: {channel: "#ops", parent: all}\n  all: {channel: "#all"}', None),
    ],
)  # fmt: skip
def test_a_parent_that_would_hear_nothing_is_said(teams: str, said: str | None, tmp_path: Path) -> None:
    file = tmp_path / "use_cases.yaml"
    file.write_text(f"{HEAD}{GOOD}    team: ops\nteams:\n  {teams}\n", encoding="utf-8")
    found = load_registry([file], resolve).warnings
    assert [f"{w.message} Fix: {w.fix}" for w in found] == ([said] if said else [])
    assert all(text.splitlines()[w.line - 1].count("parent") for w in found for text in [file.read_text("utf-8")])


def test_a_parent_in_another_file_is_found_and_teams_stand_under_it(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "a.yaml", tmp_path / "b.yaml"
    ours.write_text(f'{HEAD}{GOOD}teams:\n  ops: {{channel: "#ops", parent: platform}}\n', encoding="utf-8")
    other = GOOD.replace("support-triage", "reply-draft")
    theirs.write_text(
        f'{HEAD}{other}teams:\n  platform: {{channel: "#p", parent: all}}\n  all: {{channel: "#all"}}\n',
        encoding="utf-8",
    )
    found = load_registry([ours, theirs], resolve)
    assert found.warnings == ()
    assert found.under("platform") == {"platform", "ops"}
    assert found.under("all") == {"all", "platform", "ops"}
    assert found.under("ops") == {"ops"}
