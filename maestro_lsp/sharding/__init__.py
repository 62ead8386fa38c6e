"""Which packets must meet: from call paths to accesses, conflicts, and requirements on RSS."""
