"""Two ways to score a recorded answer: `strict`, and `official` as the released script does."""

from robo_refer_bench.scoring.official import official
from robo_refer_bench.scoring.strict import strict
from robo_refer_bench.scoring.verdict import Verdict

__all__ = ["Verdict", "official", "strict"]
