"""Rows and attacks that the tables know by name."""

BASELINE = "random"  # the row against which gains are measured
DYNAMIC_BASELINE = "rs2"  # the same in the dynamic track
AUTOATTACK = "autoattack"
