"""The renderer for looks, where it is installed: the same truth, nearly the same light."""

import os
import sys

import numpy as np
import pytest

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.render import find_renderer, render
from robo_refer_data.scenes import SceneOptions, compose
from robo_refer_data.scenes.assemble import assemble


def available() -> bool:
    try:
        find_renderer("mitsuba")
    except RoboReferError:
        return False
    return True


def test_a_missing_package_is_said_with_its_remedy(monkeypatch) -> None:
    for name in [name for name in sys.modules if name.endswith("render.mitsuba")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mitsuba", None)
    with pytest.raises(RoboReferError) as caught:
        find_renderer("mitsuba")
    assert caught.value.code is ErrorCode.MISSING_DEPENDENCY
    assert "robo-refer[mitsuba]" in caught.value.remedy


@pytest.mark.slow
@pytest.mark.skipif(not available(), reason="needs mitsuba, pyoidn and LLVM")
def test_same_truth_and_nearly_the_same_light() -> None:
    scene = assemble(compose(3, "natural", 96, 72, SceneOptions()))
    ours, theirs = render(scene, 2), render(scene, 2, "mitsuba")
    for name in ("depth_m", "instance", "surface"):
        assert (getattr(ours, name) == getattr(theirs, name)).all()
    one, other = ours.rgb.astype(float), theirs.rgb.astype(float)
    assert abs(one.mean() - other.mean()) < 25
    shades = [image[ours.instance > 0].ravel() for image in (one, other)]
    assert np.corrcoef(*shades)[0, 1] > 0.8
    assert (theirs.rgb == render(scene, 2, "mitsuba").rgb).all()


@pytest.mark.skipif(not available(), reason="needs mitsuba, pyoidn and LLVM")
def test_a_missing_llvm_is_said_with_its_remedy(monkeypatch, tmp_path) -> None:
    from robo_refer_data.render import mitsuba

    monkeypatch.delenv("DRJIT_LIBLLVM_PATH", raising=False)
    monkeypatch.setattr(mitsuba, "LIBRARIES", (str(tmp_path),))
    (tmp_path / "libLLVM-14.so.1").touch()
    with pytest.raises(RoboReferError, match="libllvm19"):
        mitsuba._find_llvm()
    (tmp_path / "libLLVM.so.19.1").touch()
    mitsuba._find_llvm()
    assert os.environ["DRJIT_LIBLLVM_PATH"].endswith("libLLVM.so.19.1")
