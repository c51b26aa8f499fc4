"""Objections (异议): the subject's pages."""
