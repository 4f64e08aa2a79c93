"""Models by name: what :func:`model` makes known, and the functions that look it up."""

from __future__ import annotations

import fnmatch
import inspect
import warnings
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, TypeVar

from ...nn.module import Module
from .published import WeightsEnum

__all__ = ["get_model", "get_model_builder", "get_model_weights", "get_weight", "list_models"]

M = TypeVar("M", bound=Module)

_builders: dict[str, Callable[..., Module]] = {}
_weights: dict[str, type[WeightsEnum]] = {}

_ARGUMENTS = """

    Args:
        weights: published weights to start from, a member of :class:`{weights}` or its name; default: random ones.
        progress: show how far the download is.
        **kwargs: as for :class:`{network}`.
    """


def model(
    weights: type[WeightsEnum],
    with_weights: Callable[[dict[str, Any], WeightsEnum], None] | None = None,
    load: Callable[[Any, dict[str, Any]], None] | None = None,
) -> Callable[[Callable[..., M]], Callable[..., M]]:
    """Make a function that constructs a network into the builder of a model that has published weights.

    Args:
        weights: what is published for it.
        with_weights: changes the arguments to those the published weights were trained with.
        load: puts a published state into the network, where ``load_state_dict`` alone does not.
    """

    def decorate(construct: Callable[..., M]) -> Callable[..., M]:
        def build(*args: Any, weights: Any = None, progress: bool = True, **kwargs: Any) -> M:
            if args or "pretrained" in kwargs or isinstance(weights, bool):
                weights, progress = _from_old_arguments(construct.__name__, enumeration, args, weights, progress, kwargs)
            member = enumeration.verify(weights)
            if member is None:
                return construct(**kwargs)
            if member.meta["categories"] is not None:
                require(kwargs, "num_classes", len(member.meta["categories"]))
            if with_weights is not None:
                with_weights(kwargs, member)
            network = construct(**kwargs)
            state = member.get_state_dict(progress=progress, check_hash=True)
            if load is None:
                network.load_state_dict(state)
            else:
                load(network, state)
            return network

        build.__name__, build.__qualname__, build.__module__ = construct.__name__, construct.__name__, construct.__module__
        network = inspect.signature(construct).return_annotation
        build.__doc__ = (construct.__doc__ or "") + _ARGUMENTS.format(weights=enumeration.__name__, network=network)
        keyword = inspect.Parameter.KEYWORD_ONLY
        build.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter("weights", keyword, default=None, annotation=enumeration | None),
                inspect.Parameter("progress", keyword, default=True, annotation=bool),
                inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD, annotation=Any),
            ],
            return_annotation=network,
        )
        _builders[construct.__name__] = build
        _weights[construct.__name__] = enumeration
        return build

    enumeration = weights
    return decorate


def require(kwargs: dict[str, Any], name: str, value: Any) -> None:
    """Set an argument that published weights fix.

    Raises:
        ValueError: it was given another value.
    """
    if kwargs.setdefault(name, value) != value:
        raise ValueError(f"The parameter '{name}' expected value {value} but got {kwargs[name]} instead.")


def _from_old_arguments(
    name: str, enumeration: type[WeightsEnum], args: tuple[Any, ...], weights: Any, progress: bool, kwargs: dict[str, Any]
) -> tuple[Any, bool]:
    """(weights, progress) of a call in the manner of torchvision 0.12: ``pretrained=True``, and by position."""
    if len(args) > 2:
        raise TypeError(f"{name}() takes at most 2 positional arguments (weights, progress), but {len(args)} were given")
    if args:
        given = " and ".join(f"'{each}'" for each in ("weights", "progress")[: len(args)])
        warnings.warn(
            f"Using {given} as positional parameter(s) is deprecated since 0.13 and may be removed in the future. "
            "Please use keyword parameter(s) instead.",
            stacklevel=3,
        )
        weights, progress = (*args, progress)[:2]
    if kwargs.get("pretrained", weights) is True and "IMAGENET1K_V1" not in enumeration.__members__:
        raise ValueError(f"No weights available for model {name}")
    if "pretrained" in kwargs:
        warnings.warn(
            "The parameter 'pretrained' is deprecated since 0.13 and may be removed in the future, "
            "please use 'weights' instead.",
            stacklevel=3,
        )
        weights = kwargs.pop("pretrained")
    if weights is None or isinstance(weights, (str, WeightsEnum)):
        return weights, progress
    member = enumeration["IMAGENET1K_V1"] if weights else None
    best = f" You can also use `weights={enumeration.__name__}.DEFAULT` to get the most up-to-date weights." if weights else ""
    warnings.warn(
        "Arguments other than a weight enum or `None` for 'weights' are deprecated since 0.13 and may be removed in the "
        f"future. The current behavior is equivalent to passing `weights={member}`.{best}",
        stacklevel=3,
    )
    return member, progress


def list_models(
    module: ModuleType | None = None,
    include: Iterable[str] | str | None = None,
    exclude: Iterable[str] | str | None = None,
) -> list[str]:
    """The names of the models there are, sorted.

    Args:
        module: only those its file or package defines.
        include, exclude: shell patterns, or several; excluded is what fits both.

    >>> from flambeau.vision import models
    >>> models.list_models(include="*50*", exclude="wide*")
    ['resnet50', 'resnext50_32x4d']
    """
    names = set(_builders)
    if module is not None:
        names = {each for each in names if _builders[each].__module__.rpartition(".")[0] == module.__name__} or {
            each for each in names if _builders[each].__module__ == module.__name__
        }
    if include:
        patterns = [include] if isinstance(include, str) else include
        names = {each for pattern in patterns for each in fnmatch.filter(names, pattern)}
    if exclude:
        for pattern in [exclude] if isinstance(exclude, str) else exclude:
            names.difference_update(fnmatch.filter(names, pattern))
    return sorted(names)


def get_model_builder(name: str) -> Callable[..., Module]:
    """The function that builds the model ``name``.

    Raises:
        ValueError: there is no such model.

    >>> from flambeau.vision import models
    >>> models.get_model_builder("resnet18").__name__
    'resnet18'
    """
    try:
        return _builders[name.lower()]
    except KeyError:
        raise ValueError(f"Unknown model {name}; list_models() names those there are") from None


def get_model(name: str, **config: Any) -> Module:
    """Build the model ``name``; ``config`` goes to its builder.

    >>> from flambeau.vision import models
    >>> models.get_model("squeezenet1_1", num_classes=10).num_classes
    10
    """
    return get_model_builder(name)(**config)


def get_model_weights(name: Callable[..., Any] | str) -> type[WeightsEnum]:
    """The enumeration of what is published for a model, given by its name or its builder.

    >>> from flambeau.vision import models
    >>> list(models.get_model_weights("resnet50"))
    [ResNet50_Weights.IMAGENET1K_V1, ResNet50_Weights.IMAGENET1K_V2]
    """
    builder = get_model_builder(name) if isinstance(name, str) else name
    try:
        return _weights[builder.__name__]
    except KeyError:
        raise ValueError(f"{builder.__name__} builds no model that weights are published for") from None


def get_weight(name: str) -> WeightsEnum:
    """The published weights ``name``, "<enumeration>.<member>".

    Raises:
        ValueError: there are none.

    >>> from flambeau.vision import models
    >>> models.get_weight("ResNet50_Weights.IMAGENET1K_V2").meta["num_params"]
    25557032
    """
    enumeration, _, member = name.partition(".")
    if not member or "." in member:
        raise ValueError(f"Invalid weight name provided: '{name}'; it must be '<enumeration>.<member>'.")
    for each in _weights.values():
        if each.__name__ == enumeration:
            if member not in each.__members__:
                raise ValueError(f"{enumeration} has no member {member}; it has {', '.join(each.__members__)}")
            return each[member]
    raise ValueError(f"The weight enum '{enumeration}' is not of any model; list_models() names those there are")
