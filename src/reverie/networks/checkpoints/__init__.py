"""Files of weights from strangers: looked through before anything is loaded."""
