"""Version 1 of the interface; what it promises is in ``openapi.json``."""
