"""Import of ncnn models: param graph and weights → ONNX."""

from wildsr.models.ncnn.importer import IMPORTER_VERSION, import_ncnn

__all__ = ["IMPORTER_VERSION", "import_ncnn"]
