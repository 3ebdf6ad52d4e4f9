"""A comparison as one HTML file that opens anywhere, without a server and without the network."""

from tl_core.report.page import html
from tl_core.report.subject import Subject, of_job, of_recording

__all__ = ["Subject", "html", "of_job", "of_recording"]
