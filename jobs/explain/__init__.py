"""Where a figure came from: effective values of a use case with file and line; a finding down to the quoted text of the page."""

from jobs.explain.finding import explain_recommendation
from jobs.explain.pages import finding_page, values_page
from jobs.explain.values import explain_use_case, remarks_on, values

__all__ = ["explain_recommendation", "explain_use_case", "finding_page", "remarks_on", "values", "values_page"]
