"""Where a clip comes from, said in a form that other programs check: C2PA content credentials."""
