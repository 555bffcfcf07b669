"""Defects by which a one-time value works twice, or the last way in is lost."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
