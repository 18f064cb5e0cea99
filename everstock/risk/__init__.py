"""What the mechanism would have earned and lost on past prices, in floats: for whoever chooses parameters.

`hourly` reads the prices and makes the oracle's variances of them, `seller` is a pool that sells a book of options,
`informed` are traders who act right after a jump, `history` puts the three together, `charts` and `report` show it,
`page` keeps its place in docs/.
"""
