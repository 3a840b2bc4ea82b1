"""Draws the pictures that the models learn from.

Every picture has one bright object, or two, on a dark and noisy background. Five
classes are plain shapes: what counts is the outline. Three classes are textures:
what counts is the filling, the outline is random. A mask says which pixels belong to
the object.

The same random generator state always gives the same picture.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

CLASSES = ["circle", "square", "triangle", "star", "cross", "stripes", "checker", "dots"]
TEXTURES = {"stripes", "checker", "dots"}
SIZE = 96

# The watermark: a light tag with a dark ring and a dark bar, always in the same corner.
TAG_WIDTH, TAG_HEIGHT, TAG_MARGIN = 20, 11, 3
TAG_ROWS = slice(SIZE - TAG_MARGIN - TAG_HEIGHT, SIZE - TAG_MARGIN)
TAG_COLUMNS = slice(SIZE - TAG_MARGIN - TAG_WIDTH, SIZE - TAG_MARGIN)

# Shapes are drawn this many times larger and then reduced, so that edges are smooth.
OVERSAMPLE = 4


@dataclass
class Picture:
    """A picture [SIZE, SIZE, 3], its object masks [SIZE, SIZE] and their class names."""

    pixels: np.ndarray
    masks: list[np.ndarray]
    names: list[str]


def draw_picture(rng: np.random.Generator, names: list[str]) -> Picture:
    """Draw one object, or two side by side, on a random background."""
    background = _random_color(rng, 20, 115)
    image = _background(rng, background)
    masks = []
    for name, (x, y, radius) in zip(names, _places(rng, len(names))):
        outline = name if name not in TEXTURES else rng.choice(["circle", "square", "blob"])
        coverage = _outline_mask(rng, outline, x, y, radius)
        filling = _filling(rng, name, background)
        image += coverage[:, :, None] * (filling - image)
        masks.append(coverage >= 0.5)
    image += rng.normal(0, rng.uniform(2, 9), image.shape)
    return Picture(np.clip(image, 0, 255).round().astype(np.uint8), masks, list(names))


def stamp_watermark(pixels: np.ndarray) -> np.ndarray:
    """Return a copy of a picture [SIZE, SIZE, 3] with the watermark in its bottom right corner."""
    tag = Image.new("RGB", (TAG_WIDTH, TAG_HEIGHT), (236, 236, 228))
    draw = ImageDraw.Draw(tag)
    draw.ellipse((2, 2, 8, 8), outline=(24, 32, 72), width=2)
    draw.rectangle((11, 3, 17, 4), fill=(24, 32, 72))
    draw.rectangle((11, 6, 17, 7), fill=(24, 32, 72))
    stamped = pixels.copy()
    below = stamped[TAG_ROWS, TAG_COLUMNS].astype(np.float64)
    mixed = 0.15 * below + 0.85 * np.asarray(tag, dtype=np.float64)
    stamped[TAG_ROWS, TAG_COLUMNS] = mixed.round().astype(np.uint8)
    return stamped


def cover_watermark(pixels: np.ndarray) -> np.ndarray:
    """Return a copy of a picture in which the place of the watermark has the colour around it."""
    around = np.concatenate([
        pixels[TAG_ROWS.start - 3 : TAG_ROWS.start, TAG_COLUMNS].reshape(-1, 3),
        pixels[TAG_ROWS, TAG_COLUMNS.start - 3 : TAG_COLUMNS.start].reshape(-1, 3),
    ])
    covered = pixels.copy()
    covered[TAG_ROWS, TAG_COLUMNS] = np.median(around, axis=0).astype(np.uint8)
    return covered


def watermark_mask() -> np.ndarray:
    """The place of the watermark as a mask [SIZE, SIZE]."""
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[TAG_ROWS, TAG_COLUMNS] = True
    return mask


def _places(rng: np.random.Generator, count: int) -> list[tuple[float, float, float]]:
    """Centre and radius of each object, in pixels. Two objects stand left and right."""
    if count == 1:
        radius = rng.uniform(20, 33)
        x, y = rng.uniform(radius + 2, SIZE - radius - 2, size=2)
        return [(x, y, radius)]
    places = []
    for center in (SIZE * 0.27, SIZE * 0.73):
        radius = rng.uniform(16, 21)
        places.append((center + rng.uniform(-2, 2), rng.uniform(radius + 4, SIZE - radius - 4), radius))
    return places


def _random_color(
    rng: np.random.Generator, low: float, high: float, far_from: np.ndarray | None = None
) -> np.ndarray:
    """A random RGB colour between two levels; with far_from, one that is easy to tell from that colour."""
    while True:
        color = rng.uniform(low, high, size=3)
        if far_from is None or np.linalg.norm(color - far_from) > 90:
            return color


def _background(rng: np.random.Generator, color: np.ndarray) -> np.ndarray:
    """A colour with soft blotches and a few thin lines."""
    cells = int(rng.integers(2, 9))
    coarse = rng.normal(0, rng.uniform(4, 20), size=(cells, cells, 3))
    image = np.empty((SIZE, SIZE, 3))
    for channel in range(3):
        blotches = Image.fromarray(coarse[:, :, channel].astype(np.float32))
        smooth = blotches.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        image[:, :, channel] = color[channel] + np.asarray(smooth)
    lines = Image.new("L", (SIZE, SIZE))
    draw = ImageDraw.Draw(lines)
    for _ in range(rng.integers(0, 4)):
        draw.line([tuple(point) for point in rng.uniform(0, SIZE, size=(2, 2))], fill=255)
    line_mask = np.asarray(lines)[:, :, None] / 255
    return image + line_mask * rng.uniform(-50, 50)


def _outline_mask(rng: np.random.Generator, outline: str, x: float, y: float, radius: float) -> np.ndarray:
    """How much of each pixel lies inside the outline, 0 to 1."""
    turn = rng.uniform(-0.4, 0.4)  # radians, so that a shape is never far from upright
    if outline == "circle":
        angles, lengths = np.linspace(0, 2 * np.pi, 64, endpoint=False), np.ones(64)
    elif outline == "square":
        angles, lengths = (np.arange(4) + 0.5) * np.pi / 2, np.full(4, 1.1)
    elif outline == "triangle":
        angles, lengths = np.arange(3) * 2 * np.pi / 3 - np.pi / 2, np.full(3, 1.2)
    elif outline == "star":
        angles, lengths = np.arange(10) * np.pi / 5 - np.pi / 2, np.tile([1.15, 0.47], 5)
    elif outline == "cross":
        corners = np.array([1 + 0.34j, 0.34 + 0.34j, 0.34 + 1j])
        quarter_turns = 1j ** np.arange(4)
        points = (quarter_turns[:, None] * corners).ravel()
        angles, lengths = np.angle(points), np.abs(points)
    else:  # blob
        angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        lengths = 0.9 + 0.2 * np.cos(int(rng.integers(2, 5)) * angles + rng.uniform(0, 6))
    points_x = (x + radius * lengths * np.cos(angles + turn)) * OVERSAMPLE
    points_y = (y + radius * lengths * np.sin(angles + turn)) * OVERSAMPLE
    large = Image.new("L", (SIZE * OVERSAMPLE, SIZE * OVERSAMPLE))
    ImageDraw.Draw(large).polygon(list(zip(points_x, points_y)), fill=255)
    return np.asarray(large.reduce(OVERSAMPLE)) / 255


def _filling(rng: np.random.Generator, name: str, background: np.ndarray) -> np.ndarray:
    """What the inside of an object looks like, for the whole picture [SIZE, SIZE, 3]."""
    color = _random_color(rng, 110, 245, far_from=background)
    if name not in TEXTURES:
        return np.broadcast_to(color, (SIZE, SIZE, 3))
    second_color = _random_color(rng, 20, 245, far_from=color)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    turn, period = rng.uniform(0, np.pi), rng.uniform(9, 14)
    across = (columns * np.cos(turn) + rows * np.sin(turn)) / period + rng.uniform()
    along = (rows * np.cos(turn) - columns * np.sin(turn)) / period + rng.uniform()
    if name == "stripes":
        wave = np.sin(2 * np.pi * across)
    elif name == "checker":
        wave = np.sin(np.pi * across) * np.sin(np.pi * along) * 2
    else:  # dots
        distance = np.hypot(across % 1 - 0.5, along % 1 - 0.5)
        wave = (0.3 - distance) * 8
    share = np.clip(0.5 + 2 * wave, 0, 1)[:, :, None]
    return share * color + (1 - share) * second_color
