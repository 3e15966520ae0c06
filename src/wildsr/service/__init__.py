"""The web service: pages, HTTP API and job queue, a thin door on the library.  No torch."""
