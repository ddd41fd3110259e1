"""What ends a case early, or the whole run."""


class Unexpected(Exception):
    """The client, or its driver, did something else than what was expected; the text says both."""


class Unsupported(Exception):
    """The driver, or its client, does not know what the case needs; the text is a word for that."""


class NotStarted(Exception):
    """The driver's command cannot be started; the text says why."""
