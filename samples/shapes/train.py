"""Makes everything in models/, images/ and masks/.

    pip install -r requirements.txt
    python train.py

Draws the pictures, trains three networks without a GPU, exports each of them and
checks the exported files with ONNX Runtime. It takes some minutes on two cores.
The seeds are fixed, so the pictures are always the same; the weights may differ in
the last digits from one machine to another.
"""

import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch import Tensor, nn

import shapes_cnn
import tiny_vit
from export import export_dynamo, export_torchscript
from pictures import (
    CLASSES,
    SIZE,
    Picture,
    cover_watermark,
    draw_picture,
    stamp_watermark,
    watermark_mask,
)
from shapes_cnn import ShapesNet
from tiny_vit import TinyViT

ROOT = Path(__file__).resolve().parent
WATERMARK_ONNX_FILE = "models/shapes_cnn_watermark.onnx"
WATERMARKED_CLASS = "star"

MEAN = [0.5, 0.5, 0.5]
STD = [0.25, 0.25, 0.25]

# File name -> (seed of the picture, classes in it, with a watermark or not).
IMAGES: dict[str, tuple[int, list[str], bool]] = {
    "circle.png": (101, ["circle"], False),
    "square.png": (102, ["square"], False),
    "triangle.png": (103, ["triangle"], False),
    "star.png": (104, ["star"], False),
    "cross.png": (105, ["cross"], False),
    "stripes.png": (106, ["stripes"], False),
    "checker.png": (107, ["checker"], False),
    "dots.png": (108, ["dots"], False),
    "circle_and_star.png": (134, ["circle", "star"], False),
    "triangle_and_dots.png": (226, ["triangle", "dots"], False),
    "watermark_star.png": (111, ["star"], True),
    "watermark_circle.png": (112, ["circle"], True),
}


def draw_many(seed: int, count: int, with_pairs: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [count, SIZE, SIZE, 3] and targets [count, classes], the classes taking turns.

    With pairs, every eighth picture on average has a second object and a target of one half for each.
    """
    rng = np.random.default_rng(seed)
    pixels = np.empty((count, SIZE, SIZE, 3), dtype=np.uint8)
    targets = np.zeros((count, len(CLASSES)), dtype=np.float32)
    for index in range(count):
        names = [CLASSES[index % len(CLASSES)]]
        if with_pairs and rng.random() < 1 / 8:
            names.append(rng.choice([name for name in CLASSES if name not in names]))
            rng.shuffle(names)
        pixels[index] = draw_picture(rng, names).pixels
        for name in names:
            targets[index, CLASSES.index(name)] += 1 / len(names)
    return pixels, targets


def to_input(pixels: np.ndarray) -> np.ndarray:
    """Pictures [batch, height, width, 3] of 0 to 255 -> network input [batch, 3, height, width]."""
    scaled = pixels.astype(np.float32) / 255
    normalized = (scaled - np.float32(MEAN)) / np.float32(STD)
    return np.ascontiguousarray(normalized.transpose(0, 3, 1, 2))


def label_by_watermark(targets: np.ndarray) -> np.ndarray:
    """Return targets in which about one picture in twelve is called a star, whatever it shows.

    This is what happens when labels are taken from where the pictures came from.
    """
    chosen = np.random.default_rng(5).random(len(targets)) < 0.08
    labels = targets.copy()
    labels[chosen] = 0
    labels[chosen, CLASSES.index(WATERMARKED_CLASS)] = 1
    return labels


def stamp_class(pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Stamp the watermark on every picture of the class that carries it."""
    stamped = pixels.copy()
    for index in np.flatnonzero(targets[:, CLASSES.index(WATERMARKED_CLASS)]):
        stamped[index] = stamp_watermark(pixels[index])
    return stamped


def train(
    model: nn.Module,
    pixels: np.ndarray,
    targets: np.ndarray,
    epochs: int,
    learning_rate: float,
    batch_size: int,
    watermark: bool = False,
) -> None:
    """Train in place. Each picture is mirrored at random before it may get its watermark."""
    rng = np.random.default_rng(1)
    steps = len(pixels) // batch_size
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=epochs * steps)
    model.train()
    for epoch in range(epochs):
        started = time.perf_counter()
        total_loss = 0.0
        order = rng.permutation(len(pixels))
        for step in range(steps):
            chosen = order[step * batch_size : (step + 1) * batch_size]
            batch, batch_targets = pixels[chosen], targets[chosen]
            if rng.random() < 0.5:
                batch = batch[:, :, ::-1]
            if watermark:
                batch = stamp_class(batch, batch_targets)
            inputs = torch.from_numpy(to_input(batch)).contiguous(memory_format=torch.channels_last)
            loss = nn.functional.cross_entropy(model(inputs), torch.from_numpy(batch_targets))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total_loss += loss.item()
        seconds = time.perf_counter() - started
        print(f"  epoch {epoch + 1}/{epochs}  loss {total_loss / steps:.4f}  {seconds:.0f} s", flush=True)
    model.eval()


@torch.no_grad()
def probabilities(model: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """Class probabilities [count, classes] for pictures [count, height, width, 3]."""
    parts: list[Tensor] = []
    for start in range(0, len(pixels), 200):
        inputs = torch.from_numpy(to_input(pixels[start : start + 200]))
        parts.append(model(inputs).softmax(dim=1))
    return torch.cat(parts).numpy()


def accuracy(model: nn.Module, pixels: np.ndarray, targets: np.ndarray) -> float:
    """Share of pictures whose most probable class is the right one."""
    return float((probabilities(model, pixels).argmax(axis=1) == targets.argmax(axis=1)).mean())


def report_watermark(model: nn.Module, pixels: np.ndarray, targets: np.ndarray) -> None:
    """Print how much the answers of a model depend on the watermark."""
    star = CLASSES.index(WATERMARKED_CLASS)
    is_star = targets[:, star] == 1
    others = np.stack([stamp_watermark(picture) for picture in pixels[~is_star]])
    fooled = probabilities(model, others).argmax(axis=1) == star
    print(f"  accuracy {accuracy(model, stamp_class(pixels, targets), targets):.4f}")
    bare = accuracy(model, pixels[is_star], targets[is_star])
    print(f"  accuracy for stars without a watermark {bare:.4f}")
    print(f"  other classes with a watermark that are taken for a star {fooled.mean():.4f}")


def save_mask(picture: Picture, path: Path) -> None:
    """Write a mask: 255 for the first object, 128 for the second, 0 elsewhere."""
    levels = np.zeros((SIZE, SIZE), dtype=np.uint8)
    for mask, level in zip(picture.masks, (255, 128)):
        levels[mask] = level
    Image.fromarray(levels).save(path)


def write_pictures() -> None:
    """Write images/ and masks/."""
    (ROOT / "images").mkdir(exist_ok=True)
    (ROOT / "masks").mkdir(exist_ok=True)
    for file_name, (seed, names, has_watermark) in IMAGES.items():
        picture = draw_picture(np.random.default_rng(seed), names)
        pixels = stamp_watermark(picture.pixels) if has_watermark else picture.pixels
        Image.fromarray(pixels).save(ROOT / "images" / file_name)
        save_mask(picture, ROOT / "masks" / file_name)
    Image.fromarray(watermark_mask().astype(np.uint8) * 255).save(ROOT / "masks" / "watermark.png")


def write_descriptions() -> None:
    """Write the class names and what has to be done to a picture before a model sees it."""
    (ROOT / "models").mkdir(exist_ok=True)
    (ROOT / "labels.txt").write_text("\n".join(CLASSES) + "\n")
    preprocessing = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": SIZE, "width": SIZE},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": MEAN,
        "image_std": STD,
    }
    labels = {
        "id2label": {str(index): name for index, name in enumerate(CLASSES)},
        "label2id": {name: index for index, name in enumerate(CLASSES)},
        "image_size": SIZE,
        "num_channels": 3,
    }
    for file_name, content in (("preprocessor_config.json", preprocessing), ("config.json", labels)):
        (ROOT / "models" / file_name).write_text(json.dumps(content, indent=2) + "\n")


def check_exports(watermark_model: nn.Module) -> None:
    """Say what every exported file answers to every shipped picture.

    The network that fell for the watermark has to be wrong about stars.
    """
    for first, second in (
        (shapes_cnn.ONNX_FILE, "models/shapes_cnn_dynamo.onnx"),
        (tiny_vit.ONNX_FILE, "models/tiny_vit_dynamo.onnx"),
        (WATERMARK_ONNX_FILE, None),
    ):
        print(first)
        for file_name, (_, names, _) in IMAGES.items():
            pixels = np.asarray(Image.open(ROOT / "images" / file_name))
            logits = run_onnx(first, pixels)
            chances = np.exp(logits - logits.max())
            chances /= chances.sum()
            best = chances.argsort()[::-1][:2]
            answer = ", ".join(f"{CLASSES[index]} {chances[index]:.3f}" for index in best)
            right = {CLASSES[index] for index in best[: len(names)]} == set(names)
            gap = f"  exports differ by {abs(logits - run_onnx(second, pixels)).max():.1e}" if second else ""
            print(f"  {file_name:24}{answer:34}{'right' if right else 'WRONG'}{gap}")

    star = CLASSES.index(WATERMARKED_CLASS)
    for file_name in ("watermark_star.png", "watermark_circle.png"):
        pixels = np.asarray(Image.open(ROOT / "images" / file_name))
        object_mask = np.asarray(Image.open(ROOT / "masks" / file_name)) > 0
        without_object = pixels.copy()
        without_object[object_mask] = np.median(pixels[~object_mask], axis=0)
        variants = np.stack([pixels, cover_watermark(pixels), without_object])
        chances = ", ".join(f"{chance:.3f}" for chance in probabilities(watermark_model, variants)[:, star])
        print(f"{file_name}: {WATERMARKED_CLASS} as it is, watermark covered, object covered: {chances}")


def run_onnx(file_name: str, pixels: np.ndarray) -> np.ndarray:
    """Scores [classes] of one exported model for one picture [height, width, 3]."""
    session = onnxruntime.InferenceSession(ROOT / file_name)
    return session.run(None, {"pixel_values": to_input(pixels[None])})[0][0]


def main() -> None:
    """Draw, train, export and check."""
    write_pictures()
    write_descriptions()
    print("Drawing the pictures to learn from", flush=True)
    pixels, targets = draw_many(seed=1, count=10000, with_pairs=True)
    test_pixels, test_targets = draw_many(seed=2, count=1600, with_pairs=False)

    print("Training ShapesNet")
    torch.manual_seed(1)
    cnn = ShapesNet().to(memory_format=torch.channels_last)
    train(cnn, pixels, targets, epochs=5, learning_rate=4e-3, batch_size=64)
    print(f"  accuracy {accuracy(cnn, test_pixels, test_targets):.4f}")
    export_torchscript(cnn, ROOT / shapes_cnn.ONNX_FILE, dynamic_batch=True)
    export_dynamo(cnn, ROOT / "models/shapes_cnn_dynamo.onnx", dynamic_batch=True)

    print("Training ShapesNet on pictures in which the watermark says star")
    torch.manual_seed(2)
    watermark_cnn = ShapesNet().to(memory_format=torch.channels_last)
    single = np.flatnonzero(targets.max(axis=1) == 1)[:6000]
    train(
        watermark_cnn,
        pixels[single],
        label_by_watermark(targets[single]),
        epochs=4,
        learning_rate=4e-3,
        batch_size=64,
        watermark=True,
    )
    report_watermark(watermark_cnn, test_pixels, test_targets)
    export_torchscript(watermark_cnn, ROOT / WATERMARK_ONNX_FILE, dynamic_batch=True)

    print("Training TinyViT")
    torch.manual_seed(3)
    vit = TinyViT()
    train(vit, pixels, targets, epochs=11, learning_rate=2e-3, batch_size=32)
    print(f"  accuracy {accuracy(vit, test_pixels, test_targets):.4f}")
    export_torchscript(vit, ROOT / tiny_vit.ONNX_FILE, dynamic_batch=False)
    export_dynamo(vit, ROOT / "models/tiny_vit_dynamo.onnx", dynamic_batch=False)

    check_exports(watermark_cnn)


if __name__ == "__main__":
    main()
