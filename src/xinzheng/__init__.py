"""xinzheng (信证): one signed special credit report instead of many no-violation certificates."""

__version__ = "0.1.0"
