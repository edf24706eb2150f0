"""Records in the formats of others: tables of cells and images, typeset leaderboards, RobustBench's entries.

Everything is a function of the records alone: the same records give the same bytes, with the pinned versions.
"""
