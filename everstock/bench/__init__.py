"""What the protocol costs to use: gas of whole transactions from their receipts, and code sizes. `everstock bench`.

- `stage`    a deployment on a fork with 32 series open on both sides, and its actors
- `rows`     what is measured, each beside its budget
- `tables`   the two tables, as Markdown and for a terminal
- `command`  `everstock bench`, which writes docs/GAS.md
"""
