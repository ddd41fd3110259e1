"""Carries the frames of ``wire`` over a pair of descriptors, for the server and the client alike.

``link`` puts the parts together: ``role`` says who reads, ``intake`` takes frames in, ``output`` writes in
turns, ``exchange`` is one stream as its user sees it; ``fds`` and ``splice`` hold what differs between
platforms.
"""
