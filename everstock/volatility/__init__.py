"""Volatility and carry out of past prices: seeds for a deployment, and what the volatility oracle makes of history.

Where to look:

- `history`   price files as samples; the exact integer model on them, and the same in numpy
- `moving`    what it takes to move a sigma
- `report`    `everstock volatility`: docs/VOLATILITY.md and its chart
- `carry`     `everstock carry`: rho and both sigmas, with confidence intervals
- `command`   both commands
"""
