"""A name as written -> a model of the catalogue, or nobody; never a guess.

A name is read into what identifies (family, version, size, edition, date) and what is a run setting (`names.py`); two
names are one model only when all that identifies agrees. Fuzzy likeness only proposes, to a person.
"""

from scraper.match.entries import Match, Resolution
from scraper.match.index import Matcher, is_pointer

__all__ = ["Match", "Matcher", "Resolution", "is_pointer"]
