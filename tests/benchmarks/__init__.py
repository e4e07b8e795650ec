"""The measuring instruments: the plain recipe and the engine, side by side on the same stills."""
