"""What runs in an environment of its own, beside halmos and z3: nothing else of Everstock is imported here."""
