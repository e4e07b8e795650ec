"""What is drawn over the editors: nothing of it changes a pixel of the file."""
