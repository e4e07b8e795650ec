"""What the add-on refuses, in sentences an artist can act on; the engine's own errors stand beside it."""


class Refused(Exception):
    """Something in the file, the settings or on disk stops the job; the text says what to do about it."""
