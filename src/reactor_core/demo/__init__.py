"""The main job: one turn of the loop on real weights, real frames and real files."""
