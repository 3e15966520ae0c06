"""Where each file format keeps its metadata.

libvips re-serialises EXIF through libexif (unknown tags and makers' notes suffer) and writes none into
TIFF, so metadata goes into files here, byte for byte as handed over.
"""
