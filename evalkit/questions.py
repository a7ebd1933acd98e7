"""Which questions a room asks: found by their shape, so that a new one is one file and stands on no list.

A question is a function annotated `-> Result`. In a room that is a folder it bears the name of its file.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

if TYPE_CHECKING:
    from evalkit.result import Result

Question: TypeAlias = "Callable[..., Result]"


def of_folder(package: str, path: Iterable[str]) -> dict[str, Question]:
    """The questions of a room that is a folder, by name: of each file, the function named like it.

    >>> import evalkit.individual
    >>> "growth" in of_folder("evalkit.individual", evalkit.individual.__path__)
    True
    """
    found = {}
    for file in pkgutil.iter_modules(path):
        asked = getattr(import_module(f"{package}.{file.name}"), file.name, None)
        if is_question(asked):
            found[file.name] = asked
    return found


def of_room(room: ModuleType) -> dict[str, Question]:
    """Everything a room can be asked, by name.

    >>> from evalkit import process
    >>> "reach" in of_room(process)
    True
    """
    return {name: asked for name, asked in vars(room).items() if not name.startswith("_") and is_question(asked)}


def is_question(asked: Any) -> TypeGuard[Question]:
    """Whether this is a function that promises a Result."""
    return inspect.isfunction(asked) and str(asked.__annotations__.get("return")) == "Result"


def settings(asked: Question) -> Mapping[str, inspect.Parameter]:
    """What a question can be told beside the programme, by name."""
    _, *rest = inspect.signature(asked).parameters.values()
    return {setting.name: setting for setting in rest}
