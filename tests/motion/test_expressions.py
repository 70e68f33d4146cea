"""Motions as text: what they say, what is refused, and that nothing but arithmetic is evaluated."""

from __future__ import annotations

import math
import random

import pytest

from reverie.errors import ReverieError, UsageError
from reverie.motion.motion_expressions import MOTIONS, Motion, Rates


def test_what_the_issue_writes() -> None:
    motion = Motion("zoom=1.02; rotate=0.5*sin(t/3); right=2*cos(t); down=0")
    assert motion.at(0) == Rates(1.02, 0, 2, 0)
    assert motion.at(1.5) == pytest.approx((1.02, 0.5 * math.sin(0.5), 2 * math.cos(1.5), 0))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3*4 - 6/4", 12.5), ("-2**2 + 5", 1.0), ("(1+1)**3", 8.0), ("abs(-3) + sqrt(16)", 7.0), ("min(4, t, 9) + max(1, 2)", 5.0),
        ("floor(2.9)", 2.0), ("exp(0) + tan(0)", 1.0), ("2*cos(pi)+4", 2.0), ("+t", 3.0), ("1e1", 10.0),
    ],
)  # fmt: skip
def test_arithmetic(expression: str, value: float) -> None:
    assert Motion(f"rotate={expression}").at(3.0).rotate == pytest.approx(value)


def test_canonical_text_says_the_same_whatever_the_order_and_blanks() -> None:
    one, other = Motion("  rotate = 2 * t ;zoom=1.1"), Motion("zoom=1.1;rotate=2*t;")
    assert one.text == other.text == "zoom=1.1; rotate=2 * t"
    for text in [*MOTIONS, "zoom; right=sin(t)", ""]:
        motion = Motion(text)
        assert Motion(motion.text).text == motion.text
        assert [Motion(motion.text).at(time) for time in (0, 1.3)] == [motion.at(time) for time in (0, 1.3)]
    assert Motion("").text == "still" and Motion("still").at(5) == Rates()


def test_names_are_what_they_say() -> None:
    assert Motion("zoom").at(0).zoom > 1 > Motion("zoom-out").at(0).zoom
    assert Motion("rotate").at(0).rotate > 0 and Motion("rotate").at(0).zoom == 1
    assert Motion("spiral").at(9).rotate > 0 and Motion("spiral").at(9).zoom > 1
    assert Motion("zoom; rotate").text == "zoom=1.3; rotate=8"
    for name, period in (("sway", 24), ("breathe", 6)):
        assert Motion(name).at(0) == pytest.approx(Motion(name).at(period))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("zom", "did you mean 'zoom'"), ("zoom=1; zoom=2", "zoom twice"), ("zoom; spiral", "zoom twice"), ("speed=2", "'speed'"),
        ("zoom=", "no expression"), ("zoom=1+", "no expression"), ("zoom=x", "'x'"), ("zoom=print(1)", "'print(1)'"),
        ("zoom=__import__('os')", "not known"), ("zoom=t.real", "'t.real'"), ("zoom=[1][0]", "not known"), ("zoom='a'", "not known"),
        ("zoom=True", "'True'"), ("zoom=1j", "'1j'"), ("zoom=1 if t else 2", "not known"), ("zoom=(lambda: 1)()", "not known"),
        ("zoom=sin(t, 1)", "sin takes 1"), ("zoom=min(1)", "min takes 2 to 8"), ("zoom=sin(x=1)", "not known"),
        ("zoom=sin(*t)", "not known"),
        ("zoom=1 < 2", "not known"), ("zoom=7 // 2", "not known"), ("zoom=7 % 2", "not known"), ("zoom=(y:=2)", "not known"),
        ("zoom=" + "-" * 300 + "1", "too deep"),
        ("zoom=" + "+".join(["t"] * 150), "too long or too deep"), ("zoom=1" * 100, "characters"), ("zoom=\0", "no expression"),
        ("zoom=10**99", "1e+99"), ("zoom=1e400", "not known"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named(text: str, part: str) -> None:
    with pytest.raises(UsageError) as refused:
        Motion(text).at(0)
    assert part in str(refused.value) and refused.value.remedy and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "zoom=0", "zoom=-1", "zoom=100", "zoom=1/t", "zoom=1/0", "zoom=exp(1000)", "zoom=sqrt(-1)", "zoom=(-1)**0.5", "zoom=9**9**9**9",
        "zoom=exp(700)*exp(700)-exp(700)*exp(700)", "rotate=1e6", "right=-1e5", "down=tan(pi/2)", "zoom=max((-1)**0.5, 1)",
    ],
)  # fmt: skip
def test_what_is_no_sensible_number_is_refused_when_it_is_reached(text: str) -> None:
    motion = Motion(text)
    with pytest.raises(UsageError) as refused:
        motion.at(0.0)
    assert text.partition("=")[0] in refused.value.fault and "t=0" in refused.value.fault


def test_no_text_does_more_than_be_refused() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    pieces = [
        "zoom",
        "=",
        ";",
        "t",
        "pi",
        "1",
        "2.5",
        "+",
        "-",
        "*",
        "**",
        "/",
        "(",
        ")",
        ",",
        "sin",
        "min",
        "e",
        ".",
        "'",
        "[",
        "\n",
        "é",
        "\0",
    ]
    told = 0
    for _ in range(3000):
        text = draw.choice(["", "zoom=", "rotate="]) + "".join(draw.choices(pieces, k=draw.randrange(1, 14)))
        try:
            rates = Motion(text).at(draw.uniform(0, 9))
        except ReverieError:
            told += 1
        else:
            assert all(math.isfinite(each) for each in rates)
    assert 0 < told < 3000
