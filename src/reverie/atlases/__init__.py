"""Atlases: a page for every unit of a network. Everything here is handed an open network, or needs none."""
