"""The scores of pictures that are final: they never choose, stop or repeat one. One file a family.

What is kept of them is read without torch, so nothing is imported here.
"""
