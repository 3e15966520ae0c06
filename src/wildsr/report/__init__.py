"""Pages people believe: HTML skeleton, SVG plots, crops; shared by everything that reports."""
