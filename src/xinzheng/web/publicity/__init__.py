"""Publicity and training: figures, guides, suggestions, rulings, registers."""
