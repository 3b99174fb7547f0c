"""One run on several processes: who they are, what each holds and computes, and how they are started."""
