"""Where robo_refer_bringup keeps its files."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from robo_refer.errors import ErrorCode, RoboReferError


def bringup_share() -> Path:
    """Return the share folder of robo_refer_bringup.

    Raises:
        RoboReferError: MISSING_DEPENDENCY when it is not built or not sourced.
    """
    try:
        return Path(get_package_share_directory("robo_refer_bringup"))
    except (PackageNotFoundError, OSError) as error:  # OSError: no AMENT_PREFIX_PATH at all
        raise RoboReferError(
            ErrorCode.MISSING_DEPENDENCY,
            "The package robo_refer_bringup is not found.",
            "Build the workspace and source it.",
        ) from error
