"""Deliberate defects, by subject; `make mutations` puts each into a copy and runs its tests."""

from tests.mutations import (
    gate,
    handovers,
    hostile,
    killed,
    once,
    outages,
    outside,
    planted_secrets,
    sessions,
    upgrades,
)
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *once.MUTATIONS,
    *sessions.MUTATIONS,
    *outside.MUTATIONS,
    *handovers.MUTATIONS,
    *gate.MUTATIONS,
    *hostile.MUTATIONS,
    *killed.MUTATIONS,
    *outages.MUTATIONS,
    *upgrades.MUTATIONS,
    *planted_secrets.MUTATIONS,
)
