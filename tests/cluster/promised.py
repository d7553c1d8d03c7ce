"""How many faults each test injects at least: together as many as issue 3 asks of the suite."""

FAULTS = {
    "a node alone": 10,
    "crashes": 64,
    "crashes of any number": 21,
    "cuts": 48,
    "a slow network": 16,
    "everything": 52,
    "leaders die": 12,
    "a rolling restart": 6,
}
assert sum(FAULTS.values()) >= 200
