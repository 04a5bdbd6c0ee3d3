"""Log lines of the service: text for people, or a JSON object a line (UNDERCUT_LOG=json). Secrets never come here."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
FIELDS = ("source", "outcome", "claims", "held", "seconds", "job", "error")


class JsonLines(logging.Formatter):
    """time (UTC), level, logger, message, and the fields a line carries."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {k: v for k in FIELDS if (v := getattr(record, k, None)) not in (None, "")}
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


def set_up(kind: str) -> None:
    """`text` or `json`, on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if kind == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
