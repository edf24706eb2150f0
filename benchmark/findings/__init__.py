"""Findings: prose about published results whose every number, and every word that rests on one, comes from records.

`results/README.md.j2` is that prose, a Jinja template, and `benchmark.publish` writes `results/README.md` from it. The
template calls what is here, all of it derived from published files when it is rendered:

    suite(NAME)             a suite: its sizes, its regimes, what to pick (`suites`)
    suite(NAME).of(REGIME)  its standings in one regime (`regimes`, `statements`)
    tried(NAME)             what its recipes were chosen from (`tuning`)
    claims                  the paper's claims and their verdicts (`answers`)
    speed                   how much faster than plain implementations (`speed`)
    runs, prepared          a table of what was run, and the suites that were not
    confidence              of every interval

What states a fact in words ("ahead", "may be nothing") is a method that *refuses* where the records say otherwise, and
what a template types itself has no numbers (`prose`). So results that move make somebody rewrite the sentence.
"""
