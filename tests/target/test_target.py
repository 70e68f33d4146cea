"""The target language: what it reads, what it refuses, and that its canonical text is read back as the same target."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reverie.errors import UsageError
from reverie.target import Names, Target, Term, expand, layer_names, of_layer, parse


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
    assert expand(text) == [parse(each) for each in stands_for]


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
layers = st.builds("{}{}".format, names, st.sampled_from(["", "-dw", "+1", ".3.1", "#0"])) | st.text(min_size=1, max_size=20)
numbers = st.integers(0, 10**6)
weights = st.floats(-1e30, 1e30, allow_nan=False).filter(bool) | st.sampled_from([1.0, -1.0, 2.0, -0.5, 1e15, 1e16])
layer_terms = st.builds(Term, weights, layers)
channel_terms = st.builds(Term, weights, layers, numbers)
place_terms = st.builds(Term, weights, layers, numbers, st.tuples(numbers, numbers) | st.just("centre"))
labels = st.lists(names, min_size=1, max_size=3).map(" ".join) | st.text(min_size=1, max_size=20)
class_terms = st.builds(lambda weight, label: Term(weight, label=label), weights, labels)
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


ODD = (
    "initial:3-8:conv",
    "-lead",
    "/conv1/Conv",
    "a b",
    "x@y",
    "2*conv",
    "conv#1",
    "out/class",
    "class",
    "été",
    'say "it"',
    "a,b",
    " c",
    "+",
    "a - b",
)
"""Names of modules that read as something else."""


@pytest.mark.parametrize("name", [*ODD, "a", "a.b", "class:3", "conv:0-3", "parts"])
def test_the_name_of_a_module_always_means_it(name: str) -> None:
    known = Names((*ODD, "a", "a.b", "class:3", "conv:0-3", "parts", "conv"), {"parts": "a.b"})
    assert parse(name, known) == Target((Term(layer=name),))
    assert expand(name, known) == [of_layer(name)]
    assert parse(str(of_layer(name)), known) == of_layer(name) == parse(str(of_layer(name)))
    assert parse(f"3*{of_layer(name)} - 0.5*a.b:7", known) == Target((Term(3, name), Term(-0.5, "a.b", 7)))
    if name == name.strip():
        assert parse(f"a.b:1 - {name}", known) == Target((Term(1, "a.b", 1), Term(-1, name)))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("initial:3-8:conv:5", [Term(layer="initial:3-8:conv", channel=5)]),
        ('"initial:3-8:conv":3 - 0.5*"a b"', [Term(layer="initial:3-8:conv", channel=3), Term(-0.5, "a b")]),
        ("initial:3-8:conv - 0.5*a b:1@2,3", [Term(layer="initial:3-8:conv"), Term(-0.5, "a b", 1, (2, 3))]),
        ("-lead:2 + -a", [Term(layer="-lead", channel=2), Term(1, "-a")]),
        ("- lead", [Term(-1, "lead")]), ("3*2*conv:1", [Term(3, "2*conv", 1)]), ("a - b - a", [Term(layer="a - b"), Term(-1, "a")]),
        ('"a"#1/class:0', [Term(layer="a#1/class", channel=0)]), ("a b#0", [Term(layer="a b#0")]),
        ("class:3", [Term(label="3")]), ('"class":3', [Term(layer="class", channel=3)]), ("class:a - b", [Term(label="a"), Term(-1, "b")]),
        ('class:"a - b"', [Term(label="a - b")]),
        ("parts:3 - edges", [Term(layer="a.b", channel=3), Term(-1, "edges")]), ('"parts"', [Term(layer="parts")]),
    ],
)  # fmt: skip
def test_names_that_must_be_told_apart(text: str, terms: list[Term]) -> None:
    known = Names((*ODD, "a", "-a", "a.b", "lead", "edges"), {"parts": "a.b", "edges": "a"})
    assert parse(text, known) == Target(tuple(terms))


def test_a_range_within_an_odd_name_is_none() -> None:
    known = Names(("initial:3-8", "x"))
    assert expand("initial:3-8", known) == [of_layer("initial:3-8")]
    assert expand("initial:3-8:0-1", known) == [of_layer("initial:3-8", 0), of_layer("initial:3-8", 1)]
    assert expand('"a:0-3":1', known) == [of_layer("a:0-3", 1)]
    with pytest.raises(UsageError, match="a range of channels, 'x:0-3'"):
        parse("x:0-3", known)


@pytest.mark.parametrize("text", ['"a', '""', '"a"b', '"a" "b"', 'a "b"', '"\\ud800"', '"a":', "'a b'"])
def test_quotes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="is not a target"):
        parse(text)


def test_what_is_no_target_is_held_against_the_names() -> None:
    with pytest.raises(UsageError, match="'initial:3-8:conw' is not a target; did you mean 'initial:3-8:conv'"):
        parse("initial:3-8:conw", Names(ODD))


def test_lists_of_layers() -> None:
    known = Names((*ODD, "a.b"), {"parts": "a.b"})
    assert layer_names("a, b,c") == ["a", "b", "c"]
    assert layer_names('"a,b" , parts,a,b,"x"#1', known) == ["a,b", "a.b", "a,b", "x#1"]
    assert layer_names("a b, 2*conv,été,a,b#0", known) == ["a b", "2*conv", "été", "a,b#0"]
    for text in ("", "a,", ",a", "a,,b"):
        with pytest.raises(UsageError, match="a layer without a name"):
            layer_names(text)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6, unique=True), st.data())
def test_whatever_modules_are_called(modules: list[str], data: st.DataObject) -> None:
    known = Names(modules)
    name = data.draw(st.sampled_from(modules))
    assert parse(name, known) == of_layer(name)
    assert parse(f"{of_layer(name, 3)}") == of_layer(name, 3)


@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda each: "," not in each and not each.startswith('"')), min_size=1, max_size=6))
def test_a_list_of_whatever_modules_are_called(modules: list[str]) -> None:
    assert layer_names(",".join(modules), Names(modules)) == modules
    assert layer_names(",".join(str(of_layer(each)) for each in modules)) == modules
