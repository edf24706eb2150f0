"""How a run gets done: what is missing (`agenda`), how long it will take (`estimate`), by whom (`workers`), and records
of what came of it (`assemble`).
"""
