"""Judging: what networks say of pictures that are final."""

from reverie.judging.answers import Asked, ClassSeen, Observed, observers_page
from reverie.judging.observers import asked

__all__ = ["Asked", "ClassSeen", "Observed", "asked", "observers_page"]
