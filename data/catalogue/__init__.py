"""Facts kept by hand about makers, models, endpoints and aliases; YAML files in this folder, each with link and day.

Nothing here is guessed: what no file states is absent.
"""

from data.catalogue.reader import Catalogue, load_catalogue

__all__ = ["Catalogue", "load_catalogue"]
