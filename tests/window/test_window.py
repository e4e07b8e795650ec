"""What an artist does, done with the mouse in a real window."""

import os

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
    assert found["solved"] and found["playing"]
    assert found["elements"] == [8 * 4]
    assert found["movie"] > 10_000


def test_esc_frees_the_editor_and_leaves_nothing(play):
    found = play("scenario_cancel")
    seconds = found["seconds"]
    assert seconds  # at least one Solve was under way when Esc was pressed, and stopped
    assert not found["solved"]
    assert found["left"] == []
    assert found["left_of_frames"] == {"PNG": [], "JPEG": []}
    assert not found["strips"]
    writing = ", ".join(f"{kind} {value:.3f} s" for kind, value in found["while_writing"].items())
    print(
        f"\nEsc to a free editor, {len(seconds)} times, load {os.getloadavg()[0]:.1f}: "
        f"median {sorted(seconds)[len(seconds) // 2]:.3f} s, longest {max(seconds):.3f} s; "
        f"while frames are written: {writing}"
    )


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


def test_directions_have_speeds_and_the_soft_edge_changes_while_the_loop_plays(play):
    found = play("scenario_directions")
    assert found["entries"] == 2
    assert found["speeds"] == [1, 2]
    assert found["edges"] == [[0, 0], [40, 40]] or found["edges"] == [[0], [40]]
    assert found["goes_on"]
    assert found["after_an_x"] == [2] and found["told"]
    assert found["after_undo"] == [1, 2]
    assert found["after_two"] == []


def test_the_tint_shows_the_splines_that_solve_uses(play):
    found = play("scenario_splines")
    (with_hole, differ), (without, differ_too) = found["layers"]
    assert without > with_hole > 0.1
    assert max(differ, differ_too) < 0.002


def test_movies_and_sequences_are_drawn_on_and_solved_on_their_first_frame(play):
    found = play("scenario_footage")
    for kind in ("sequence", "movie"):
        assert found[kind]["painted"] > 100
        assert found[kind]["solved_first_frame"] and found[kind]["playing"]
        assert found[kind]["elements"] == 6


def test_scribbles_grow_and_directions_are_suggested(play):
    found = play("scenario_suggestions")
    assert 0 < found["scribbled"] < found["grown"]
    assert found["painted_on"].startswith("still.png Mask")
    assert found["after_undo"] == found["scribbled"]
    first, second = found["suggested"]
    assert len(first) == len(second) == 1 and first != second
    assert found["solved"]
    assert 0 < found["suggested_mask"] < 1


def test_a_large_loop_is_played_at_a_part_of_its_size_in_its_place(play):
    found = play("scenario_large")
    assert found["reduced"] >= 2
    assert found["beside_its_place"] <= found["reduced"]
    print(
        f"\n12 MP in the window, load {os.getloadavg()[0]:.1f}: solved and saved in {found['solve']:.2f} s, "
        f"every frame rendered after {found['rendered']:.2f} s; a turn takes {found['turn']:.1f} s"
    )
