"""Pictures that are final, judged: what several networks see in them, and galleries of all of them. None is chosen by it.

A gallery needs no torch, so nothing is imported here.
"""
