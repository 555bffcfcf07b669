"""The HTTP layer: guard, parse, call one service, choose the status, answer."""
