"""What ends a run, or leaves a candidate out of it."""


class Unavailable(Exception):
    """A candidate, or a program, cannot be had here; the message says why."""


class WrongAnswer(Exception):
    """A candidate let in who must stay out, or the other way round, or failed to answer."""
