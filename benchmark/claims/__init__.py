"""The EasyCore paper's claims as questions, and the answers that committed records give.

`questions` states each claim, what is measured and the rule of its verdict; `measurement` holds what leaderboards do
not: one JSON line for each experiment; `answers` judges; `page` sets it in type. Nothing here reads a clock or a
machine.
"""
