"""Pictures that are final, judged: galleries of all of them, with what is known of each. What is judged here is never chosen by it."""
