"""The price chart under a sent finding: tried once, after the message and apart from it (bot token only).

The try is on disk before Slack is asked, so a lost answer, a refusal or a crash costs the picture and nothing else: it is
never tried again, and the message is never sent again for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from data.errors import UndercutError
from data.store import Copy, Place, Readable, Store, published
from jobs.outbox import Sender
from jobs.slack import BotSender
from jobs.withdraw import naive

log = logging.getLogger("undercut.pictures")
KINDS = ("cheaper", "price_rise")
SINCE = timedelta(days=1)  # an older message has no use of a chart any more
DUE = """
select o.message_id, o.channel, a.use_case, e.slack_ts from outbox o join alert a using (alert_id)
join outbox_event e on e.message_id = o.message_id and e.outcome = 'sent' and e.slack_ts is not null and e.happened_at >= ?
where list_contains(?::varchar[], a.kind) and a.use_case is not null and o.follows is null
    and o.message_id not in (select message_id from picture)
order by e.happened_at, o.message_id"""


def illustrate(
    store: Store,
    read_at: Place,
    sender: Sender | None,
    now: datetime,
    draw: Callable[[Readable, str], bytes] | None = None,
) -> int:
    """Put the price chart into the thread of what was sent since yesterday, once each; how many Slack took.

    Reads what people read (`read_at`: the published copy, or a team's store). A webhook takes no files: nothing is done. Nothing is raised; what went wrong is kept.
    """
    if not isinstance(sender, BotSender):
        return 0
    taken, drawing = 0, draw or _drawn
    for m in store.rows(DUE, [naive(now - SINCE), list(KINDS)]):
        event = {"message_id": m["message_id"], "happened_at": now}
        try:
            with published(read_at) as con:
                drawn = drawing(Copy(con), m["use_case"])
        except UndercutError as error:
            store.insert("picture", [{**event, "outcome": "none", "error": str(error)[:200]}])
            continue
        store.insert("picture", [{**event, "outcome": "sending"}])
        said = sender.picture(m["channel"], m["slack_ts"], drawn, f"{m['use_case']}-prices.png")
        store.insert("picture", [{**event, "outcome": said.outcome, "error": said.error}])
        taken += said.outcome == "sent"
        if said.error:
            log.warning("no chart under %s: %s", m["message_id"], said.error)
    return taken


def _drawn(store: Readable, use_case: str) -> bytes:
    """Late: drawing loads half a second of libraries."""
    from jobs.report.price_history import price_png

    return price_png(store, use_case)
