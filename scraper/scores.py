"""Grids and data -> score claims. A first thin version."""

from __future__ import annotations
