"""What is measured against a claim, by hand; each module prints a table for docs/."""
