"""The base of all models: dataclasses, so that constructors are type-checked."""

from datetime import datetime

from sqlalchemy import LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, registry

from app.database import UTCDateTime

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(MappedAsDataclass, DeclarativeBase):
    """Names every constraint and index, and maps Python's types to both engines'.

    A model is made by keywords alone: each says ``kw_only=True``, which no type checker inherits.
    """

    registry = registry(
        metadata=MetaData(naming_convention=NAMING_CONVENTION),
        type_annotation_map={str: Text, bytes: LargeBinary, datetime: UTCDateTime},
    )
