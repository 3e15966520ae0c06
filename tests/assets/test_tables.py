"""Every row of the tables is complete, and points where the others of its kind do."""

import re

import pytest

from wildsr.assets.asset import Asset
from wildsr.assets.tables import ASSETS, METRIC_ASSETS, SAMPLE_PHOTOS, WEIGHT_ASSETS, siblings

LICENCES = {
    "Apache-2.0",
    "BSD-3-Clause",
    "BSD-2-Clause AND BSD-3-Clause",
    "MIT",
    "GPL",
    "CC0-1.0",
    "public domain",
}


def test_the_tables_are_disjoint() -> None:
    assert len(ASSETS) == len(WEIGHT_ASSETS) + len(METRIC_ASSETS) + len(SAMPLE_PHOTOS) == 14 + 7 + 4


@pytest.mark.parametrize("asset", ASSETS.values(), ids=ASSETS)
def test_row(asset: Asset) -> None:
    for digest in (asset.sha256, asset.distribution.sha256):
        assert re.fullmatch("[0-9a-f]{64}", digest)
    assert asset.size > 0
    assert asset.licence in LICENCES
    assert asset.source
    assert asset.distribution.filename.endswith((".whl", ".tar.gz"))
    assert asset.distribution.version in asset.distribution.filename
    assert not asset.member.startswith("/")
    assert ".." not in asset.member
    assert re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{8}\.[a-z]+", asset.stored_name)


def test_one_name_in_the_cache_for_each() -> None:
    assert len({asset.stored_name for asset in ASSETS.values()}) == len(ASSETS)


def test_siblings_share_the_archive() -> None:
    others = siblings(WEIGHT_ASSETS["realsr-df2k.bin"])
    assert sorted(other.name for other in others) == [
        "realsr-df2k-jpeg.bin",
        "realsr-df2k-jpeg.param",
        "realsr-df2k.param",
    ]
