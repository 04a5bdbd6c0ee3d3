"""What sources say against what is believed: one reading at a time (`reconcile`), or all catalogues together (`settle`). Pure."""

from scraper.reconcile.beliefs import Beliefs, Key, Offer, key_of, offer_key, reconcile
from scraper.reconcile.consensus import Settled, Statement, same, settle

__all__ = ["Beliefs", "Key", "Offer", "Settled", "Statement", "key_of", "offer_key", "reconcile", "same", "settle"]
