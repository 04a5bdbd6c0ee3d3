"""What a message says, and what it must never do: ping, link, format, tell a contract, grow too long for Slack.

Golden files: tests/golden/*.json (the payload) and *.txt (as read); `UNDERCUT_GOLDEN=write` rewrites them.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.records import (
    AlertTerms,
    Budget,
    Candidate,
    Cost,
    Decision,
    Endpoint,
    EndpointChoice,
    Quality,
    Rate,
    Requirements,
    Tokens,
    UseCase,
    Workload,
)
from jobs.digest import Digest, Open
from jobs.messages import alert_message, onboarding_message, plain, platform_message
from jobs.messages.blocks import escape, percent, usd
from jobs.messages.digest import digest_message
from jobs.messages.watch import better_message, bill_message, doubt_message, newcomer_message, retirement_message
from tests.slack_server import faults_of

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
AS_OF = datetime(2026, 11, 19, 6, tzinfo=UTC)
HOSTILE = [
    "<!channel>",
    "<http://x|GPT>",
    "*bold* _it_ ~no~ `code`",
    "a&b <@U1>",
    "x\n>quote\u202e\u200b",
    "@here #general",
]


def cost(usd_per_month: float, low: float | None = None, high: float | None = None) -> Cost:
    low, high = low or usd_per_month, high or usd_per_month
    return Cost(
        usd_per_month=usd_per_month,
        low_usd_per_month=low,
        high_usd_per_month=high,
        usd_per_call=usd_per_month / 608_333,
        by_meter_usd_per_month={},
        rate_ids=("r1", "r2"),
    )


def spread(usd_per_month: float, cached: float) -> Cost:
    meters = {"input": usd_per_month - cached - 100, "cached_input": cached, "output": 100.0}
    return cost(usd_per_month).model_copy(update={"by_meter_usd_per_month": meters})


def quality(mean: float) -> Quality:
    spread = {"low": round(mean - 0.07, 3), "high": round(mean + 0.04, 3)}
    note = "4 of 6 benchmarks of this task measured"
    return Quality(mean=mean, **spread, grade="C", measured=True, benchmarks=("a", "b"), notes=(note,))


def candidate(endpoint: str, money: Cost | None, **more: Any) -> Candidate:
    fields = {"use_case": "ticket-summary", "model_id": None, "move": None, "eligible": True}
    return Candidate(**{**fields, "endpoint_id": endpoint, "cost": money, **more})


LONGER = {  # PRODUCT 4.2: prompts x1.12, answers x1.35
    "by_meter_usd_per_month": {"input": 425.1, "cached_input": 159.4, "output": 367.9},
    "prompt_ratio": (1.12, 1.0, 1.3), "answer_ratio": (1.35, 1.1, 1.6),
}  # fmt: skip
BEST = candidate(
    "vendor-b:mini-5", cost(952, 850, 1_120).model_copy(update=LONGER), quality=quality(0.90), born_on=date(2026, 6, 1), move="vendor", p_ok=0.874, effort_days=6,
    payback_days=45, saving_usd_per_month=3_478, saving_low_usd_per_month=3_310, saving_high_usd_per_month=3_580,
)  # fmt: skip
EASIER = candidate(
    "azure:large-2@eu", cost(3_765), tier="batch", move="tier", saving_usd_per_month=665, effort_days=0.5
)


def decision(**changes: Any) -> Decision:
    fields: dict[str, Any] = {
        "rec": "rec-7f3c01", "use_case": "ticket-summary", "decided_at": NOW, "data_as_of": AS_OF, "verdict": "switch",
        "reason": "saves $3,478 a month, every bar passed", "easier": EASIER, "best": BEST,
        "current": candidate("azure:large-2@eu", cost(4_430), quality=quality(0.861)),
        "rate_ids": ("r1", "r2", "r3"), "score_ids": ("s1", "s2"),
    }  # fmt: skip
    return Decision(**{**fields, **changes})


def use_case(slug: str = "ticket-summary", **changes: Any) -> UseCase:
    tokens = {"input_tokens": Tokens(mean=3_899), "output_tokens": Tokens(mean=280)}
    choice = EndpointChoice(written="large-2", model_id="vendor-a/large-2", endpoint_id="azure:large-2@eu")
    fields: dict[str, Any] = {
        "slug": slug, "title": slug, "tasks": {"summarization": 1.0}, "channel": "#support-ai", "owner": "@dana",
        "workload": Workload(calls_per_month=608_333, **tokens), "current": choice,
        "require": Requirements(features=("json_schema",), regions=("eu",), retention="no-training"),
    }  # fmt: skip
    return UseCase(**{**fields, **changes})


def contract(**terms: Any) -> UseCase:
    return use_case(current=use_case().current.model_copy(update=terms))


def keep(slug: str) -> Decision:
    return decision(
        use_case=slug, verdict="keep", best=None, easier=None, reason="within 10 % of the best eligible choice"
    )


def onboarding(rows: list[tuple[UseCase, Decision]]) -> dict[str, Any]:
    return onboarding_message("#support-ai", rows, now=NOW, data_as_of=AS_OF, retiring=())


def hostile() -> dict[str, Any]:
    best = BEST.model_copy(update={"endpoint_id": f"x:{HOSTILE[0]}{HOSTILE[1]}", "variant": HOSTILE[2]})
    easier = EASIER.model_copy(update={"endpoint_id": " ".join(HOSTILE[3:])})
    current = decision().current.model_copy(update={"endpoint_id": HOSTILE[2]})
    return alert_message(decision(best=best, easier=easier, current=current), use_case(), now=NOW, trigger=HOSTILE[0])


TRIGGER = "output of vendor-b:mini-5 went $8 → $1.60 per 1M tokens on 18 Nov 2026 (vendor-b, last fetched 19 Nov 2026)"
UNPRICED = decision(
    verdict="unknown", best=None, easier=None, current=candidate("azure:large-2@eu", None, reasons=("no price",)),
    reason="the model in use has no price (no price)",
)  # fmt: skip
CLAIM = {
    "meter": HOSTILE[0], "tier": "standard", "amount": Decimal("2.50"), "currency": "USD", "per": "per_mtok",
    "source": HOSTILE[1], "at": AS_OF, "url": HOSTILE[1], "why": HOSTILE[2],
}  # fmt: skip
OPEN = Open("ticket-summary", "switch", 3_478, "vendor", 0.874, "C", 4, "rec-7f3c01", "@dana")


def _rate(meter: str, usd: str, **more: Any) -> Rate:
    fields: dict[str, Any] = {
        "endpoint_id": "azure:large-2@eu",
        "known_from": AS_OF,
        "standing": "disputed",
        "source_id": "azure",
    }
    return Rate(meter=meter, usd_per_mtok=Decimal(usd), **fields | more)  # type: ignore[arg-type]


def digest(channel: str | None, spend: float = 41_000.0, **more: Any) -> Digest:
    fields: dict[str, Any] = {
        "open": (OPEN, Open("invoice-fields", "switch", 2_700, "tier", 1.0, None, 11, "rec-51aa02", HOSTILE[0]),
                 Open("code-review", "test", 1_900, "sibling", 0.71, "B", 2, "rec-0c0c03", "@lee")),
        "silent": 1, "decided": {"switched": 1, "rejected": 1}, "withheld": {"weekly cap": 1}, "rows_moved": 31,
        "rows_touching": 3, "sources": 12, "fresh": 11, "held": 1, "quiet": 9, "unknown": 1, "sent": 8, "acted": 5,
        "notes": ("reply-draft: bill fell $120 a month", f"new on your frontier: {HOSTILE[0]} (reply-draft)"),
        "coming": ("azure:large-2@eu retires 2026-12-10 (ticket-summary)",),
        "constraints": ("region eu costs about $310/mo on reply-draft",),
        "teams": (("support", 9, 31_000.0, 3_478.0), (HOSTILE[1], 5, None, 0.0)),
    }  # fmt: skip
    return Digest(channel, (2026, 47), 14, spend, 2, **fields | more)


MESSAGES = {
    "normal": lambda: alert_message(decision(), use_case(), now=NOW, data_as_of=AS_OF, trigger=TRIGGER),
    "nothing": lambda: onboarding([(use_case(), keep("ticket-summary"))]),
    "several": lambda: onboarding(
        [
            (use_case(), decision()),
            (use_case("reply-draft"), keep("reply-draft")),
            (use_case("faq-answer"), UNPRICED),
        ]
    ),
    "too-much": lambda: onboarding([(use_case(f"case-{n:03}"), keep(f"case-{n:03}")) for n in range(400)]),
    "hostile": hostile,
    "contract": lambda: alert_message(decision(), contract(private_price={"input_usd_per_mtok": Decimal(1)}), now=NOW),
    "unpriced": lambda: alert_message(UNPRICED, use_case(), now=NOW),
    "rise": lambda: bill_message(
        decision(),
        use_case().model_copy(update={"budget": Budget(usd_per_month=4_500, usd_per_call=0.008)}),
        spread(4_430, 1_400),
        spread(5_180, 2_150),
        least_at=AS_OF,
        at=NOW + timedelta(days=20),
        now=NOW,
        over=True,
        ranked=[BEST, EASIER],
        moved="cached_input $1.25 → $1.92 per 1M tokens on 10 Dec 2026 (azure)",
    ),
    "retirement": lambda: retirement_message(
        decision(),
        use_case(),
        Endpoint(endpoint_id="azure:large-2@eu", provider="azure", link=HOSTILE[1], checked_on="2026-11-01"),
        date(2026, 12, 10),
        now=NOW,
        ranked=[
            BEST,
            BEST.model_copy(
                update={"endpoint_id": "vendor-c:fast", "cost": cost(1_210), "p_ok": 0.81, "effort_days": 4}
            ),
            BEST.model_copy(
                update={
                    "endpoint_id": "aws:large-2@eu",
                    "cost": cost(4_600),
                    "move": "endpoint",
                    "p_ok": 0.99,
                    "effort_days": 1,
                }
            ),
        ],
        longer=["vendor-a:large-2", HOSTILE[0]],
    ),
    "price-unknown": lambda: doubt_message(UNPRICED, use_case(), [CLAIM], now=NOW, last=None, kind="unpriced"),
    "disputed": lambda: doubt_message(
        decision(),
        use_case(),
        [
            CLAIM | {"claim_id": "clm-1"},
            *(CLAIM | {"amount": Decimal(n), "per": "per_ktok", "currency": "CNY"} for n in range(30)),
        ],
        now=NOW,
        last=AS_OF,
        kind="disputed",
        trusted=[_rate("output", "10"), _rate("input", "2.5"), _rate("input", "1.25", tier="batch")],
    ),
    "better": lambda: better_message(
        decision(),
        use_case(),
        BEST.model_copy(update={"p_gain": 0.91}),
        now=NOW,
        trigger="new score of it: swebench on 18 Nov 2026 (board); likely good enough went 71 % → 87 %",
    ),
    "new-model": lambda: newcomer_message(
        decision(verdict="keep", best=None), use_case(), BEST.model_copy(update={"model_id": HOSTILE[0]}), now=NOW
    ),
    "digest": lambda: digest_message(digest("#support-ai"), now=NOW),
    "roll-up": lambda: digest_message(digest(None), now=NOW),
    "empty-digest": lambda: digest_message(Digest("#support-ai", (2026, 47), 1, None, 1, unknown=1), now=NOW),
    "full-digest": lambda: digest_message(
        digest(
            None,
            spend=4_100_000.0,
            open=(OPEN,) * 300,
            notes=tuple(HOSTILE) * 90,
            coming=tuple(HOSTILE) * 90,
            teams=((HOSTILE[0], 3, None, 0.0),) * 90,
        ),
        now=NOW,
    ),
    "platform": lambda: platform_message("1 of 12 sources failed", ["page-a: 404 <html> & no rows"]),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_read_as_agreed(name: str) -> None:
    message = MESSAGES[name]()
    files = {"json": json.dumps(message, ensure_ascii=False, indent=1) + "\n", "txt": plain(message) + "\n"}
    for ending, text in files.items():
        path = GOLDEN / f"{name}.{ending}"
        if os.environ.get("UNDERCUT_GOLDEN") == "write":
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, (
            f"if meant: UNDERCUT_GOLDEN=write, then read the diff of {path}"
        )


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_takes_every_message(name: str) -> None:
    message = MESSAGES[name]()
    assert faults_of(message) is None
    assert set(message) == {"text", "blocks"}
    assert len(plain(message)) + len(message["text"]) < 8_000


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_is_read_as_markup(name: str) -> None:
    def kinds(node: Any) -> list[str]:
        if isinstance(node, list):
            return [k for part in node for k in kinds(part)]
        return [node.get("type", ""), *kinds(list(node.values()))] if isinstance(node, dict) else []

    message = MESSAGES[name]()
    assert not {"mrkdwn", "link", "user", "usergroup", "channel", "broadcast", "section"} & set(
        kinds(message["blocks"])
    )
    assert not re.search(r"[<>]", message["text"])


@pytest.mark.parametrize("name", [n for n in MESSAGES if n not in ("platform", "nothing", "several", "too-much")])
def test_every_message_says_the_next_step_and_how_to_stop_it(name: str) -> None:
    starts = [line.split(" ")[0] for line in plain(MESSAGES[name]()).splitlines()]
    assert {"Next", "Stop"} <= set(starts)


def test_names_stand_as_written_without_what_disguises_them() -> None:
    said = plain(hostile())
    assert "<!channel>" in said
    assert "&lt;" not in said, "escaped once only where Slack reads markup"
    assert "\u202e" not in said
    assert "\u200b" not in said


def test_escaping_is_once_and_in_order() -> None:
    assert escape("a & <b> &lt;") == "a &amp; &lt;b&gt; &amp;lt;"
    cut = platform_message("&<>" * 100, [])
    assert re.fullmatch(r"(?:[^&<>]|&amp;|&lt;|&gt;)+", cut["text"]), "never cut within an escape"
    assert len(cut["blocks"][0]["text"]["text"]) == 150


def test_the_decision_is_in_six_lines_and_the_headline_short() -> None:
    lines = plain(MESSAGES["normal"]()).splitlines()
    assert len(re.findall(r"[\w$,-]*\w", lines[0])) < 10
    assert [line.split()[0] for line in lines[1:6]] == ["Who", "Now", "Move", "Quality", "Trust"]
    assert [line.split()[0] for line in lines[-4:]] == ["Answer", "Stop", "Why", "rec-7f3c01"]
    assert "19 Nov 2026" in lines[-1]


def test_how_to_stop_it_is_never_cut() -> None:
    said = plain(MESSAGES["too-much"]())
    assert "Stop it" in said
    assert "You get" in said
    assert re.search(r"… and \d+ more: undercut check", said)


@pytest.mark.parametrize("verdict", ["switch", "test", "wait"])
def test_a_contract_is_never_told(verdict: str) -> None:
    found = decision(verdict=verdict)  # 4,430 is what the team pays
    private = contract(private_price={"input_usd_per_mtok": Decimal("1.23")})
    discounted = contract(discount_share=0.08)
    listed = cost(5_000)
    for case, list_now in ((private, None), (private, listed), (discounted, None)):
        alert = alert_message(found, case, now=NOW, list_now=list_now)
        for said in (plain(alert), alert["text"], plain(onboarding([(case, found)]))):
            assert not re.search(r"4,430|3,48|3,310|3,47|\b665|45 days|1\.23|0\.08|8 %", said.replace("80 %", "")), said
            assert "your contract was counted in the decision" in said or said == alert["text"]
    assert "$4,820/mo" in plain(alert_message(found, discounted, now=NOW)), "4,430 / 0.92, the list price"
    assert "≈ $4,050 a month" in plain(alert_message(found, private, now=NOW, list_now=listed))


def test_unknown_stays_unknown() -> None:
    best = BEST.model_copy(update={"quality": None, "p_ok": None, "effort_days": None, "payback_days": None})
    said = plain(alert_message(decision(best=best), use_case(), now=NOW))
    assert "Quality unknown → unknown likely good enough" in said
    assert "Effort  unknown" in said
    assert "None" not in said
    assert "$0" not in said
    assert "unpriced" in plain(MESSAGES["several"]())


@pytest.mark.parametrize(
    ("amount", "said"),
    [(None, "unknown"), (0, "$0"), (0.00412, "$0.00412"), (7.281, "$7.28"), (952.4, "$952"), (4433, "$4,430"),
     (9.999, "$10.0"), (99.97, "$100"), (999.6, "$1,000"), (-79.4, "−$79.4"), (1234567, "$1,230,000"), (0.000012345, "$0.0000123")],
)  # fmt: skip
def test_money_has_three_digits_at_most(amount: float | None, said: str) -> None:
    assert usd(amount) == said


def test_a_share_is_never_rounded_to_certain() -> None:
    assert [percent(s) for s in (None, 0.004, 0.995, 1.0, 0.874)] == [
        "unknown",
        "under 1 %",
        "over 99 %",
        "100 %",
        "87 %",
    ]


@pytest.mark.parametrize("endpoint", ["x' or 1=1 --", 'x"; drop table rate; --', "a`b`", "x\ny"])
def test_a_name_that_could_break_a_query_is_in_no_query_that_people_are_told_to_type(endpoint: str) -> None:
    here = use_case(current=use_case().current.model_copy(update={"endpoint_id": endpoint}))
    held = {"claim_id": "c1", "meter": "input", "tier": "standard", "amount": Decimal(1), "currency": "USD", "per": "per_mtok",
            "source": "page", "at": NOW, "why": "held", "url": "http://page/"}  # fmt: skip
    said = plain(doubt_message(decision(), here, [held], now=NOW, last=NOW, kind="disputed"))
    assert 'Next    undercut sql "select * from quarantine"' in said
    fine = plain(doubt_message(decision(), use_case(), [held], now=NOW, last=NOW, kind="disputed"))
    assert "where endpoint = 'azure:large-2@eu'" in fine


def test_the_summary_says_when_the_digest_of_its_use_cases_goes_out() -> None:
    said = ("Fri 16:00 Europe/Berlin", "daily 07:15 UTC", "Mon 09:00 UTC")
    rows = [(use_case(alerts=AlertTerms(schedule=s)), decision()) for s in said]
    text = plain(onboarding_message("#support-ai", rows, now=NOW, data_as_of=AS_OF))
    assert "a digest on Fridays at 16:00 Europe/Berlin and every day at 07:15 UTC and on Mondays; nothing else" in text
