"""Released scores: what the methods of a suite say of each image of the pool, to be used without any training."""
