"""One worker thread with progress and cancel, and the operators that drive it: modal, or blocking in scripts.

Thread contract: a job's `work` runs in the worker and never touches bpy, nor the operator, which Blender
may have freed by then. Whatever it needs is taken before, in `snapshot`, and whatever it makes is put into
Blender after it, in `deliver`; these two run in the main thread.
"""

import sys
import threading

import bpy

from .errors import Refused

TICK = 0.05  # seconds between two looks at the worker: Esc must be felt at once
SWITCH = 0.0005  # seconds after which the worker lets Blender's own Python run, which every panel waits for
_PARTING = 2.0  # seconds that a worker has to clean up after itself when Blender opens another file or quits

_running = None


class Job:
    """A function in a thread: `work(progress)`.

    `progress(fraction, stage)` raises `cancelled_error` once the job is cancelled. What was half-made then is
    removed by `abandon()`, which is called once, when the worker no longer adds to it: by the worker itself
    where it is still busy.
    """

    def __init__(self, work, abandon, cancelled_error):
        self.fraction, self.stage, self.title = 0.0, "", ""
        self._work, self._abandon, self._cancelled_error = work, abandon, cancelled_error
        self._cancelled = threading.Event()
        self._result = self._error = None
        self._lock, self._is_over, self._is_given_up = threading.Lock(), False, False
        self._thread = threading.Thread(target=self._run, name="Endless Loops", daemon=True)

    def start(self):
        self._thread.start()

    def cancel(self):
        self._cancelled.set()

    def give_up(self):
        """Cancel the job and remove what was half-made, as soon as that can be."""
        self._cancelled.set()
        with self._lock:
            self._is_given_up = True
            is_over = self._is_over
        if is_over:
            self._abandon()

    def wait(self, seconds):
        """Let the worker end, for so long at most."""
        self._thread.join(seconds)

    @property
    def is_cancelled(self):
        return self._cancelled.is_set()

    @property
    def is_finished(self):
        return self._is_over

    def result(self):
        """What `work` returned, once it did; raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self):
        try:
            self._result = self._work(self._progress)
        except BaseException as error:  # handed over to the main thread, which raises it again
            self._error = error
        with self._lock:
            self._is_over = True
            is_given_up = self._is_given_up
        if is_given_up:
            self._abandon()

    def _progress(self, fraction, stage):
        if self._cancelled.is_set():
            raise self._cancelled_error("Cancelled")
        self.fraction, self.stage = fraction, stage


def running():
    """The job that is under way, or None."""
    return _running


def cancel_running():
    """Ask the job that is under way to stop."""
    if _running is not None:
        _running.cancel()


class BackgroundJob:
    """Mixin of operators with long work; see the thread contract above.

    A subclass has `snapshot(context) -> request`, the class method `work(request, progress) -> result`,
    `deliver(context, request, result)`, and may have the class method `abandon(request)`, which removes
    what was half-made when the job failed or was cancelled; it may run in the worker.
    """

    @classmethod
    def abandon(cls, request):
        """Nothing is left behind unless a subclass says so."""

    is_modal = False

    def invoke(self, context, event):
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if not self._begin(context):
            return {"CANCELLED"}
        self.is_modal = True
        self._timer = context.window_manager.event_timer_add(TICK, window=context.window)
        self._switch_before = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        # Esc belongs to the job, everything else to whatever the artist does meanwhile. The worker may
        # take a moment to notice, but Blender needn't wait for it.
        if event.type == "ESC" and event.value == "PRESS":
            self._job.cancel()
        elif event.type != "TIMER":
            return {"PASS_THROUGH"}
        if self._job.is_cancelled or self._job.is_finished:
            return self._end(context)
        self._show_progress(context)
        return {"PASS_THROUGH"}

    def execute(self, context):
        return self._end(context) if self._begin(context) else {"CANCELLED"}

    def cancel(self, context):
        """Blender ends the operator itself: another file is opened, or the window is closed."""
        self._job.give_up()
        self._clean_up(context)
        self._job.wait(_PARTING)

    def _begin(self, context):
        global _running
        from .engine.errors import Cancelled, EndlessLoopsError

        self._errors, self._cancelled_error, self._timer = (Refused, EndlessLoopsError), Cancelled, None
        try:
            self._request = request = self.snapshot(context)
        except self._errors as error:
            self.report({"ERROR"}, str(error))
            return False
        own = type(self)
        self._job = _running = Job(
            lambda progress: own.work(request, progress), lambda: own.abandon(request), Cancelled
        )
        self._job.title, self._shown = self.bl_label, None
        self._job.start()
        return True

    def _show_progress(self, context):
        """Redraw what shows the progress, where it changed: Esc waits for a redraw, and a picture is slow."""
        job = self._job
        shown = job.stage, int(100 * job.fraction)
        if shown == self._shown:
            return
        self._shown = shown
        # The status bar is no area that could be tagged: setting its text again is what redraws it.
        context.workspace.status_text_set(lambda header, _context: _draw_status(header, job))
        tag_sidebars(context)

    def _end(self, context):
        if self._job.is_cancelled:
            return self._fail(context, self._cancelled_error("Cancelled"))
        try:
            result = self._job.result()
            self._clean_up(context)
            self.deliver(context, self._request, result)
            return {"FINISHED"}
        except Exception as error:
            return self._fail(context, error)

    def _fail(self, context, error):
        self._job.give_up()
        self._clean_up(context)
        if isinstance(error, self._cancelled_error):
            self.report({"INFO"}, f"{self.bl_label}: cancelled, nothing was changed")
        elif isinstance(error, self._errors):
            self.report({"ERROR"}, str(error))
        else:
            raise error
        return {"CANCELLED"}

    def _clean_up(self, context):
        global _running
        if _running is self._job:
            _running = None
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
            sys.setswitchinterval(self._switch_before)
            clear_status_bars()
            tag_sidebars(context)


def clear_status_bars():
    """Give the status bar back to Blender: each workspace keeps its text, whichever is shown by now."""
    for workspace in bpy.data.workspaces:
        workspace.status_text_set(None)


def _draw_status(header, job):
    header.layout.label(text="Cancel", icon="EVENT_ESC")
    header.layout.progress(factor=job.fraction, text=f"{100 * job.fraction:.0f} %")


def tag_sidebars(context):
    """Let the panels be drawn again."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"IMAGE_EDITOR", "NODE_EDITOR"}:
                next(region for region in area.regions if region.type == "UI").tag_redraw()


class ENDLESSLOOPS_OT_cancel(bpy.types.Operator):
    """Stop what is being made and leave everything as it was"""

    bl_idname = "endless_loops.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context):
        if _running is None:
            cls.poll_message_set("Nothing is being made")
            return False
        return True

    def execute(self, context):
        cancel_running()
        return {"FINISHED"}


CLASSES = (ENDLESSLOOPS_OT_cancel,)
