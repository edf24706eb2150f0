"""Questions that no leaderboard answers: of samples, signals and bounds, measured on a suite's data and proxies.

The questions, the unit in which each counts one value a replicate, and what that value is (a case in brackets);
`benchmark.claims.questions` declares what they mean for a claim.

    vulnerability      Spearman's rho   AIGN and the smallest epsilon that flips a sample [same network, another seed's]
    vulnerability-gap  pixels           that epsilon's median, easiest tenth less hardest tenth [likewise]
    vulnerability-loss Spearman's rho   how much closer to -1 the first of these is than the mean loss's [likewise]
    distance           Spearman's rho   AIGN and the distance from the boundary [logit margin, over its slope, DeepFool]
    architectures      Spearman's rho   AIGN of one network and of another [the other's name]
    robust-proxy       Spearman's rho   AIGN of the standard proxy and of a TRADES proxy
    learnt-early       Spearman's rho   AIGN and the epoch in which a sample is learnt [first right, last wrong]
    class-centre       Spearman's rho   AIGN and the distance of a sample's features from their class's mean
    plane-segments     segments         boundary in the plane: of the easiest 720 less of others [all, 720 at random]
    plane-length       lengths          likewise, its length
    plane-curvature    per length       likewise, its mean curvature
    lemma-applies      share            batches whose images are linearly independent [batch of 1 to 128]
    lemma-tightness    ratio            right side of Lemma 1 over its left side [likewise]
    squared-norm       Spearman's rho   AIGN and the mean of squared norms [by proxy]
    squared-picks      share            picks that both make at 30 % [likewise]
    free-aign          Spearman's rho   AIGN and the same from gradients that the training steps give on their way

Each measure is a few pure functions of arrays or of one network; `measure` runs them all.
"""
