"""What every program must agree on.

Pure: no I/O, no clock, no logging, no randomness. Time comes in as an argument. A rule that the
webhook and the operator both apply lives here once, with a table of cases as its test.
"""

__version__ = "0.1.0"
"""Of the whole product: one wheel, one image, one number."""
