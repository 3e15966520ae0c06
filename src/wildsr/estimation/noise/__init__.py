"""Real noise, cut from the parts of photos where there is nothing else."""
