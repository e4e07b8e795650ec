"""The tab Endless Loops: the same sections in every editor that shows a still."""

from . import image_editor

CLASSES = image_editor.CLASSES
