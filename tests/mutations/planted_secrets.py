"""Defects by which a secret stays in clear."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
