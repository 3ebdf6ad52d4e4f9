"""Ways to execute jobs, each behind the seam of `tl_core.executor`."""
