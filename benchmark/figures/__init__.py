"""Figures: each an SVG and a PNG, with the table of the numbers that it draws beside it as CSV.

    from records alone   fractions, radii, tradeoff, gains
    from a run's store   samples, trajectories, agreement, plane, embedding, scores, overlap

`canvas` is the paper, `labels` writes on it, `emphasis` chooses the rows that are coloured; every other module draws
one figure, or a family, as functions that give a `Drawing`. `gallery` knows them all.
"""
