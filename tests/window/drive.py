"""Runs inside Blender's window: simulated mouse and keys, screenshots, and what a scenario found out.

A scenario is a generator that yields the seconds to wait until its next step; `run(scenario)` at the
end of its file starts it and closes Blender after it.
"""

import importlib
import json
import os
import sys
import traceback

import bpy

HERE = os.path.dirname(os.path.abspath(__file__))
FOUND = {}
PACKAGE = "bl_ext.user_default.endless_loops"


def addon(name):
    return importlib.import_module(f"{PACKAGE}.{name}")


def file(name):
    return os.path.join(HERE, name)


def prepare_still(area):
    """Show the shipped still with its mask and directions, ready to be solved."""
    still = bpy.data.images.load(file("still.png"))
    area.spaces.active.image = still
    still.endless_loops.mask_image = bpy.data.images.load(file("mask.png"))
    with open(file("strokes.json")) as strokes:
        for points in json.load(strokes):
            still.endless_loops.add_direction(points)
    return still


def region(area, kind="WINDOW"):
    return next(r for r in area.regions if r.type == kind)


def wide(ui_type):
    """Give an editor the whole window; yields until it is there, returns (window, area)."""
    window = bpy.context.window_manager.windows[0]
    area = max(window.screen.areas, key=lambda a: a.width * a.height)
    area.ui_type = ui_type
    yield 0.3
    with bpy.context.temp_override(window=window, area=area):
        bpy.ops.screen.screen_full_area(use_hide_panels=False)
    yield 0.5
    return window, max(window.screen.areas, key=lambda a: a.width * a.height)


def open_tab(area):
    area.spaces.active.show_region_ui = True
    yield 0.5
    region(area, "UI").active_panel_category = "Endless Loops"
    yield 0.5


def screenshot(name):
    """Ask the test outside for a picture of the screen: Blender's own is black under a software renderer."""
    with open(file("GRAB.part"), "w") as ask:
        ask.write(name)
    os.rename(file("GRAB.part"), file("GRAB"))
    while os.path.exists(file("GRAB")):
        yield 0.1


def key(window, kind, x, y, **held):
    for value in ("PRESS", "RELEASE"):
        window.event_simulate(kind, value, x=x, y=y, **held)
        yield 0.1
    yield 0.3


def drag(window, points):
    (x, y), *rest = points
    for dy in (0, 1, 0):
        window.event_simulate("MOUSEMOVE", "NOTHING", x=x, y=y + dy)
        yield 0.05
    window.event_simulate("LEFTMOUSE", "PRESS", x=x, y=y)
    yield 0.05
    for x, y in rest:
        window.event_simulate("MOUSEMOVE", "NOTHING", x=x, y=y)
        yield 0.04
    window.event_simulate("LEFTMOUSE", "RELEASE", x=x, y=y)
    yield 0.3


def click(window, x, y):
    yield from drag(window, [(int(x), int(y))])


def click_button(window, area, row):
    """Click the button whose middle is `row` pixels below the top of the sidebar, at interface scale 1."""
    sidebar = region(area, "UI")
    yield from click(window, sidebar.x + sidebar.width // 2 + 10, sidebar.y + sidebar.height - row)
    yield 0.5


def to_screen(area, still):
    """Return a function from pixels of the still (x right, y down) to pixels of the window."""
    canvas, (width, height) = region(area), still.size

    def place(x, y):
        right, up = canvas.view2d.view_to_region(x / width, 1 - y / height, clip=False)
        return int(canvas.x + right), int(canvas.y + up)

    return place


def wait_for_job(seconds=120):
    """Wait until the running job is over."""
    for _ in range(int(seconds / 0.2)):
        if addon("jobs").running() is None:
            break
        yield 0.2
    yield 0.8


def run(scenario):
    bpy.context.preferences.view.show_splash = False
    steps = scenario()

    def tick():
        try:
            return next(steps)
        except StopIteration:
            code = 0
        except Exception:
            traceback.print_exc()
            code = 3
        with open(file("found.json"), "w") as out:
            json.dump(FOUND, out)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)
