"""A profile of many photos: what each shows, what they agree on, and the pages about it."""
