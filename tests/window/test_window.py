"""What an artist does, done with the mouse in a real window."""

import numpy as np


def test_paint_draw_solve_and_send_to_the_sequencer(play):
    found = play("scenario_whole_job")
    assert (found["shows_mask"], found["ui_mode"]) == ("still.png Mask", "PAINT")
    assert found["painted"] > 10_000
    assert found["painted_more"] > found["painted"]
    assert found["after_undo"] == found["painted"]  # Ctrl-Z takes one stroke back, not the mask
    assert found["after_redo"] == found["painted_more"]
    assert found["back_to_still"] == "still.png"
    np.testing.assert_allclose(found["stroke"], found["drawn_on"], atol=3)
    assert found["started"]
    assert not found["solved_after_cancel"]
    assert not found["left_after_cancel"]
    assert found["solving"] and found["solved"] and found["playing"]
    assert found["elements"] == [8 * 4]
    assert found["movie"] > 10_000
    print(f"\nEsc to a free Blender: {found['cancel_seconds']:.2f} s")


def test_a_job_survives_what_happens_meanwhile(play):
    found = play("scenario_meanwhile")
    assert found["solved_after_undo"]
    assert found["deleted"] == {"running": False, "left": []}
    assert found["loaded"] == {"running": False, "left": []}
    assert found["usable"]


def test_every_poll_answers_in_every_editor(play):
    found = play("scenario_polls")
    assert len(found["editors"]) > 15
    assert found["operators"] >= 9
    assert found["wrong"] == []
