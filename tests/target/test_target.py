"""The target language: what it reads, what it refuses, and that its canonical text is read back as the same target."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reverie.errors import UsageError
from reverie.target import Target, Term, expand, parse


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("blocks.4.1", [Term(layer="blocks.4.1")]),
        ("  blocks.4.1 ", [Term(layer="blocks.4.1")]),
        ("blocks.4.1:12", [Term(layer="blocks.4.1", channel=12)]),
        ("blocks.4.1:12@7,9", [Term(layer="blocks.4.1", channel=12, at=(7, 9))]),
        ("blocks.4.1:12@", [Term(layer="blocks.4.1", channel=12, at="centre")]),
        ("blocks.4.1:12@centre", [Term(layer="blocks.4.1", channel=12, at="centre")]),
        ("a:1@ - 2*b:3@center", [Term(1.0, "a", 1, "centre"), Term(-2.0, "b", 3, "centre")]),
        ("features#1:3", [Term(layer="features#1", channel=3)]),
        ("class:banana", [Term(label="banana")]),
        ("class:954", [Term(label="954")]),
        ("class:black-and-tan  coonhound", [Term(label="black-and-tan coonhound")]),
        ("-a", [Term(-1.0, "a")]),
        ("+ a", [Term(1.0, "a")]),
        ("0.5*a - 2 * b:3 + 1e-3*class:cat", [Term(0.5, "a"), Term(-2.0, "b", 3), Term(1e-3, label="cat")]),
        (".5*a", [Term(0.5, "a")]),
        ("conv-dw_2", [Term(layer="conv-dw_2")]),
    ],
)
def test_what_is_read(text: str, terms: list[Term]) -> None:
    assert parse(text) == Target(tuple(terms))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a", "a"), ("1*a", "a"), ("1.0*a", "a"), ("2*a", "2*a"), ("2.50*a", "2.5*a"), ("-1*a", "-a"), ("- a  +  b", "-a + b"),
        ("a - 0.5*b", "a - 0.5*b"), ("1e3*a", "1000*a"), ("1e300*a", "1e+300*a"), ("a:007@01,02", "a:7@1,2"), ("a:1@", "a:1@centre"),
        ("a:1@center", "a:1@centre"),
        ("class:  Egyptian   cat", "class:Egyptian cat"),
    ],
)  # fmt: skip
def test_the_canonical_text(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert str(parse(canonical)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "+", "-", "a +", "a + ", "+ + a", "a b", "a:", "a:x", "a:-1", "a@", "a@centre", "a:1@middle", "a:1@centre,2",
        "a:1@2", "a:1@2,", "a@1,2", "a:1.5", "class:",
        "class:  ", "2*", "*a", "2**a", "0*a", "1e999*a", "1e-999*a", "nan*a", "--a", "+-a", "a + class:", "3 * -a", "a\n\nb", "x" * 2001,
        " + ".join(["1*a"] * 400),
    ],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.remedy
    assert len(str(caught.value)) < 400


def test_a_message_repeats_what_was_written() -> None:
    with pytest.raises(UsageError, match=r"'b c' in 'a - b c' is not a target; write it like blocks\.4\.1"):
        parse("a - b c")


def test_its_layers_each_once() -> None:
    assert parse("b:1 + a - b:2 + class:cat").layers() == ("b", "a")
    assert parse("class:cat").layers() == ()


@pytest.mark.parametrize(
    ("text", "stands_for"),
    [
        ("a:0-3", ["a:0", "a:1", "a:2", "a:3"]),
        ("blocks.4.1:9-10@", ["blocks.4.1:9@", "blocks.4.1:10@"]),
        ("-2*a:4-5@1,2 + b:7", ["-2*a:4@1,2 + b:7", "-2*a:5@1,2 + b:7"]),
        ("b:7 - a:1-1", ["b:7 - a:1"]),
        ("a:1", ["a:1"]), ("a", ["a"]), ("a:1 - 3*b", ["a:1 - 3*b"]), ("class:tiger-cat", ["class:tiger-cat"]), ("conv-1:2", ["conv-1:2"]),
    ],
)  # fmt: skip
def test_a_range_of_channels_stands_for_one_target_each(text: str, stands_for: list[str]) -> None:
    assert expand(text) == stands_for
    for each in stands_for:
        parse(each)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a:3-1", "the range '3-1' in 'a:3-1'"), ("a:0-99999999999", "the range '0-99999999999'"), ("a:0-100000", "the range"),
        ("a:" + "9" * 500 + "-" + "9" * 501, "the range"),
        ("a:0-3 + b:1-2", "several ranges"),
    ],
)  # fmt: skip
def test_a_range_that_is_none(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        expand(text)
    assert caught.value.remedy and len(str(caught.value)) < 400


names = st.text(st.characters(exclude_categories=["Z", "C"], exclude_characters=":@*+-"), min_size=1, max_size=12)
layers = st.builds("{}{}".format, names, st.sampled_from(["", "-dw", "+1", ".3.1", "#0"])).filter(lambda each: not each[0].isspace())
numbers = st.integers(0, 10**6)
weights = st.floats(-1e30, 1e30, allow_nan=False).filter(bool) | st.sampled_from([1.0, -1.0, 2.0, -0.5, 1e15, 1e16])
layer_terms = st.builds(Term, weights, layers)
channel_terms = st.builds(Term, weights, layers, numbers)
place_terms = st.builds(Term, weights, layers, numbers, st.tuples(numbers, numbers) | st.just("centre"))
class_terms = st.builds(lambda weight, words: Term(weight, label=" ".join(words)), weights, st.lists(names, min_size=1, max_size=3))
targets = st.lists(layer_terms | channel_terms | place_terms | class_terms, min_size=1, max_size=8).map(lambda terms: Target(tuple(terms)))


@given(targets)
def test_every_target_is_read_back_from_its_text(target: Target) -> None:
    assert parse(str(target)) == target


@given(st.text() | st.text("ab1.0:@*+-, \n#", max_size=30) | st.text("class: +-*²٣", max_size=30))
@example("+-a")
@example("class:²")
@example("٣*a:٣")
@example("1e308*a")
@example("9" * 1000 + "*a")
@example("a:" + "9" * 1990)
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        target = parse(text)
    except UsageError as error:
        assert error.remedy
        return
    assert parse(str(target)) == target and str(parse(str(target))) == str(target)
