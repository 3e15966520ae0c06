"""The blur kernel of one photo."""
