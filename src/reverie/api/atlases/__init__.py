"""Atlases: what of a network is shown, and the making of it by units."""
