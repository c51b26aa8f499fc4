"""Signing in: by password, by identity platform, with a second factor."""
