"""What the lowest price at a quality level may do next: nothing on most days, then a step. No file, clock or database.

`pooled_cuts` measures how often record lows came and how deep they were, flat time included; `foresee` turns that into
an expected price and an interval; `replay` judges it on the past beside "no change" and constant rates.
"""

from recommender.outlook.hazard import Cuts, Outlook, foresee, pooled_cuts, ready
from recommender.outlook.replay import METHODS, NO_CHANGE, STEPS, Verdict, replay

__all__ = ["METHODS", "NO_CHANGE", "STEPS", "Cuts", "Outlook", "Verdict", "foresee", "pooled_cuts", "ready", "replay"]
