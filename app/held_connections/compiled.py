"""Statements compiled once, and what stands between Python's values and the driver's."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Compiled, Dialect, Engine
from sqlalchemy.types import TypeEngine

Row = tuple[Any, ...]
Converter = Callable[[Any], Any]


def compile_for(
    engine: Engine, statements: Mapping[str, Select[Any]], *, paramstyle: str
) -> tuple[Dialect, dict[str, Any]]:
    """Compile the statements as the engine's driver, asked directly, takes them."""
    make_dialect: Callable[..., Dialect] = type(engine.dialect)
    dialect = make_dialect(paramstyle=paramstyle)
    compiled: dict[str, Compiled] = {
        name: one.compile(dialect=dialect) for name, one in statements.items()
    }
    return dialect, compiled


def hold_connection(engine: Engine) -> Any:  # noqa: ANN401
    """Open a connection of the driver's that belongs to no pool."""
    held = engine.raw_connection()
    connection = held.driver_connection
    held.detach()
    return connection


def converters(compiled: Any, dialect: Dialect) -> list[tuple[str, Converter]]:  # noqa: ANN401
    """Give, by parameter, what makes of a value of Python's what the driver takes."""
    found = (
        (name, one.type.dialect_impl(dialect).bind_processor(dialect))
        for name, one in compiled.binds.items()
    )
    return [(name, convert) for name, convert in found if convert is not None]


def loader(column_type: TypeEngine[Any], dialect: Dialect) -> Converter:
    """Give what makes of a value that was found a value of Python's."""
    load: Converter | None = column_type.dialect_impl(dialect).result_processor(dialect, None)
    return load or (lambda value: value)
