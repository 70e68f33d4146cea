"""The target language: what a dream climbs, as text and as terms.

blocks.4.1                          every channel of a layer
blocks.4.1:12                       one channel
blocks.4.1:12@7,9                   one neuron of it, at row 7, column 9
blocks.4.1:12@centre                the neuron in the middle, whatever the picture's size; blocks.4.1:12@ is the same
blocks.7/class                      of a transformer, the class token
blocks.7.attn/attention:2           of a transformer, how much attention a head gives to each place
parts   parts:12                    the layer that a level's word stands for, where no module has that name
"a b":12   "2*conv"                 a layer whose name reads as something else, in the quotes of JSON
class:banana   class:954            a class, by name or number
class:cat   class:pets=151..285     any of several classes: a word for them, or their numbers, which may have a name
blocks.4.1:12 - 0.5*blocks.2.0:3    a weighted sum; the signs stand between blanks

Where a network is at hand its `Names` come first: a module's own name means that module, quotes or not.
"""

from reverie.target.reading import asked, expand, has_range, is_unit, layer_names, parse
from reverie.target.terms import CLASSES, NO_NAMES, Names, Target, Term, as_said, brief, of_layer, without_members

__all__ = [
    "CLASSES", "NO_NAMES", "Names", "Target", "Term", "as_said", "asked", "brief", "expand", "has_range", "is_unit", "layer_names",
    "of_layer", "parse", "without_members",
]  # fmt: skip
