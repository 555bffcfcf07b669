"""Defects by which a bad day of the database reaches people."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
