"""What a clip's report says, as one page that needs nothing else."""
