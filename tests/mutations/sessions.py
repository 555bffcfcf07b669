"""Defects by which a session outlives its end, or another site may ask."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
