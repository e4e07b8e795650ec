"""The tab Endless Loops: the same sections in every editor that shows a still."""

from . import compositor, image_editor

CLASSES = image_editor.CLASSES + compositor.CLASSES
