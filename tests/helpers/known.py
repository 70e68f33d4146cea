"""What a test knows of a value, and its type does not say."""

from __future__ import annotations

from typing import TypeVar

from reverie.pictures import Picture, Pictures
from reverie.recipe import Recipe

Value = TypeVar("Value")


def there(value: Value | None) -> Value:
    assert value is not None
    return value


def several(made: Picture | Pictures) -> Pictures:
    """The pictures of a range of channels, which is one text."""
    assert isinstance(made, Pictures)
    return made


def recipe_of(made: object) -> Recipe:
    """The recipe of a picture, where one or several may have come."""
    assert isinstance(made, Picture)
    return there(made.recipe)
