"""Where other networks come from: their names, zoos, the hub, downloads, code of one's own."""
