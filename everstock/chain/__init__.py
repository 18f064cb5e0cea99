"""The chain Everstock runs on: Anvil, the Base look-alike and forks of it, prices, artifacts, transactions.

Where to look:

- `anvil`         one Anvil process, started and stopped with the command that needs it
- `addresses`     Base's real addresses and Pyth's feed ids
- `devnet`        `lookalike()` and `fork()`, and `mode()`, which tells what a chain is
- `feeds`         moving the prices of a chain whose feeds are ours
- `publisher`     signed price updates in Pyth's wire format
- `hermes`        an HTTP server that hands them out as Pyth's Hermes does
- `artifacts`     ABI and bytecode of our contracts, as Ape compiled them
- `transactions`  sending, with the reason of a revert in words
- `ape_bridge`    Ape connected to one of these chains
- `command`       `everstock devnet` and `everstock ape`
"""
