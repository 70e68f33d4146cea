"""What a network takes to be the subject of a picture."""

from __future__ import annotations

import pytest
import torch
from tests.helpers.tiny import wrapped
from torch import Tensor, nn

from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.networks.subject import subject


class Light(nn.Module):
    """Sees what is lighter than the middle: two blocks of local means, then one class for much of it and one for little."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(4, 4, 3, stride=2, padding=1)
        self.head = nn.Linear(4, 2)
        with torch.no_grad():
            self.first.weight.fill_(1 / 27)
            self.first.bias.fill_(-0.5)  # type: ignore[union-attr]
            self.second.weight.fill_(1 / 36)
            self.second.bias.zero_()  # type: ignore[union-attr]
            self.head.weight.copy_(torch.tensor([[9.0], [-9.0]]).expand(2, 4))
            self.head.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.second(torch.relu(self.first(x))))
        return self.head(x.mean((2, 3)))  # type: ignore[no-any-return]


def square(height: int = 96, width: int = 144) -> Tensor:
    picture = torch.full((3, height, width), 0.2)
    picture[:, 20:60, 80:130] = 0.9
    return picture


def test_it_is_where_the_network_answers_with_the_contours_of_the_picture() -> None:
    found = subject(wrapped(Light(), size=64), square())
    height, width = found.shape
    assert height / width == pytest.approx(96 / 144, abs=0.02)

    def at(y: int, x: int) -> float:
        return float(found[int(y / 96 * height), int(x / 144 * width)])

    assert min(at(30, 90), at(40, 105), at(50, 120)) > 0.95
    assert max(at(10, 10), at(80, 20), at(90, 70), at(5, 40)) < 0.05
    assert 0.1 < float(found.mean()) < 0.3  # the square is 0.145 of it


def test_a_picture_of_nothing_has_no_subject() -> None:
    net = wrapped(Light(), size=64)
    for picture in (torch.full((3, 80, 80), 0.7), torch.zeros(3, 80, 80)):
        with pytest.raises(InputError, match=r"sees no subject in this picture; paint a mask and give it with mask="):
            subject(net, picture)


def test_noise_has_no_subject_for_the_default_network(lite0: Network) -> None:
    noise = torch.rand(3, 120, 160, generator=torch.Generator().manual_seed(0))
    with pytest.raises(InputError, match="no subject"):
        subject(lite0, noise)


def test_a_cup_is_the_subject_for_the_default_network(lite0: Network) -> None:
    data = pytest.importorskip("skimage.data")
    pixels = torch.from_numpy(data.coffee()).permute(2, 0, 1) / 255
    found = subject(lite0, pixels)
    height, width = found.shape
    assert float(found[int(0.4 * height), int(0.5 * width)]) > 0.9
    assert max(float(found[y, x]) for y in (2, -3) for x in (2, -3)) < 0.1
    assert torch.equal(found, subject(lite0, pixels))


def test_a_network_without_places_is_said() -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 8), nn.ReLU(), nn.Linear(8, 2))
    with pytest.raises(UsageError, match="no layer has places"):
        subject(wrapped(flat, size=16), square(32, 32 + 16))
