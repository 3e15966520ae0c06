"""Photos in, batches out: folders, pairs, seeded crops, resumable loaders."""

from wildsr.data.loader import batches
from wildsr.data.photos import Photo, PhotoFolder, Skipped, hold_out, open_pairs, open_photos
from wildsr.data.sampling import AlignedCrops, Degrade, DegradedCrops, Pair, Sample, Sampler, collate
from wildsr.data.validation import validation_crops

__all__ = [
    "AlignedCrops",
    "Degrade",
    "DegradedCrops",
    "Pair",
    "Photo",
    "PhotoFolder",
    "Sample",
    "Sampler",
    "Skipped",
    "batches",
    "collate",
    "hold_out",
    "open_pairs",
    "open_photos",
    "validation_crops",
]
