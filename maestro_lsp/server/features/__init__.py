"""One module for each language feature: a pure function from what is known to what the client is told."""
