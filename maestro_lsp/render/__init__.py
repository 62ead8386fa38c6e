"""Reports as text, JSON, SARIF and dot."""
