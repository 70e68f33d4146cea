"""Words that people use for several classes, and the classes that they mean."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from tests.helpers.tiny import Hand, wrapped

from reverie.errors import Refused, UsageError
from reverie.networks.builtin import class_lookup, words
from reverie.networks.builtin.labels import imagenet

NAMES = imagenet()
OWN = words.groups()[: next(at for at, (one, other) in enumerate(pairwise(words.groups()), 1) if len(one.classes) > len(other.classes))]


def first_names(word: str) -> set[str]:
    return {NAMES[each][0] for each in class_lookup.find_all(word, NAMES)}


# ---- the tables


def test_everyday_words_are_many_each_there_once_and_none_is_the_name_of_a_class() -> None:
    said = [word.casefold() for group in OWN for word in group.words]
    names = {name.casefold() for each in NAMES for name in each}
    assert len(said) > 200 and len(set(said)) == len(said)
    assert [word for word in said if word in names] == []  # the class would go before it


def test_every_group_has_classes_there_are_in_order() -> None:
    for group in words.groups():
        assert group.words and all(word == " ".join(word.split()) != "" for word in group.words), group
        assert group.classes == tuple(sorted(set(group.classes))) and group.classes[0] >= 0 and group.classes[-1] < 1000, group


def test_every_class_of_living_things_and_nearly_every_other_has_a_word() -> None:
    found = words.words_for(NAMES)
    assert all("animal" in each for each in found[:398])
    assert sum(not each for each in found) < 20
    assert found[281][0] == "cat" and "feline" in found[281] and "dog" not in found[281]


# ---- what they mean


@pytest.mark.parametrize(
    ("word", "members"),
    [
        ("cat", {"tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"}),
        ("spider", {"black and gold garden spider", "barn spider", "garden spider", "black widow", "tarantula", "wolf spider"}),
        ("phone", {"cellular telephone", "dial telephone", "pay-phone"}),
        ("bridge", {"steel arch bridge", "suspension bridge", "viaduct"}),
        ("guitar", {"acoustic guitar", "electric guitar"}),
        ("penguin", {"king penguin"}),
        ("big cat", {"cougar", "lynx", "leopard", "snow leopard", "jaguar", "lion", "tiger", "cheetah"}),
    ],
)
def test_a_word_means_just_these(word: str, members: set[str]) -> None:
    assert first_names(word) == members


@pytest.mark.parametrize(
    ("word", "some", "none"),
    [
        ("dog", {"beagle", "pug", "chow"}, {"hotdog", "timber wolf", "tabby"}),
        ("car", {"sports car", "cab", "convertible"}, {"freight car", "moped", "car wheel"}),
        ("bird", {"robin", "king penguin", "cock"}, {"kimono", "kite surfer"}),
        ("house", {"mobile home", "yurt"}, {"library"}),
        ("food", {"pizza", "banana", "bagel"}, {"hay", "plate rack"}),
        ("vehicle", {"airliner", "canoe", "school bus"}, {"saltshaker", "saddle"}),
        ("ungulate", {"zebra", "hippopotamus", "bison"}, {"African hunting dog"}),  # of WordNet alone
    ],
)
def test_a_word_means_these_among_others(word: str, some: set[str], none: set[str]) -> None:
    found = first_names(word)
    assert some <= found and not (none & found)


@pytest.mark.parametrize(
    ("plural", "word"),
    [("cats", "cat"), ("Puppies", "puppy"), ("wolves", "wolf"), ("Buses", "bus"), (" class:dogs", "dog"), ("foxes", "fox")],
)
def test_plurals_mean_the_same(plural: str, word: str) -> None:
    assert class_lookup.find_all(plural.strip(), NAMES) == class_lookup.find_all(word, NAMES)


def test_the_name_of_a_class_goes_before_a_word() -> None:
    assert class_lookup.find_all("mouse", NAMES) == (673,) and class_lookup.find_all("pig", NAMES) == (341,)
    assert class_lookup.find_all("Cardigan", NAMES) == (264,)


@pytest.mark.parametrize(
    ("text", "numbers"), [("281..283", (281, 282, 283)), ("pets=7|281..282", (7, 281, 282)), ("5|5|3", (5, 3)), ("a b = 0", (0,))]
)
def test_a_group_of_numbers_means_them(text: str, numbers: tuple[int, ...]) -> None:
    assert class_lookup.find_all(text, NAMES) == numbers


@pytest.mark.parametrize(("text", "fault"), [("283..281", "283..281"), ("cat=281..1000", "no class 1000"), ("x=5|", "no label 'x=5|'")])
def test_a_group_that_there_is_not_is_refused(text: str, fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        class_lookup.find_all(text, NAMES)
    assert fault in caught.value.fault


def test_a_pinned_word_reads_back_as_the_same_classes() -> None:
    for word in ("cat", "food", "instrument"):
        found = class_lookup.find_all(word, NAMES)
        text = class_lookup.pinned(word, found)
        assert text.startswith(f"{word}=") and class_lookup.find_all(text, NAMES) == found
    assert class_lookup.pinned("pets=1..3", (1, 2, 3)) == "pets=1..3"


# ---- other networks


def test_of_a_network_of_ones_own_its_own_names_count() -> None:
    network = wrapped(Hand(), labels=["tabby cat", "crane", "golden retriever"])
    assert network.class_indices("cat") == (0,) and network.class_indices("pets=0|2") == (0, 2)
    assert network.class_indices("mammals") == (0, 2)
    with pytest.raises(UsageError, match="no label 'bird'"):  # a crane may be a machine
        network.class_indices("bird")
    own = wrapped(Hand(), labels=["mammal", "dog", "beagle"])
    assert own.class_indices("dog") == (1,) and own.class_indices("mammal") == (0,)  # a name of its own means that class


def test_a_network_says_its_classes() -> None:
    network = wrapped(Hand(), labels=["tabby cat", "crane", "golden retriever"])
    assert [(each.index, each.label) for each in network.classes()] == [(0, "tabby cat"), (1, "crane"), (2, "golden retriever")]
    assert [each.index for each in network.classes("cat", "crane")] == [0, 1]
    assert [each.index for each in network.classes("golden")] == [2]  # which has it in its name
    assert network.classes("cat")[0].words[0] == "cat" and network.classes("crane")[0].words == ()
    with pytest.raises(Refused, match="no label 'qwertz'; no label 'retreiver'") as caught:
        network.classes("qwertz", "cat", "retreiver")
    assert list(caught.value.faults) == ["qwertz", "retreiver"]
    with pytest.raises(UsageError, match="no labels: its classes are numbers"):
        wrapped(Hand()).classes()


def test_recognize_is_recognise() -> None:
    network = wrapped(Hand(), labels=["edges", "warmth", "cold"])
    picture = torch.rand(3, 16, 16)
    assert network.recognize(picture) == network.recognise(picture)
