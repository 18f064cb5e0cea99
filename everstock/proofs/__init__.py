"""Proofs of the contracts' arithmetic: for all values by a solver, or on every value of a small domain by an EVM."""
