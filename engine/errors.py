"""What can go wrong, in sentences an artist can act on."""


class EndlessLoopsError(Exception):
    """The base of every error this package raises for bad input; its text tells an artist what to do."""


class BadImage(EndlessLoopsError):
    """The still can't be used: its shape, its type or its size."""


class BadMask(EndlessLoopsError):
    """The mask doesn't fit the still or is too small to hold a repetition."""


class EmptyMask(BadMask):
    """Nothing is painted."""


class BadStroke(EndlessLoopsError):
    """A stroke has no direction or doesn't touch the picture."""


class BadSettings(EndlessLoopsError):
    """A setting, a frame count or a phase is out of its range."""


class BadFile(EndlessLoopsError):
    """A file can't be read or written."""


class NoRepetition(EndlessLoopsError):
    """Nothing along the strokes can be moved onto anything else."""


class BadVideo(EndlessLoopsError):
    """A video has no frames, or frames that differ in size or type."""


class LostPlane(EndlessLoopsError):
    """The masked plane can't be followed through a video."""


class Cancelled(EndlessLoopsError):
    """The progress callback asked to stop; nothing was made."""
