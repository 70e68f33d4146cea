"""How a picture moves, as a text: names of motions, and small expressions of time. Nothing but arithmetic is ever evaluated."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from reverie.errors import UsageError, unknown
from reverie.target import brief

MOTIONS: dict[str, str] = {
    "zoom": "zoom=1.3",
    "zoom-out": "zoom=1/1.2",
    "rotate": "rotate=8",
    "spiral": "zoom=1.25; rotate=10",
    "drift": "right=-4; down=-1",
    "sway": "rotate=5*cos(2*pi*t/8); right=2*cos(2*pi*t/6)",
    "breathe": "zoom=1.2**cos(2*pi*t/6)",
    "wander": "zoom=1.15; rotate=8*sin(t/3); right=4*cos(t/5); down=2*sin(t/4)",
    "still": "",
}
QUANTITIES = ("zoom", "rotate", "right", "down")
LONGEST = 400  # characters, as the recipe has it
MOST_PARTS, DEEPEST = 120, 16  # of the tree of one expression
_BOUNDS = {"zoom": (0.05, 20.0), "rotate": (-3600.0, 3600.0), "right": (-1000.0, 1000.0), "down": (-1000.0, 1000.0)}  # a second
_FUNCTIONS: dict[str, tuple[Callable[..., float], int, int]] = {  # what it does, least and most arguments
    "sin": (math.sin, 1, 1), "cos": (math.cos, 1, 1), "tan": (math.tan, 1, 1), "exp": (math.exp, 1, 1), "sqrt": (math.sqrt, 1, 1),
    "abs": (math.fabs, 1, 1), "floor": (lambda x: float(math.floor(x)), 1, 1), "min": (min, 2, 8), "max": (max, 2, 8),
}  # fmt: skip
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


class Rates(NamedTuple):
    """How what the picture shows moves: factor a second, degrees a second clockwise, percent of the picture's width a second."""

    zoom: float = 1.0
    rotate: float = 0.0
    right: float = 0.0
    down: float = 0.0


class Motion:
    """A motion from its text: names and assignments, divided by semicolons, each quantity once.

    Attributes:
        text: in canonical form, which gives the same motion again; names have become what they stand for.

    Raises:
        UsageError: it is no such text; the part that is wrong is named.
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise UsageError(f"--motion with {len(text)} characters", f"the longest allowed is {LONGEST}")
        self._trees: dict[str, ast.expr] = {}
        for part in text.split(";"):
            self._take(part.strip())
        self.text = "; ".join(f"{name}={ast.unparse(self._trees[name])}" for name in QUANTITIES if name in self._trees) or "still"
        if len(self.text) > LONGEST:
            raise UsageError(f"--motion, in full {len(self.text)} characters", f"the longest allowed is {LONGEST}")

    def at(self, time: float) -> Rates:
        """The rates at a time in seconds.

        Raises:
            UsageError: one of them is no number there, or absurd.
        """
        return Rates(**{name: self._value(name, tree, time) for name, tree in self._trees.items()})

    def _take(self, part: str) -> None:
        name, equals, expression = (each.strip() for each in part.partition("="))
        if not equals:
            if not part:
                return
            if part not in MOTIONS:
                raise unknown(
                    "motion", brief(part, 60), MOTIONS, f"the motions are {', '.join(MOTIONS)}; or write zoom=1.3; rotate=5*sin(t)"
                )
            for each in MOTIONS[part].split(";"):
                self._take(each.strip())
            return
        if name not in QUANTITIES:
            raise unknown("quantity of a motion", brief(name, 60), QUANTITIES, "there is zoom=, rotate=, right= and down=")
        if name in self._trees:
            raise UsageError(f"--motion gives {name} twice", "give it once: names such as 'spiral' stand for several")
        self._trees[name] = _checked(expression, name)

    @staticmethod
    def _value(name: str, tree: ast.expr, time: float) -> float:
        said = f"{name}={brief(ast.unparse(tree), 80)}"
        try:
            value = _evaluated(tree, time)
        except (ArithmeticError, ValueError, TypeError) as error:  # 1/0, exp(1000), sqrt(-1), a complex root compared
            raise UsageError(f"the motion {said} is no number at t={time:g}", "write another expression") from error
        low, high = _BOUNDS[name]
        if not isinstance(value, float) or not low <= value <= high:
            shown = f"{value:g}" if isinstance(value, float) else "no real number"
            raise UsageError(f"the motion {said} is {shown} at t={time:g}", f"it is a rate a second from {low:g} to {high:g}")
        return value


def _checked(expression: str, name: str) -> ast.expr:
    """The tree of an expression of which every part is known."""
    said = f"{name}={brief(expression, 80)}"
    remedy = f"numbers, t, pi, + - * / ** and {', '.join(_FUNCTIONS)} are known"
    try:
        tree = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"the motion {said} is no expression", remedy) from error
    waiting, count = [(tree, 1)], 0
    while waiting:
        part, depth = waiting.pop()
        count += 1
        if count > MOST_PARTS or depth > DEEPEST:
            raise UsageError(f"the motion {said} is too long or too deep", "write a simpler one")
        waiting += [(each, depth + 1) for each in _inside(part, said, remedy)]
    return tree


def _inside(part: ast.expr, said: str, remedy: str) -> list[ast.expr]:
    """The parts of a part, if it is one of those that are allowed."""
    match part:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool) and abs(value) < 1e15:
            return []
        case ast.Name(id="t" | "pi"):
            return []
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return [left, right]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            return [operand]
        case ast.Call(func=ast.Name(id=called), args=given, keywords=[]) if called in _FUNCTIONS:
            _, least, most = _FUNCTIONS[called]
            if not least <= len(given) <= most:
                raise UsageError(f"the motion {said}: {called} takes {least if least == most else f'{least} to {most}'}", remedy)
            return given
    raise UsageError(f"the motion {said}: '{brief(ast.unparse(part), 60)}' is not known here", remedy)


def _evaluated(part: ast.expr, time: float) -> Any:
    """A float; of a checked part alone."""
    match part:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return time if name == "t" else math.pi
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_evaluated(left, time), _evaluated(right, time))
        case ast.UnaryOp(op=sign, operand=operand):
            return _OPERATORS[type(sign)](_evaluated(operand, time))
        case ast.Call(func=ast.Name(id=called), args=given):
            return _FUNCTIONS[called][0](*(_evaluated(each, time) for each in given))
    raise AssertionError(f"{type(part).__name__} was not checked")
