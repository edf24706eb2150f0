"""How coreset-selection methods are compared: data, trace, training, attacks, records, leaderboard.

Part of coreset-bench.
"""
