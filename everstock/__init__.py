"""Everstock: coin-margined perpetual options on BTC and ETH, margined in tokenized stocks."""
