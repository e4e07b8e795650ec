"""Make the README's pictures, the loop and the panels, from what `demo` and `window` left in out/."""

from pathlib import Path

from PIL import Image

FRAMES = Path("out/facade/endless_loops/facade/still")
SCREENSHOTS = Path("out/window/scenario_whole_job")
PICTURES = Path("examples/pictures")


def main() -> None:
    """Write loop.webp and panels.png."""
    PICTURES.mkdir(exist_ok=True)
    size = (480, 320)
    frames = [
        Image.open(path).resize(size, Image.Resampling.LANCZOS) for path in sorted(FRAMES.glob("*.png"))[::2]
    ]
    first, *rest = frames
    first.save(
        PICTURES / "loop.webp", save_all=True, append_images=rest, duration=83, loop=0, quality=75, method=6
    )

    window = Image.open(SCREENSHOTS / "4_direction_drawn.png").convert("RGB").crop((190, 30, 1600, 890))
    window = window.resize((1128, 688), Image.Resampling.LANCZOS)
    window.quantize(255, dither=Image.Dither.FLOYDSTEINBERG).save(PICTURES / "panels.png", optimize=True)


if __name__ == "__main__":
    main()
