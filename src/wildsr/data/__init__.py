"""Photos in, batches out: folders, pairs, seeded crops, resumable loaders."""

from wildsr.data.degrading import array_degrader
from wildsr.data.loader import batches
from wildsr.data.manifest import MANIFEST, Manifest
from wildsr.data.pairs import MadePair, PairSettings, in_the_way, is_made, make_pair, write_pair
from wildsr.data.photos import Photo, PhotoFolder, Skipped, hold_out, open_pairs, open_photos
from wildsr.data.sampling import AlignedCrops, Degrade, DegradedCrops, Pair, Sample, Sampler, collate
from wildsr.data.validation import degraded_validation_crops, validation_crops

__all__ = [
    "MANIFEST",
    "AlignedCrops",
    "Degrade",
    "DegradedCrops",
    "MadePair",
    "Manifest",
    "Pair",
    "PairSettings",
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
    "in_the_way",
    "is_made",
    "make_pair",
    "open_pairs",
    "open_photos",
    "validation_crops",
    "write_pair",
]
