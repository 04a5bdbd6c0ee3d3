"""Any document -> grids with their context: headings, panes, the sentence above. The only BeautifulSoup.

Structure only: what a header or a number means is read elsewhere. HTML tables (spans, panes, component data), Markdown
tables, and JSON, CSV and YAML as plain values. Broken input gives fewer grids, never an exception.
"""

from scraper.grids.document import Document, read_document, reread
from scraper.grids.types import Cell, Grid

__all__ = ["Cell", "Document", "Grid", "read_document", "reread"]
