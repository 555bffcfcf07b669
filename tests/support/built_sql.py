"""The rule that SQL is never put together from strings, for what ruff's S608 does not see.

`python -m tests.support.built_sql app migrations wsgi.py` prints each offence and fails.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LITERAL_ONLY = frozenset({"DDL", "TextClause", "literal_column", "text"})
"""Callables that take SQL as text: a literal, or a name that only ever holds one."""
RUNNERS = frozenset({"execute", "executemany", "executescript", "scalar", "scalars"})
"""Callables that run a statement: an expression of SQLAlchemy's, or a literal."""
PAST_SQLALCHEMY = frozenset({"exec_driver_sql"})
"""Refused whatever it is given: the statement would pass SQLAlchemy by."""

ALLOWED = {
    ("app/database.py", "_begin_on_sqlite"): "chooses between two literals; pragmas take no values",
    ("app/database.py", "_begin_on_postgresql"): "constants of the module; SET takes no values",
    ("migrations/env.py", "_alone"): "as above; the lock must be had before Alembic's transaction",
}
"""Where the rule does not hold, and why."""


@dataclass(frozen=True)
class Offence:
    """One call that builds SQL, and where it stands."""

    line: int
    function: str
    reason: str


def offences(source: str) -> Iterator[Offence]:
    """Find the calls in a module that run or make SQL from a string put together."""
    yield from _Reader(ast.parse(source)).offences()


class _Reader:
    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._imported: dict[str, str] = {}
        self._values: dict[str, list[ast.expr | None]] = {}
        for node in ast.walk(tree):
            self._note_imports(node)
            self._note_values(node)

    def _note_imports(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._imported[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self._imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def _note_values(self, node: ast.AST) -> None:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            targets = [node.target]
        elif isinstance(node, ast.arg):
            self._values.setdefault(node.arg, []).append(None)
        value = None if isinstance(node, ast.AugAssign) else getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name):
                self._values.setdefault(target.id, []).append(value)

    def offences(self) -> Iterator[Offence]:
        yield from self._in(self._tree, "")

    def _in(self, node: ast.AST, function: str) -> Iterator[Offence]:
        for child in ast.iter_child_nodes(node):
            inner = function
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = child.name
            elif isinstance(child, ast.Call) and (reason := self._fault(child)):
                yield Offence(child.lineno, function, reason)
            yield from self._in(child, inner)

    def _fault(self, call: ast.Call) -> str | None:
        name = self._name(call.func)
        if name in PAST_SQLALCHEMY:
            return f"{name}() passes SQLAlchemy by"
        statement = _statement(call)
        if statement is None:
            return None
        if name in LITERAL_ONLY and not self._is_literal(statement):
            return f"{name}() takes a literal"
        if name in RUNNERS and self._is_built(statement):
            return f"{name}() is given SQL put together from strings"
        return None

    def _name(self, function: ast.expr) -> str:
        """Name what is called; ``text`` and its like only where they are SQLAlchemy's."""
        origin, attribute = function, ""
        if isinstance(function, ast.Attribute):
            origin, attribute = function.value, function.attr
        module = self._imported.get(origin.id, "") if isinstance(origin, ast.Name) else ""
        name = attribute or module.rpartition(".")[2]
        return "" if name in LITERAL_ONLY and not module.startswith("sqlalchemy") else name

    def _is_literal(self, value: ast.expr | None) -> bool:
        if isinstance(value, ast.Constant):
            return isinstance(value.value, str)
        if isinstance(value, ast.Name):
            known = self._values.get(value.id, [])
            return bool(known) and all(isinstance(one, ast.Constant) for one in known)
        return False

    def _is_built(self, value: ast.expr | None) -> bool:
        if isinstance(value, ast.JoinedStr):
            return True
        if isinstance(value, ast.BinOp):
            return any(_is_string(side) for side in (value.left, value.right))
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            return value.func.attr in {"format", "join", "replace"}
        if isinstance(value, ast.Name):
            known = self._values.get(value.id, [])
            return any(not isinstance(one, ast.Name) and self._is_built(one) for one in known)
        return False


def _statement(call: ast.Call) -> ast.expr | None:
    if call.args:
        return call.args[0]
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    return named.get("statement") or named.get("text")


def _is_string(value: ast.expr) -> bool:
    if isinstance(value, ast.BinOp):
        return _is_string(value.left) or _is_string(value.right)
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str)
    )


def modules(paths: list[Path]) -> Iterator[Path]:
    """Give the Python files that the paths name or hold."""
    for path in paths:
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def complaints(paths: list[Path]) -> Iterator[str]:
    """Say what breaks the rule in these modules, allowed places aside."""
    for path in modules(paths):
        for offence in offences(path.read_text()):
            if (path.as_posix(), offence.function) not in ALLOWED:
                yield f"{path.as_posix()}:{offence.line}: {offence.reason}"


if __name__ == "__main__":
    found = list(complaints([Path(argument) for argument in sys.argv[1:]]))
    sys.exit("\n".join(found) if found else 0)
