"""Human studies: design, store, analysis.  No torch."""
