"""Recipes inside files: pictures, films, XMP."""
