"""Defects that hostile input finds."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
