"""EXIF, XMP and IPTC: kept, corrected where upscaling made them wrong, stripped on request."""
