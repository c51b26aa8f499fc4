"""Secrets of platforms (平台密钥): random, so that one quick hash keeps them."""

import secrets

from django.contrib.auth.hashers import PBKDF2PasswordHasher

PREFIX = "xp_"
RANDOM_BYTES = 32


class RandomSecretHasher(PBKDF2PasswordHasher):
    """One round: 256 random bits are not guessed, and a slow hash would make tokens dear."""

    algorithm = "pbkdf2_sha256_random_secret"
    iterations = 1


def new_secret() -> str:
    """A secret that was never used."""
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
