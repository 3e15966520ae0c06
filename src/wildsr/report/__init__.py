"""HTML pages that load nothing from elsewhere: skeleton and style, SVG plots, inline pictures."""
