"""A judge from its settings."""

from __future__ import annotations

from pathlib import Path

from robo_refer.engines.chat_endpoint import ChatEndpoint
from robo_refer.engines.http_call import Retries
from robo_refer_train.config import check_least
from robo_refer_train.reward_config import JudgeConfig
from robo_refer_train.rewards.judge.cache import GradeCache
from robo_refer_train.rewards.judge.endpoint import EndpointGrader
from robo_refer_train.rewards.judge.reward import Grader, Judge

# A run does not wait long for one grade: an outage is waited out by abstaining.
_RETRIES = Retries(attempts=3, first_wait_s=0.5, longest_wait_s=5.0)


def make_judge(config: JudgeConfig) -> Judge:
    """Return the judge of a config.

    Raises:
        RoboReferError: BAD_CHECKPOINT, BAD_FILE (its cache), or BAD_REQUEST (its server, or no
            answer at a time).
    """
    check_least(config, {"concurrent": 1})
    return Judge(_grader(config), GradeCache(Path(config.cache) if config.cache else None))


def _grader(config: JudgeConfig) -> Grader:
    if config.url:
        endpoint = ChatEndpoint(
            config.url,
            config.model,
            timeout_s=config.timeout_s,
            api_key_env=config.api_key_env,
            retries=_RETRIES,
        )
        return EndpointGrader(endpoint, config.concurrent)
    # Imported here: a judge behind a server needs no torch.
    from robo_refer_train.rewards.judge.local import LocalGrader

    adapter = Path(config.adapter) if config.adapter else None
    return LocalGrader(Path(config.model), adapter, config.concurrent)
