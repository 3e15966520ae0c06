"""What a model file is, the models wildsr offers, and import of other people's.  No torch."""

from wildsr.models.catalog import CATALOG, DEFAULT_MODEL, CatalogEntry
from wildsr.models.fusion import FusionRule
from wildsr.models.loading import Model, import_model, is_cached, load_model
from wildsr.models.spec import ModelSpec

__all__ = [
    "CATALOG",
    "DEFAULT_MODEL",
    "CatalogEntry",
    "FusionRule",
    "Model",
    "ModelSpec",
    "import_model",
    "is_cached",
    "load_model",
]
