"""Pictures that begin with noise: what a class looks like to a network, and what excites a unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Unpack, cast, overload

from reverie.api.choices import ClassLike, Climbed, FeatureChoices, ImagineChoices, Several, documented
from reverie.api.opening import Networks
from reverie.api.plans_from_noise import are_several, is_one_label, plan_feature, plan_imagine
from reverie.pictures import MadePicture, Pictures
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import is_one_seed
from reverie.render import Plan, Watcher
from reverie.target import asked, has_range


@overload
def imagine(  # type: ignore[overload-overlap]  # a text is a sequence of texts too
    label: ClassLike, *, network: Networks = ..., seed: int | None = ..., diverse: None = ..., progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[ImagineChoices],
) -> MadePicture: ...  # fmt: skip


@overload
def imagine(
    label: ClassLike, *, network: Networks = ..., seed: Several = ..., diverse: int, progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[ImagineChoices],
) -> Pictures: ...  # fmt: skip


@overload
def imagine(
    label: ClassLike, *, network: Networks = ..., seed: Sequence[int], diverse: None = ..., progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[ImagineChoices],
) -> Pictures: ...  # fmt: skip


@overload
def imagine(
    label: Sequence[ClassLike] | None = ..., *, network: Networks = ..., seed: Several = ...,
    between: Sequence[ClassLike] | None = ..., count: int | None = ..., diverse: int | None = ..., progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[ImagineChoices],
) -> Pictures: ...  # fmt: skip


@documented("imagine")
@ordinary_modes()
def imagine(
    label: ClassLike | Sequence[ClassLike] | None = None,
    *,
    network: Networks = None,
    seed: Several = None,
    between: Sequence[ClassLike] | None = None,
    count: int | None = None,
    diverse: int | None = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Unpack[ImagineChoices],
) -> MadePicture | Pictures:
    """What a network expects a class to look like, from noise (Simonyan et al. 2014; Mordvintsev et al. 2015).

    Every picture's recipe holds second opinions: what the other built-in networks that are installed say of it. They are taken when it is
    final, and never choose, stop or repeat it.

    Args:
        label: a class's name, its number, or `class:` and either, or a word for several, such as `cat`, any of which it
            may become; or several labels, which are made in batches.
        network: an open network, or the name of a built-in one; or several, for pictures that all of them want.
        seed: another one gives another picture; several, as range(1, 11), give one of each.
        between: two labels, instead of one; `count` pictures lead from the first to the second.
        diverse: so many pictures of the class that differ from one another.
        progress: is shown every step; a true answer stops, and the pictures are marked as partial.
        making: keep so many pictures from along the way.

    Returns:
        a Picture for one label; a list of them for several, for several seeds, for `diverse` and for `between`.

    Raises:
        UsageError: unknown or ambiguous labels, all of them (with the candidates), a network without labels, a value out of bounds.
    """
    plans = plan_imagine(label, network=network, seed=seed, between=between, count=count, diverse=diverse, **choices)
    made = Pictures(_made(plans, progress, making))
    return cast(MadePicture, made[0]) if is_one_label(label) and not diverse and is_one_seed(seed) else made


@overload
def feature(  # type: ignore[overload-overlap]  # a text is a sequence of texts too
    target: Climbed, *, network: Networks = ..., seed: int | None = ..., diverse: None = ..., progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[FeatureChoices],
) -> MadePicture: ...  # fmt: skip


@overload
def feature(
    target: Climbed, *, network: Networks = ..., seed: Several = ..., diverse: int, progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[FeatureChoices],
) -> Pictures: ...  # fmt: skip


@overload
def feature(
    target: Climbed, *, network: Networks = ..., seed: Sequence[int], diverse: None = ..., progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[FeatureChoices],
) -> Pictures: ...  # fmt: skip


@overload
def feature(
    target: Sequence[Climbed] | None = ..., *, network: Networks = ..., seed: Several = ...,
    between: Sequence[Climbed] | None = ..., count: int | None = ..., diverse: int | None = ..., progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[FeatureChoices],
) -> Pictures: ...  # fmt: skip


@documented("feature")
@ordinary_modes()
def feature(
    target: Climbed | Sequence[Climbed] | None = None,
    *,
    network: Networks = None,
    seed: Several = None,
    between: Sequence[Climbed] | None = None,
    count: int | None = None,
    diverse: int | None = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Unpack[FeatureChoices],
) -> MadePicture | Pictures:
    """What excites a unit or any target most, from noise (Erhan et al. 2009; Olah et al. 2017).

    Args:
        target: what to climb; a list of targets gives a list, and a range of channels in it, `["blocks.4.1:0-15"]`, stands for one each.
        network: an open network, or the name of a built-in one; or several, for pictures that all of them want.
        seed: another one gives another picture; several, as range(1, 11), give one of each.
        between: two targets, instead of one; `count` pictures lead from the first to the second.
        diverse: so many pictures of the target that differ from one another.
        progress: is shown every step; a true answer stops, and the pictures are marked as partial.
        making: keep so many pictures from along the way.

    Returns:
        a Picture for one target; a list of them for several, for a range, for several seeds, for `diverse` and for `between`. A picture of
        a unit that never fired says so in its `alive` and `notes`.

    Raises:
        UsageError: an unknown layer, channel, place or class, or a value out of bounds.
    """
    plans = plan_feature(target, network=network, seed=seed, between=between, count=count, diverse=diverse, **choices)
    made = Pictures(_made(plans, progress, making))
    one = target is not None and not are_several(target) and not has_range(asked(target), plans[0].network.names)
    return cast(MadePicture, made[0]) if one and not diverse and is_one_seed(seed) else made


@documented("feature")
@ordinary_modes()
def features(
    targets: Climbed | Sequence[Climbed] | None = None,
    *,
    network: Networks = None,
    seed: Several = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Unpack[FeatureChoices],
) -> Iterator[MadePicture]:
    """What excites each of many units, as `feature`: each picture as soon as it is done, of a batch all together.

    What is wrong comes to light at once, before the first is asked for.
    """
    return _made(plan_feature(targets, network=network, seed=seed, **choices), progress, making)


def _made(plans: list[Plan], progress: Watcher | None, making: int) -> Iterator[MadePicture]:
    """The pictures of each plan when they are made; the last ones where one was stopped."""
    for each in plans:
        pictures = each.make_all(progress, making)
        yield from pictures
        if pictures[-1].recipe is not None and pictures[-1].recipe.stopped is not None:
            return
