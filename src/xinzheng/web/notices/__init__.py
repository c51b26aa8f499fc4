"""Notices (通知): the list of whoever is signed in, and mail."""
