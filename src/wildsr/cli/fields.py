"""Help texts of options are the docstrings of the fields they set."""

import ast
import inspect
import textwrap
from functools import cache


def field_help(owner: type, field: str) -> str:
    """Return the docstring under a dataclass field."""
    return _docs(owner)[field]


@cache
def _docs(owner: type) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
    assert isinstance(body, ast.ClassDef), "only classes have fields"
    docs = {}
    for statement, after in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            docs[statement.target.id] = " ".join(str(after.value.value).split())
    return docs
