"""One worker thread with progress and cancel, and the operators that drive it: modal, or blocking in scripts.

Thread contract: a job's `work` runs in the worker and never touches bpy. Whatever it needs is taken before,
in `snapshot`, and whatever it makes is put into Blender after it, in `deliver`, or piece by piece in
`take`; these three run in the main thread.
"""

import queue
import threading
import time

import bpy

from .errors import Refused

TICK = 0.05  # seconds between two looks at the worker: Esc must be felt at once
_BUDGET = 0.1  # seconds of a tick for taking pieces; Blender redraws in between
_PIECES_AHEAD = 2  # finished pieces that wait for the main thread; more would only fill the memory

_running = None


class Job:
    """A function in a thread: `work(progress, emit)`.

    `progress(fraction, stage)` and `emit(piece)` raise the engine's `Cancelled` once the job is cancelled,
    and so does `emit(None)`, which waits until the main thread has taken all pieces.
    """

    def __init__(self, work, cancelled_error):
        self.fraction, self.stage, self.title = 0.0, "", ""
        self.pieces = queue.Queue(_PIECES_AHEAD)
        self._work, self._cancelled_error = work, cancelled_error
        self._cancelled = threading.Event()
        self._result = self._error = None
        self._thread = threading.Thread(target=self._run, name="Endless Loops", daemon=True)

    def start(self):
        self._thread.start()

    def cancel(self):
        self._cancelled.set()

    @property
    def is_cancelled(self):
        return self._cancelled.is_set()

    @property
    def has_pieces(self):
        return not self.pieces.empty()

    @property
    def is_finished(self):
        return not self._thread.is_alive() and self.pieces.empty()

    def next_piece(self, timeout):
        """The next piece that the worker made, or None when none comes within `timeout` seconds."""
        try:
            return self.pieces.get(timeout=timeout)
        except queue.Empty:
            return None

    def result(self):
        """What `work` returned; raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self):
        try:
            self._result = self._work(self._progress, self._emit)
        except BaseException as error:  # handed over to the main thread, which raises it again
            self._error = error

    def _progress(self, fraction, stage):
        self._stop_if_cancelled()
        self.fraction, self.stage = fraction, stage

    def _emit(self, piece):
        if piece is None:
            return self._wait_until_taken()
        while True:
            self._stop_if_cancelled()
            try:
                return self.pieces.put(piece, timeout=TICK)
            except queue.Full:
                continue

    def _wait_until_taken(self):
        while self.pieces.unfinished_tasks:
            self._stop_if_cancelled()
            time.sleep(TICK)

    def _stop_if_cancelled(self):
        if self._cancelled.is_set():
            raise self._cancelled_error("Cancelled")


def running():
    """The job that is under way, or None."""
    return _running


def cancel_running():
    """Ask the job that is under way to stop."""
    if _running is not None:
        _running.cancel()


class BackgroundJob:
    """Mixin of operators with long work; see the thread contract above.

    A subclass has `snapshot(context) -> request`, `work(request, progress, emit) -> result`,
    `deliver(context, request, result)`, and may have `take(context, request, piece)` and
    `abandon(request)`, which removes what was half-made when the job failed or was cancelled.
    """

    def take(self, context, request, piece):
        raise NotImplementedError

    def abandon(self, request):
        """Nothing is left behind unless a subclass says so."""

    is_modal = False

    def invoke(self, context, event):
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if not self._begin(context):
            return {"CANCELLED"}
        self.is_modal = True
        self._timer = context.window_manager.event_timer_add(TICK, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        # Esc belongs to the job, everything else to whatever the artist does meanwhile. The worker may
        # take a moment to notice, but Blender needn't wait for it.
        if event.type == "ESC" and event.value == "PRESS":
            self._job.cancel()
            return self._end(context)
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if self._job.is_cancelled:
            return self._end(context)
        self._show_progress(context)
        until = time.monotonic() + _BUDGET
        while True:
            outcome = self._step(context, timeout=0)
            if outcome:
                return outcome
            if time.monotonic() > until or not self._job.has_pieces:
                return {"PASS_THROUGH"}

    def execute(self, context):
        if not self._begin(context):
            return {"CANCELLED"}
        while True:
            outcome = self._step(context, timeout=TICK)
            if outcome:
                return outcome

    def cancel(self, context):
        """Blender ends the operator itself: another file is opened, or the window is closed."""
        self._job.cancel()
        self._clean_up(context)
        self.abandon(self._request)

    def _begin(self, context):
        global _running
        from .engine.errors import Cancelled, EndlessLoopsError

        self._errors, self._cancelled_error, self._timer = (Refused, EndlessLoopsError), Cancelled, None
        try:
            self._request = request = self.snapshot(context)
        except self._errors as error:
            self.report({"ERROR"}, str(error))
            return False
        work = self.work
        self._job = _running = Job(lambda progress, emit: work(request, progress, emit), Cancelled)
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
        _tag_sidebars(context)

    def _step(self, context, timeout):
        """Take one piece, or finish; returns the operator's outcome once there is one."""
        try:
            piece = self._job.next_piece(timeout)
            if piece is not None:
                self.take(context, self._request, piece)
                self._job.pieces.task_done()
            elif self._job.is_finished:
                return self._end(context)
        except Exception as error:
            return self._fail(context, error)
        return None

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
        self._job.cancel()
        self._clean_up(context)
        self.abandon(self._request)
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
            context.workspace.status_text_set(None)
            _tag_sidebars(context)


def _draw_status(header, job):
    header.layout.label(text="Cancel", icon="EVENT_ESC")
    header.layout.progress(factor=job.fraction, text=f"{100 * job.fraction:.0f} %")


def _tag_sidebars(context):
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
