"""The whole job without a window, from the add-on's zip to a strip, a movie and a saved .blend.

Run in Blender, ``blender -b --python examples/facade_in_blender.py -- ZIP``, or where `bpy` is installed,
``python examples/facade_in_blender.py ZIP``.
"""

# [README
import json
import os
import sys

import bpy

bpy.ops.extensions.package_install_files(
    filepath=os.path.abspath(sys.argv[-1]), repo="user_default", enable_on_install=True
)
os.makedirs("out/facade", exist_ok=True)
bpy.ops.wm.save_as_mainfile(filepath=os.path.abspath("out/facade/facade.blend"))

still = bpy.data.images.load(os.path.abspath("examples/facade/still.png"))
loop = still.endless_loops
loop.mask_image = bpy.data.images.load(os.path.abspath("examples/facade/mask.png"))
for points in json.load(open("examples/facade/strokes.json")):
    loop.add_direction(points)  # pixels, x right and y down, in the order of the motion
loop.frame_count, loop.repeat = 48, 4

bpy.ops.endless_loops.solve(image=still.name)
bpy.ops.endless_loops.to_sequencer(image=still.name)
bpy.ops.endless_loops.save_movie(image=still.name)
bpy.ops.wm.save_mainfile()
# README]
