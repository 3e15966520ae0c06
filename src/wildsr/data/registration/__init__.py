"""Photos of one scene by a phone and a DSLR → windows that show the same, pixel by pixel."""
