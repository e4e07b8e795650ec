"""The only place where Blender's data become arrays, and arrays become Blender's data."""
