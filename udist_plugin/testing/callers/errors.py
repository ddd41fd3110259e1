"""What ends a case early."""


class Unexpected(Exception):
    """The client, or its driver, did something else than what was expected; the text says both."""


class Unsupported(Exception):
    """The driver does not know a command that the case needs; the text is its word."""
