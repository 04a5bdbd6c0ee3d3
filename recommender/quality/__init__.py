"""Scores -> quality per task with interval. The only scikit-learn; values in, values out.

`estimate_cells` fills a table; `fit_quality` and `judge` weigh what was measured and estimated for a use case.
"""

from recommender.quality.estimator import Estimate, ScoreEstimator, estimate_cells
from recommender.quality.fitted import Fitted, Row, fit_quality
from recommender.quality.judge import judge, reaches
from recommender.quality.own import Judgement

__all__ = [
    "Estimate",
    "Fitted",
    "Judgement",
    "Row",
    "ScoreEstimator",
    "estimate_cells",
    "fit_quality",
    "judge",
    "reaches",
]
