"""What a model file is, the models wildsr offers, and import of other people's.  No torch."""

from wildsr.models.catalog import CATALOG, COMPACT_MODEL, CatalogEntry
from wildsr.models.fusion import FusionRule
from wildsr.models.loading import (
    Model,
    holds_model,
    import_model,
    is_cached,
    load_model,
    own_sharpness,
)
from wildsr.models.spec import ModelSpec

__all__ = [
    "CATALOG",
    "COMPACT_MODEL",
    "CatalogEntry",
    "FusionRule",
    "Model",
    "ModelSpec",
    "holds_model",
    "import_model",
    "is_cached",
    "load_model",
    "own_sharpness",
]
