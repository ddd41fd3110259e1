"""Carries the frames of ``wire`` over a pair of descriptors, for the server and the client alike.

``link`` reads and dispatches, ``output`` writes in turns, ``exchange`` is one stream as its user sees it;
``descriptors`` and ``splice`` hold what differs between platforms.
"""
