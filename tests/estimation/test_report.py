"""Profiles in numbers, side by side, and as a page."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.estimation.pictures import gaussian
from wildsr.degradation import KernelNote, Meta, NoiseNote, PhotoNote, Profile, Rejected
from wildsr.errors import ProfileError
from wildsr.estimation.kernels.shapes import carried_to_4
from wildsr.estimation.profile.comparison import compare_profiles
from wildsr.estimation.profile.comparison_page import comparison_page
from wildsr.estimation.profile.page import profile_page
from wildsr.estimation.profile.profile_stats import RejectionCount, axes_of, profile_stats
from wildsr.imaging import resize


def sample(
    *, long: float = 3.0, short: float = 1.0, sigma: float = 3.0, coarse: bool = False, name: str = "a.jpg"
) -> Profile:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, sigma / 255, (6, 3, 64, 64)).astype(np.float32)
    if coarse:
        noise = np.stack(
            [resize(one[:, :32, :32].transpose(1, 2, 0), scale=2).transpose(2, 0, 1) for one in noise]
        )
    noise -= noise.mean(axis=(2, 3), keepdims=True)
    kernels = np.stack([carried_to_4(gaussian(long * f, short * f, 0.5)) for f in (0.9, 1.0, 1.1)])
    return Profile(
        kernels=kernels,
        noise=noise,
        meta=Meta(
            kernels=tuple(KernelNote(photo=name, confidence=0.7, agreement=0.9) for _ in range(3)),
            noise=tuple(
                NoiseNote(photo=name, brightness=0.1 + 0.15 * i, std=float(noise[i].std())) for i in range(6)
            ),
            photos=(PhotoNote(photo=name, camera="Canon <A>", jpeg_quality=90, blockiness=0.1),),
            rejected=(
                Rejected(
                    kind="kernel", photo="b.jpg", reason="parts of the photo disagree (expected error 0.1)"
                ),
                Rejected(kind="noise", photo="b.jpg", reason="clipped", count=7),
            ),
            confidence=0.5,
            remarks=("there was one photo",),
        ),
    )


def test_axes_of_a_kernel() -> None:
    axes = axes_of(gaussian(4.0, 1.0, np.radians(30), 33))
    assert (axes.long, axes.short, axes.angle) == pytest.approx((2, 1, 30), abs=0.02)


def test_profile_stats_a_profile() -> None:
    stats = profile_stats(sample())
    assert (stats.kernels, stats.patches, stats.confidence) == (3, 6, 0.5)
    assert stats.noise == pytest.approx(3, rel=0.02)
    assert stats.grain == pytest.approx(1, abs=0.03)
    assert stats.colour == pytest.approx(0, abs=0.02)
    assert stats.jpeg == (90, 90, 90)
    assert stats.rejected == (
        RejectionCount(kind="kernel", reason="parts of the photo disagree", count=1, photos=("b.jpg",)),
        RejectionCount(kind="noise", reason="clipped", count=7, photos=("b.jpg",)),
    )
    assert stats.blur == pytest.approx((2 * np.sqrt(3), 2), rel=0.02)
    assert stats.axes[1].long == pytest.approx(2 * np.sqrt(3), rel=0.02)
    assert all(sigma == pytest.approx(3, rel=0.05) for _, sigma, _ in stats.noise_by_brightness)
    assert profile_stats(sample(coarse=True)).grain > 2


def test_a_profile_is_like_itself() -> None:
    result = compare_profiles(sample(), sample())
    assert result.kernel_overlap == pytest.approx(1, abs=1e-3)
    assert result.blur_ratio == 1
    assert result.noise_ratio == 1
    assert "alike" in result.verdict[0]
    assert "it is equally strong" in result.verdict[1]


def test_two_cameras_are_told_apart() -> None:
    result = compare_profiles(sample(), sample(long=8, short=6, sigma=9, coarse=True))
    assert result.kernel_overlap is not None
    assert result.kernel_overlap < 0.65
    assert result.blur_ratio == pytest.approx((48 / 3) ** 0.25, rel=0.05)
    assert result.noise_ratio is not None
    assert result.noise_ratio > 2
    assert "clearly different" in result.verdict[0]
    assert "grain differs" in result.verdict[2]


def test_other_scales_are_not_compared() -> None:
    two = Profile(kernels=np.stack([gaussian(2, 1, 0)]), scale=2)
    with pytest.raises(ProfileError, match="scales 4 and 2"):
        compare_profiles(sample(), two)


class _Checker(HTMLParser):
    """Counts elements, and holds what would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        for name, value in attrs:
            if name in ("src", "href") and not (value or "").startswith("data:image/png;base64,"):
                self.loads.append(value or "")


def test_the_page_shows_everything_and_loads_nothing() -> None:
    page = profile_page(sample(name="<script>alert(1)</script>.jpg"), name="cam & co")
    checker = _Checker()
    checker.feed(page)
    assert checker.loads == []
    assert "script" not in checker.counts
    assert checker.counts["img"] == 1 + 3 + 6  # the mean, the kernels, the patches
    assert checker.counts["ellipse"] == 3
    assert checker.counts["svg"] == 3
    assert "cam &amp; co" in page
    assert "Canon &lt;A&gt;" in page
    assert "parts of the photo disagree" in page
    assert re.search(r"confidence<b>50%", page)


def test_the_page_of_an_empty_profile() -> None:
    only_noise = Profile(noise=sample().noise)
    assert "None could be trusted" in profile_page(only_noise, name="x")
    only_kernels = Profile(kernels=sample().kernels)
    assert "No patches were found" in profile_page(only_kernels, name="x")
    assert profile_stats(only_kernels).grain is None
    assert compare_profiles(only_noise, only_kernels).kernel_overlap is None


def test_the_page_of_two_cameras() -> None:
    first, second = sample(), sample(long=8, short=6, sigma=9, coarse=True)
    page = comparison_page(
        compare_profiles(first, second), profiles=(first, second), names=("a<b", "b\udcff")
    )
    checker = _Checker()
    checker.feed(page)
    assert checker.loads == []
    assert page.count("<ellipse") == 6
    assert checker.counts["img"] == 2 + 1 + 12  # the mean kernels, their difference, the patches
    assert checker.counts["svg"] == 1 + 2 + 2
    assert "a&lt;b" in page
    assert "b\\xff" in page
    page.encode("utf-8")
    assert "clearly different" in page


def test_pages_and_tables_of_profiles_that_lack_something() -> None:
    first = sample()
    for second in (Profile(kernels=first.kernels), Profile(noise=first.noise), Profile()):
        for pair in ((first, second), (second, first), (second, second)):
            result = compare_profiles(*pair)
            assert comparison_page(result, profiles=pair, names=("a", "b")).startswith("<!doctype html>")
            assert all(len(line) == 3 for line in result.table())
    no_noise = Profile(kernels=first.kernels)
    result = compare_profiles(first, no_noise)
    assert "the second has no noise patches" in result.verdict[1]
    assert ("noise σ (levels)", "3.00", "-") in result.table()
    assert "b: none" in comparison_page(result, profiles=(first, no_noise), names=("a", "b"))


def test_two_kernels_have_a_median_between_them() -> None:
    """And `show` tells the same as `compare`."""
    pair = Profile(kernels=sample().kernels[:2])
    stats = profile_stats(pair)
    assert stats.blur == pytest.approx(np.mean([(a.long, a.short) for a in stats.axes], axis=0), abs=2e-3)
    assert compare_profiles(pair, pair).table()[1][1] == "{:.2f} × {:.2f}".format(*stats.blur or (0, 0))


def test_the_page_says_what_became_of_every_photo() -> None:
    page = profile_page(sample(), name="cam")
    assert re.search(r"<td class=words>a.jpg</td>.*confidence 70%.*<td>6</td>", page)
    assert "<td class=words>b.jpg</td>" in page
    assert "parts of the photo disagree (expected error 0.1)" in page


def test_the_scale_is_the_profile_s_own() -> None:
    two = Profile(kernels=np.stack([gaussian(2, 1, 0)]), scale=2)
    assert "blur at ×2" in profile_page(two, name="two")
    assert "×4" not in profile_page(two, name="two")
    assert compare_profiles(two, two).table()[1][0] == "blur (σ at ×2)"
