"""Defects by which an upgrade is not repeatable."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
