"""The networks that come with Reverie: facts, labels, weights, definition."""
