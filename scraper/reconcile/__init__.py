"""What sources say against what is believed: one reading at a time (`reconcile`), all catalogues together (`settle`), and
what a page no longer lists (`gone_at`). Pure."""

from scraper.reconcile.beliefs import Beliefs, Key, Offer, key_of, key_text, offer_key, reconcile
from scraper.reconcile.consensus import Settled, Statement, restate, same, settle
from scraper.reconcile.gone import gone_at

__all__ = [
    "Beliefs", "Key", "Offer", "Settled", "Statement", "gone_at", "key_of", "key_text", "offer_key", "reconcile",
    "restate", "same", "settle",
]  # fmt: skip
