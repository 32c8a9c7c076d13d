"""What chance does to people: the product's own functions on simulated desks whose truth is known.

Each simulation is a function of how often it is repeated: the tests beside it take as few as settle their bound, ``python -m
tests.statistics`` takes many and prints the tables of docs/evidence.md.
"""
