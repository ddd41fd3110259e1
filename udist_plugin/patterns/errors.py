"""What is wrong with a pattern."""


class PatternInvalid(ValueError):
    """The text is not a pattern; the message says why, in Go's words where Go has some."""
