"""What layers answer to real pictures: the data set, one pass over it, and what is kept of that."""
