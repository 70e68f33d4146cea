"""A network made ready: frozen, folded, on a device, stopped after the last layer wanted."""
