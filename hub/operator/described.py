"""What the source says below each field of a class, which is the one place that describes them."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise


@cache
def texts_of(described: type) -> dict[str, str]:
    """The text of each field that has one, in the order of the fields."""
    [definition] = ast.parse(inspect.getsource(described)).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    texts = {}
    for field, below in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            texts[field.target.id] = inspect.cleandoc(str(below.value.value))
    return texts
