"""Regular expressions in Go's syntax, as distribution's and zot's configurations hold them.

Python's own differ in syntax, and an unlucky one takes for ever: distribution's example
``^https?://([^/]+\\.)*example\\.com/`` does on a URL with many dots. Here the time grows with the length of
the text alone, so patterns and texts may come from anybody. There are no groups to ask for, only whether a
text matches.
"""
