"""Holds a call from Python to what a function takes: a user's mistake is a sentence there too."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import wraps
from numbers import Integral
from typing import ParamSpec, TypeVar

from inoculate.errors import UserError, kind_of, nearest

Given = ParamSpec("Given")
Made = TypeVar("Made")
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a text"),
    "Split": ((str,), "a text"),
    "int": ((Integral,), "a whole number"),
    "bool": ((bool,), "True or False"),
    "str | os.PathLike[str]": ((str, os.PathLike), "a path or a text"),
    "str | os.PathLike[str] | None": ((str, os.PathLike, type(None)), "a path or a text"),
}
"""What is due where a parameter is annotated so; others are looked at by the function itself."""


def checked(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """Refuse arguments that a function does not take, or that are of another kind; a path stands for its text.

    Args:
        function: A function for users, whose annotations are not evaluated.
    """
    signature = inspect.signature(function)
    named = [_bare(parameter) for parameter in signature.parameters.values()]
    takes = f"{function.__name__}{signature.replace(parameters=named, return_annotation=signature.empty)}"

    @wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        known = [name for name, one in signature.parameters.items() if one.kind is not one.VAR_KEYWORD]
        if unknown := [name for name in kwargs if name not in known]:
            raise UserError(f"{function.__name__}: unknown argument '{unknown[0]}': {nearest(unknown[0], known)}")
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise UserError(f"{takes}: {error}: the arguments after * are given by name") from None
        for name, value in bound.arguments.items():
            kinds, due = _KINDS.get(str(signature.parameters[name].annotation), ((object,), ""))
            value = os.fspath(value) if kinds == (str,) and isinstance(value, os.PathLike) else value
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds and object not in kinds):
                raise UserError(f"{function.__name__}: {name} is {kind_of(value)}, where {due} was expected")
            bound.arguments[name] = value
        return function(*bound.args, **bound.kwargs)

    return call


def _bare(parameter: inspect.Parameter) -> inspect.Parameter:
    """A parameter as it is named, without its kind."""
    return parameter.replace(annotation=inspect.Parameter.empty)
