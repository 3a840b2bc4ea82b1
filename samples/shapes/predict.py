"""Names what is in a picture, with the exported models and ONNX Runtime.

    python predict.py images/star.png images/watermark_circle.png
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image


def load_input(image_path: str) -> np.ndarray:
    """Read a picture and prepare it the way models/preprocessor_config.json says."""
    config = json.loads(Path("models/preprocessor_config.json").read_text())
    size = (config["size"]["width"], config["size"]["height"])
    image = Image.open(image_path).convert("RGB").resize(size, Image.Resampling(config["resample"]))
    pixels = np.asarray(image, dtype=np.float32) * np.float32(config["rescale_factor"])
    pixels = (pixels - np.float32(config["image_mean"])) / np.float32(config["image_std"])
    return pixels.transpose(2, 0, 1)[None]


def predict(session: onnxruntime.InferenceSession, pixel_values: np.ndarray, labels: list[str]) -> str:
    """The two most probable classes as text."""
    logits = session.run(["logits"], {"pixel_values": pixel_values})[0][0]
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    best = chances.argsort()[::-1][:2]
    return ", ".join(f"{labels[index]} {chances[index]:.2f}" for index in best)


def main() -> None:
    """Ask three models about each picture on the command line."""
    labels = Path("labels.txt").read_text().split()
    cnn = onnxruntime.InferenceSession("models/shapes_cnn.onnx")
    watermark_cnn = onnxruntime.InferenceSession("models/shapes_cnn_watermark.onnx")
    vit = onnxruntime.InferenceSession("models/tiny_vit.onnx")
    for image_path in sys.argv[1:] or ["images/star.png"]:
        pixel_values = load_input(image_path)
        print(image_path)
        print("  ShapesNet                 ", predict(cnn, pixel_values, labels))
        print("  ShapesNet, with watermarks", predict(watermark_cnn, pixel_values, labels))
        print("  TinyViT                   ", predict(vit, pixel_values, labels))


if __name__ == "__main__":
    main()
