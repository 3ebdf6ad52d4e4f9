"""A finished run's model as files that work without this project, checked against the app."""
