"""Defects by which a kill or a failing disk loses or halves something."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
