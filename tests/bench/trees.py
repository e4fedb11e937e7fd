"""Tiny trees in the formats of the known sets, with plain anomalies in them, so that a suite can run in a second."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from mmdmad.datasets import nezha, skab

SIZE = (40, 48)  # height, width of the pictures


def make_trees(root: Path) -> Path:
    """All sets under `root`."""
    rng = np.random.default_rng(0)
    for make in (pictures, messages, testbed, series, walkway, tables, sentences, microservices, composed, machine):
        make(root, rng)
    return root


def pictures(root: Path, rng: np.random.Generator) -> None:
    folder, rows = root / "mtd", []
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    base = np.add.outer(np.linspace(60, 160, SIZE[0]), np.linspace(0, 40, SIZE[1]))
    for i in range(30):
        kind = "Free" if i < 24 else ("Crack", "Fray")[i % 2]
        pixels = base + rng.normal(0, 3, SIZE)
        mask = np.zeros(SIZE, bool)
        if kind != "Free":
            mask[10:22, 8 + i % 3 : 24] = True
            pixels[mask] = 255 * (i % 2)
            Image.fromarray((mask * 255).astype(np.uint8)).save(folder / "masks" / f"{kind}_{i}.png")
        name = f"{kind}_{i}.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "images" / name)
        row = {
            "file": name,
            "class": kind,
            "label": int(kind != "Free"),
            "mask": f"{kind}_{i}.png" if i >= 24 else None,
        }
        row |= {"mask_frac": mask.mean(), "w": SIZE[1], "h": SIZE[0]}
        splits = ("differnet_split", "tile_split_0", "tile_split_1")
        rows.append(row | dict.fromkeys(splits, "train" if i < 18 else "test"))
    pd.DataFrame(rows).to_csv(folder / "index.csv", index=False)


def messages(root: Path, rng: np.random.Generator) -> None:
    folder, rows = root / "sms_spam", []
    folder.mkdir()
    words = ["see", "you", "at", "home", "later", "then", "ok", "love", "the", "bus", "is", "late"]
    for i in range(60):
        text = " ".join(rng.choice(words, 6))
        rows.append({"split": "train" if i < 44 else "test", "label": 0, "text": text})
    for i in range(12):
        text = f"WIN £{i}000 CASH!!! Call 0906{i}443322 NOW, claim code {i}ZX99"
        rows.append({"split": "test", "label": 1, "text": text})
    pd.DataFrame(rows).to_parquet(folder / "sms_spam.parquet")
    pd.DataFrame(np.full((33, 10), 80.0)).to_csv(folder / "textadbench_auroc_33x10.csv", header=False, index=False)
    pd.DataFrame(np.full((33, 10), 60.0)).to_csv(folder / "textadbench_aupr_33x10.csv", header=False, index=False)


def testbed(root: Path, rng: np.random.Generator) -> None:
    frames = []
    for group, file, rows in (
        ("valve1", "0.csv", 740),
        ("other", "1.csv", 700),
        ("anomaly-free", "anomaly-free.csv", 90),
    ):
        t = np.arange(rows)
        values = np.sin(t[:, None] / 2 + np.arange(8)) + rng.normal(0, 0.1, (rows, 8))
        anomaly = ((t >= 480) & (t < 530)).astype(np.float32)
        values[anomaly > 0] += 3
        frame = pd.DataFrame(values, columns=list(skab.UNITS))
        frame.insert(0, "datetime", pd.date_range("2020-02-08", periods=rows, freq="s").astype(str))
        free = group == "anomaly-free"
        frames.append(frame.assign(group=group, file=file, anomaly=np.nan if free else anomaly, changepoint=0.0))
    (root / "skab").mkdir()
    pd.concat(frames).to_parquet(root / "skab" / "skab.parquet")


def series(root: Path, rng: np.random.Generator) -> None:
    folder = root / "tsbad"
    for track, width in (("U", 1), ("M", 3)):
        (folder / track).mkdir(parents=True)
        for name in ("001_A", "002_B"):
            t = np.arange(500)
            x = np.sin(2 * np.pi * t[:, None] / 20 + np.arange(width)) + rng.normal(0, 0.05, (500, width))
            label = ((t >= 350) & (t < 375)).astype(np.uint8)
            x[label > 0] += 2
            np.savez(folder / track / f"{name}.npz", x=x if width > 1 else x[:, 0], label=label, train_end=200)
        frame = pd.DataFrame({"file": ["001_A.csv", "002_B.csv"], "Sub-PCA": [0.5, 0.4], "CNN": [0.25, 0.3]})
        frame["Chronos"] = [np.nan, 0.2]
        frame.assign(ts_len=500).to_csv(folder / f"published_vus_pr_{track}.csv", index=False)


def walkway(root: Path, rng: np.random.Generator) -> None:
    masks: dict[str, list[np.ndarray]] = {}
    for split, count in (("training", 14), ("testing", 3)):
        for number in range(1, count + 1):
            folder = root / "ucsd_ped2" / split / f"{number:02d}"
            folder.mkdir(parents=True)
            odd = np.zeros(40, np.uint8)
            if split == "testing":
                odd[8:16] = 1
                np.save(folder.parent / f"{number:02d}_label.npy", odd)
            ground = rng.integers(90, 110, (48, 72))
            for i in range(40):
                frame = ground.copy()
                x = 4 + (6 * (i - 8) if odd[i] else i % 50)
                frame[20:32, x : x + 8] = 240 if odd[i] else 30
                if split == "testing":
                    place = np.zeros((48, 72), bool)
                    place[20:32, x : x + 8] = odd[i]
                    masks.setdefault(f"{number:02d}", []).append(np.packbits(place))
                Image.fromarray(frame.astype(np.uint8)).save(folder / f"{i:03d}.webp", lossless=True)
    np.savez(root / "ucsd_ped2" / "testing_pixel_masks_packbits.npz", **{k: np.stack(v) for k, v in masks.items()})


def tables(root: Path, rng: np.random.Generator) -> None:
    for folder, name, rows, width in (
        ("adbench_classical", "1_small", 120, 4),
        ("adbench_classical", "2_large", 1100, 3),
        ("mvtec_resnet18_feats", "MVTec-AD_toy", 90, 16),
    ):
        (root / folder).mkdir(exist_ok=True)
        X, y = rng.normal(size=(rows, width)), (np.arange(rows) >= rows - 20).astype(int)
        X[y == 1] += 4
        X[1] = X[0]
        np.savez(root / folder / f"{name}.npz", X=X, y=y)
    frame = pd.DataFrame({"Dataset": ["Small", "other"], "KNN": [90.0, 50.0], "DTE-NP": [91.0, 50.0]})
    frame.to_csv(root / "adbench_classical" / "published_auroc_semi.csv", index=False)


def sentences(root: Path, rng: np.random.Generator) -> None:
    folder = root / "uca_ucfcrime_text"
    folder.mkdir()
    words = ["a", "man", "walks", "past", "the", "shop", "and", "opens", "his", "door", "slowly"]
    rows = [
        {"split": "train" if i < 40 else "test", "label": 0, "text": " ".join(rng.choice(words, 7))} for i in range(52)
    ]
    rows += [{"split": "test", "label": 1, "text": f"EXPLOSION number {i} shatters 1000 windows"} for i in range(8)]
    for i, row in enumerate(rows):
        row |= {"category": "Normal" if i < 46 else "Explosion", "video": f"video{i // 4:03d}"}
    pd.DataFrame(rows).to_parquet(folder / "uca.parquet")


def composed(root: Path, rng: np.random.Generator) -> None:
    rows = []
    for i in range(10):
        odd = i >= 6
        rows.append(
            {
                "part": "dev",
                "event": f"dev_{i:04d}",
                "label": int(odd),
                "n_anom": 4 * int(odd),
                "image": f"{('Crack', 'Fray')[(24 + i) % 2]}_{24 + i % 6}.jpg" if odd else f"Free_{18 + i}.jpg",
                "image_label": int(odd),
                "text": 52 + i % 8 if odd else 40 + i,
                "text_label": int(odd),
                "sensor": "valve1/0.csv:490" if odd else "valve1/0.csv:400",
                "sensor_label": int(odd),
                "video": "testing/01:4" if odd else "training/13:2",
                "video_label": int(odd),
                "missing": "text" if i in (2, 7) else None,
            }
        )
    frame = pd.DataFrame(rows)
    odd_files = [f"{('Crack', 'Fray')[k % 2]}_{k}.jpg" for k in range(24, 30)]
    frame.loc[frame["label"] == 1, "image"] = odd_files[:4]
    (root / "joint_composed").mkdir()
    frame.to_csv(root / "joint_composed" / "events.csv", index=False)


def microservices(root: Path, rng: np.random.Generator) -> None:
    folder, pods = root / "nezha", ["pod-a", "pod-b", "pod-c"]
    folder.mkdir()
    minutes = [f"{8 + m // 60:02d}:{m % 60:02d}:09" for m in range(60)]
    x = rng.lognormal(1, 0.1, (3, 60, 3)) * np.array([1, 10, 100])[:, None, None]
    label = np.zeros((3, 60), np.uint8)
    label[0, 20:22] = 1
    x[0, 20:22] *= 6
    np.savez(
        folder / f"metrics_{nezha.DAY}.npz",
        x=x.astype(np.float32),
        label_pod=label,
        label_any=label.max(axis=0),
        time=np.array(minutes),
        pods=np.array(pods),
        metrics=np.array(["CpuUsage(m)", "MemoryUsage(Mi)", "PodWorkload(Ops)"]),
    )
    rows = []
    for minute in (*range(8, 22), *range(26, 50)):  # 20 and 21 have a fault
        for p, pod in enumerate(pods):
            fault = bool(label[p, minute])
            row = {"window": minutes[minute][:5], "pod": pod, "label": int(fault), "phase": "fault_window"}
            row |= {"ambiguous": int(minute == 21 and p == 2), "window_has_fault": int(minute in (20, 21))}
            row |= {"fault_type": "return" if fault else None, "n_log": 2}
            row["logs"] = "ERROR no contact found (x9)" if fault else "INFO order read (x3)\nINFO done (x3)"
            rows.append(row | dict.fromkeys(nezha.TRACES, 900.0 if fault else 90.0 + minute))
    pd.DataFrame(rows).to_parquet(folder / "pod_minutes.parquet")


def machine(root: Path, rng: np.random.Generator) -> None:
    folder, rows = root / "loghub_bgl2k", []
    folder.mkdir()
    for i in range(140):
        kind = i % 3 if i < 90 else i % 4  # the fourth kind of normal line begins late
        template = ("core <*> parity corrected", "<*> ddr errors on rank <*>", "total of <*> interrupts", "job <*> up")[
            kind
        ]
        row = {"EventTemplate": template, "Label": "-", "anomaly": 0}
        if i % 20 == 7:
            kind = ("KERNSTOP", "APPDEAD")[i // 20 % 2]
            template = {"KERNSTOP": "rts panic! stopping execution at <*>", "APPDEAD": "ciod: stream to <*> SEVERED"}[
                kind
            ]
            row = {"EventTemplate": template, "Label": kind, "anomaly": 1}
        content = template.replace("<*>", str(rng.integers(100)))
        row |= {"LineId": i + 1, "Timestamp": 1_117_838_570 + 60 * i, "Content": content}
        rows.append(row | {"Node": f"R0{i % 4}-M1" if i % 11 else None})
    pd.DataFrame(rows).to_csv(folder / "bgl_2k.csv", index=False)
