"""The leaderboard, from records alone: no module here reads a store, trains or attacks.

names       rows and attacks that tables know by name     outcomes    one line of rates for each cell that ran
masking     where gradients misled the attacks            nulls       rows among random coresets
standings   who stands where in one regime                family      comparisons adjusted for their number
tables      its tables, as text cells                     headlines   what it says in words
facts       what was compared, with what, on what         document    all of it as Markdown or for a terminal
clocks      other clocks, and what cells cost             worst_case  models under everything run against them
shares      dynamic methods by what they presented
"""
