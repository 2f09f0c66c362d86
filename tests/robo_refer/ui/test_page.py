"""The page in a real browser: a scene is chosen, asked about, and shown in every form."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.referrer import Referrer
from robo_refer.types import CameraModel, Frame, Referral
from robo_refer.ui.cloud import cloud
from robo_refer.ui.page import INSTRUCTIONS, SAMPLE, build, frame_of, steps_of, theme, verdict

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def referrer() -> Referrer:
    return Referrer.from_pretrained("nano")


@pytest.fixture(scope="module")
def sample() -> Frame:
    from robo_refer.files.frame_files import load_frame

    return load_frame(SAMPLE / "color.jpg", SAMPLE / "depth.png", SAMPLE / "camera.json")


@pytest.fixture(scope="module")
def page(referrer: Referrer) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    blocks = build(referrer)
    _, url, _ = blocks.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, theme=theme(),
        allowed_paths=[str(SAMPLE)],
    )  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 1400})
        opened.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        opened.goto(url)
        yield opened
        browser.close()
    blocks.close()


@pytest.mark.browser
@pytest.mark.slow
def test_the_sample_scene_is_answered_in_every_form(page: Page, tmp_path: Path) -> None:
    page.get_by_text(INSTRUCTIONS[0], exact=True).click()
    box = page.locator("#instruction textarea")
    expect(box).to_have_value(INSTRUCTIONS[0])
    page.locator("#ask").click()
    expect(page.locator("#verdict")).to_contain_text("pixel (")
    expect(page.locator("#verdict")).to_contain_text("camera's frame")
    expect(page.locator("#answer img")).to_be_visible()
    expect(page.locator(".js-plotly-plot canvas").first).to_be_visible()
    page.get_by_role("tab", name="JSON").click()
    expect(page.locator("#json")).to_contain_text('"p_cam_m"')
    page.screenshot(path=tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000


@pytest.mark.browser
@pytest.mark.slow
def test_a_mistake_is_said_in_words(page: Page) -> None:
    page.locator("#instruction textarea").fill("  ")
    page.locator("#ask").click()
    expect(page.get_by_text("BAD_INSTRUCTION").first).to_be_visible()


def test_files_of_visitors_are_checked(sample: Frame, tmp_path: Path) -> None:
    with pytest.raises(RoboReferError) as caught:
        frame_of(None, None, None)
    assert caught.value.code is ErrorCode.BAD_IMAGE
    whole = frame_of(sample.rgb, str(SAMPLE / "depth.png"), str(SAMPLE / "camera.json"))
    np.testing.assert_array_equal(whole.depth_m, sample.depth_m)
    with pytest.raises(RoboReferError):
        frame_of(sample.rgb, str(SAMPLE / "camera.json"), None)


def test_the_cloud_is_where_depth_is_and_the_ellipsoid_around_the_point(
    referrer: Referrer, sample: Frame
) -> None:
    referral = referrer.refer(sample, INSTRUCTIONS[0])
    figure = cloud(sample, referral)
    assert figure is not None
    scene, mark, shell = figure.data
    assert 3000 < len(scene.x) <= 12_100
    assert min(scene.y) > 0, "in front of the camera"
    point = np.array(referral.points[0].p_cam_m)
    np.testing.assert_allclose([mark.x[0], mark.y[0], mark.z[0]], [point[0], point[2], -point[1]])
    away = np.array([shell.x, shell.y, shell.z]).T - [point[0], point[2], -point[1]]
    sigma = np.sqrt(np.linalg.eigvalsh(np.array(referral.points[0].cov_cam_m2)).max())
    assert np.linalg.norm(away, axis=1).max() == pytest.approx(2 * sigma, rel=0.05)
    assert cloud(Frame(sample.rgb), referral) is None
    json.loads(figure.to_json())


def test_what_is_said_of_nothing_and_of_steps(sample: Frame) -> None:
    nothing = Referral("it", "nano", "no_target", (), (), "", {})
    assert "Not there" in verdict(nothing)
    assert steps_of(nothing) == []
    camera = CameraModel(**{k: getattr(sample.camera, k) for k in ("width", "height", "fx", "fy",
                                                                   "cx", "cy")})  # fmt: skip
    assert cloud(Frame(sample.rgb, None, camera), nothing) is None
