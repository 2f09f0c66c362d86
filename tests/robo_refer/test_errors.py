"""Errors: one code, one sentence, one remedy, wherever they travel."""

from __future__ import annotations

import pickle

from robo_refer.errors import ErrorCode, RoboReferError, missing_package


def test_codes_are_unique_and_grouped() -> None:
    assert len({int(code) for code in ErrorCode}) == len(ErrorCode.__members__)
    assert ErrorCode.NO_TARGET == 33
    assert ErrorCode.NO_DEPTH == 40


def test_an_error_says_what_and_what_to_do() -> None:
    error = RoboReferError(ErrorCode.NO_DEPTH, "There is no depth.", "Give --depth.")
    assert str(error) == "NO_DEPTH: There is no depth. Give --depth."
    assert error.as_dict() == {
        "status": "no_depth",
        "code": 40,
        "message": "There is no depth.",
        "remedy": "Give --depth.",
    }


def test_an_error_survives_the_way_out_of_a_worker_process() -> None:
    error = RoboReferError(ErrorCode.BAD_SAMPLE, "It is broken.", "Mend it.")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is RoboReferError
    assert (back.as_dict(), str(back)) == (error.as_dict(), str(error))


def test_a_missing_package_names_the_extra() -> None:
    error = missing_package("pyarrow", "data")
    assert error.code is ErrorCode.MISSING_DEPENDENCY
    assert "pip install 'robo-refer[data]'" in error.remedy
