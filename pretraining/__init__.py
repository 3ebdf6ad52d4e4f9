"""How the files under `tl_core/data` were made; run by hand, never by the app."""
