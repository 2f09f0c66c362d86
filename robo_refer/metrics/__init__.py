"""What counts as right, and how sure a score is."""

from robo_refer.metrics.hits import is_hit, score_answer
from robo_refer.metrics.significance import Interval, mcnemar, paired_bootstrap, wilson

__all__ = ["Interval", "is_hit", "mcnemar", "paired_bootstrap", "score_answer", "wilson"]
