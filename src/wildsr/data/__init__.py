"""Photos in, batches out: folders, pairs, seeded crops, resumable loaders."""

from wildsr.data.degrading import array_degrader
from wildsr.data.loader import batches
from wildsr.data.manifest import MANIFEST, Manifest
from wildsr.data.pairing import PairJob, PairsMade, make_pairs, plan_pairs
from wildsr.data.pairs import MadePair, PairSettings, make_pair, pair_settings, write_pair
from wildsr.data.photos import Photo, PhotoFolder, Skipped, hold_out, open_pairs, open_photos
from wildsr.data.sampling import (
    AlignedCrops,
    Degrade,
    DegradedCrops,
    NoisyCrops,
    Pair,
    Sample,
    Sampler,
    collate,
    with_noise,
)
from wildsr.data.shards import open_shards, shards_in
from wildsr.data.validation import degraded_validation_crops, validation_crops

__all__ = [
    "MANIFEST",
    "AlignedCrops",
    "Degrade",
    "DegradedCrops",
    "MadePair",
    "Manifest",
    "NoisyCrops",
    "Pair",
    "PairJob",
    "PairSettings",
    "PairsMade",
    "Photo",
    "PhotoFolder",
    "Sample",
    "Sampler",
    "Skipped",
    "array_degrader",
    "batches",
    "collate",
    "degraded_validation_crops",
    "hold_out",
    "make_pair",
    "make_pairs",
    "open_pairs",
    "open_photos",
    "open_shards",
    "pair_settings",
    "plan_pairs",
    "shards_in",
    "validation_crops",
    "with_noise",
    "write_pair",
]
