"""The demonstration city (演示城市): two cities' registers and records, invented, the same for the same seed."""
