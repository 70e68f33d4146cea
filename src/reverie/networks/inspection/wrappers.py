"""What compiling and training in parallel put around a module, and the names that its parts have without it."""

from __future__ import annotations

from collections.abc import Container

from torch import nn

_ATTRIBUTES = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")  # nobody else has such names


def within(part: nn.Module) -> tuple[str, nn.Module] | None:
    """What a wrapper of PyTorch's is around, with its name there; None of what is no wrapper."""
    held = dict(part.named_children())
    for name in _ATTRIBUTES:
        if name in held:
            return name, held[name]
    if list(held) == ["module"] and type(part).__module__.startswith("torch."):  # DataParallel and its like, averaged weights
        return "module", held["module"]
    return None


def unwrapped(module: nn.Module) -> nn.Module:
    """The module itself."""
    while (found := within(module)) is not None:
        module = found[1]
    return module


def unwrap(module: nn.Module) -> nn.Module:
    """The module itself, its parts taken out of their wrappers too; it is changed."""
    module = unwrapped(module)
    for name, part in module._modules.items():
        if part is not None:
            module._modules[name] = unwrap(part)
    return module


def real_names(module: nn.Module) -> dict[str, str]:
    """The names of its parts without those of wrappers, each with the name that the part has there."""
    found: dict[str, str] = {}

    def look(part: nn.Module, plain: str, real: str) -> None:
        inside = within(part)
        if inside is not None:
            look(inside[1], plain, _joined(real, inside[0]))
            return
        found.setdefault(plain, real)
        for name, child in part.named_children():
            look(child, _joined(plain, name), _joined(real, name))

    look(module, "", "")
    found.pop("")
    return found


def plain_name(name: str, known: Container[str]) -> str:
    """A layer's name without the names of wrappers, where what is left is known."""
    if name in known:
        return name
    shorter = ".".join(each for each in name.split(".") if each not in _ATTRIBUTES)
    while shorter not in known and shorter.startswith("module."):
        shorter = shorter.removeprefix("module.")
    return shorter


def _joined(before: str, name: str) -> str:
    return f"{before}.{name}" if before else name
