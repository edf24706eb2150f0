"""What is compared: coreset-selection methods and the signals that they read. Imports nothing from `benchmark`.

Part of coreset-bench.
"""
