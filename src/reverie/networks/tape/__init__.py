"""A pass through a network and its gradient, written down once and played back: no modules, no hooks, no graph in between."""
