"""What is to be said of what an atlas shows: what can be trusted, what speaks for what, what is near, what is wrong."""
