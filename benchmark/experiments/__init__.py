"""Questions that no leaderboard answers: about samples, signals and bounds, measured on a suite's data and proxies.

What each `Measurement` is called and counted in; `benchmark.claims.questions` declares what its values mean for a claim.

    question            unit             one value a replicate                                           cases
    vulnerability       Spearman's rho   AIGN against the smallest epsilon that flips a sample           same network, another seed's
    vulnerability-gap   pixels           that epsilon's median, easiest tenth less hardest tenth         same network, another seed's
    distance            Spearman's rho   AIGN against the distance from the boundary                     logit margin, ... over its slope, DeepFool
    architectures       Spearman's rho   AIGN of one network against another's                           another seed; a network each
    robust-proxy        Spearman's rho   AIGN of the standard proxy against a TRADES proxy's
    learnt-early        Spearman's rho   AIGN against the epoch of learning                              first right, last wrong
    class-centre        Spearman's rho   AIGN against the distance to the own class's mean feature
    plane-segments      segments         boundary in 2-D: trained on the easiest 720 less on all 1,200   all, random 720
    plane-length        lengths          likewise, its length
    plane-curvature     per length       likewise, its mean curvature
    lemma-applies       share            batches whose images are linearly independent                   batch of 1 ... 128
    lemma-tightness     ratio            right side of Lemma 1 over the left side                        batch of 1 ... 128
    squared-norm        Spearman's rho   AIGN against the mean of squared norms
    squared-picks       share            picks that both make at 30 %
    free-aign           Spearman's rho   AIGN against that of gradients which the training step gives

The module of a measure is a few pure functions of arrays or of one model; `measure` runs them all.
"""
