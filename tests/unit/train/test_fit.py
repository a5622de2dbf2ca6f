"""The loop on a made data set and a tiny network: it learns, resumes, and fails in sentences."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from fer_core.errors import TrainingError
from fer_core.model_store import load_card, verify_model
from train import epochs as epochs_module
from train.augmentation import AugmentationOptions
from train.batches import EpochBatches, epoch_order, soft_targets
from train.checkpoint import HISTORY_COLUMNS
from train.cli import main
from train.epochs import Epoch, Epochs, score
from train.evaluate import evaluate_folder
from train.feed import Feed
from train.fit import fit, plateau_scale
from train.predicting import predict
from train.run import train_and_ship
from train.seen import SEEN_FILE, contact_sheet

from .made import made_dataset
from .tiny import QUICK, KillAfter

pytestmark = pytest.mark.usefixtures("tiny")

# As h5py says it, but for the length.
FULL = RuntimeError(
    "Disable slist on flush dest failure failed\n(file write failed: errno = 28, "
    "error message = 'No space left on device', buf = 0x55f7)"
)


def test_a_killed_run_goes_on_to_the_same_result(tmp_path):
    dataset = made_dataset()
    whole, history = fit(dataset, QUICK, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, QUICK, tmp_path / "cut", progress=KillAfter(1))
    resumed, again = fit(dataset, QUICK, tmp_path / "cut", resume=True)
    assert len(history) == len(again) == 3
    for one, other in zip(history, again, strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
            assert one[name] == pytest.approx(other[name], abs=1e-5), name
    images = dataset.split("PublicTest").images
    np.testing.assert_allclose(predict(whole, images), predict(resumed, images), atol=1e-4)


def test_what_a_kill_leaves_is_not_trained_over(tmp_path):
    dataset = made_dataset()
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, QUICK, tmp_path, progress=KillAfter(1))
    with pytest.raises(TrainingError, match="Go on with --resume"):
        fit(dataset, QUICK, tmp_path)
    other = replace(QUICK, learning_rate=0.01)
    with pytest.raises(TrainingError, match=r"had learning_rate = 0\.05, now it is 0\.01"):
        fit(dataset, other, tmp_path, resume=True)
    other = replace(QUICK, architecture="compact48")
    with pytest.raises(TrainingError, match="had architecture = 'tiny', now it is 'compact48'"):
        fit(dataset, other, tmp_path, resume=True)
    with pytest.raises(TrainingError, match="nothing to resume"):
        fit(dataset, QUICK, tmp_path / "elsewhere", resume=True)
    (tmp_path / "checkpoint" / "epoch-0001.keras").write_bytes(b"half")
    with pytest.raises(TrainingError, match=r"is damaged: .*Remove that folder") as raised:
        fit(dataset, QUICK, tmp_path, resume=True)
    assert "\n" not in str(raised.value)
    (tmp_path / "checkpoint" / "state.json").write_text("{}")
    with pytest.raises(TrainingError, match="is damaged"):
        fit(dataset, QUICK, tmp_path, resume=True)


def test_a_state_that_is_seldom_written_loses_nothing_at_the_end(tmp_path):
    dataset = made_dataset()
    whole, history = fit(dataset, QUICK, tmp_path / "whole")
    seldom = replace(QUICK, checkpoint_seconds=1000.0)
    same, again = fit(dataset, seldom, tmp_path / "seldom")
    assert (tmp_path / "seldom/history.csv").read_text().count("\n") == 1 + len(history)
    images = dataset.split("PublicTest").images
    np.testing.assert_allclose(predict(whole, images), predict(same, images), atol=1e-4)
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, seldom, tmp_path / "cut", progress=KillAfter(2))
    resumed, again = fit(dataset, seldom, tmp_path / "cut", resume=True)
    assert len(again) == 3, "the first epoch was written, the second is trained anew"
    np.testing.assert_allclose(predict(whole, images), predict(resumed, images), atol=1e-4)


def test_a_refused_run_leaves_everything_as_it_was(tmp_path):
    dataset = made_dataset()
    with pytest.raises(TrainingError, match="time is up"):
        train_and_ship(dataset, QUICK, tmp_path, until=0.0)
    kept = (tmp_path / "options.json").read_bytes()
    other = replace(QUICK, learning_rate=0.01)
    with pytest.raises(TrainingError, match="holds an unfinished run"):
        train_and_ship(dataset, other, tmp_path)
    with pytest.raises(TrainingError, match="had learning_rate"):
        train_and_ship(dataset, other, tmp_path, resume=True)
    assert (tmp_path / "options.json").read_bytes() == kept
    train_and_ship(dataset, QUICK, tmp_path, resume=True)
    finished = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert "card.json" in finished
    with pytest.raises(TrainingError, match=r"holds a finished model\. Train into another folder"):
        train_and_ship(dataset, other, tmp_path)
    assert finished == {file.name: file.read_bytes() for file in tmp_path.iterdir()}


def test_a_disk_that_fills_up_at_the_end_is_one_sentence(tmp_path, monkeypatch):
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("train.ship.save_keras", full)
    options = replace(QUICK, epochs=1)
    with pytest.raises(TrainingError, match=r"Make room and go on with --resume") as raised:
        train_and_ship(made_dataset(), options, tmp_path)
    assert "\n" not in str(raised.value)
    monkeypatch.undo()
    assert (tmp_path / "checkpoint" / "state.json").is_file(), "nothing is lost"


def test_a_loss_that_is_no_number_stops_and_names_the_step(tmp_path, monkeypatch):
    wild = replace(QUICK, learning_rate=1e30, warmup_epochs=0, epochs=5)
    with pytest.raises(
        TrainingError, match=r"no longer a number at epoch 1, step \d+ of 3"
    ) as said:
        fit(made_dataset(), wild, tmp_path)
    assert "is kept" not in str(said.value), "there is no checkpoint before the first epoch"
    late = replace(QUICK, epochs=2, warmup_epochs=0)
    rate_of = "train.steps.rate_at"
    monkeypatch.setattr(rate_of, lambda options, done, scale: 1e30 if done >= 1 else 0.01)
    with pytest.raises(TrainingError, match="The checkpoint of epoch 1 is kept"):
        fit(made_dataset(), late, tmp_path)
    assert (tmp_path / "checkpoint" / "epoch-0001.keras").is_file()


@pytest.mark.parametrize(
    ("checkpoint_seconds", "kept"), [(0.0, 2), (1e6, 1)], ids=["every epoch", "seldom"]
)
def test_weights_that_the_last_step_broke_are_not_kept(
    tmp_path, monkeypatch, checkpoint_seconds, kept
):
    """The loss of that step was still a number, and so was all that was looked at."""
    score = epochs_module.score
    scored = []

    def broken_in_the_third(model, split):
        scored.append(model)
        return (np.nan, 0.1) if len(scored) == 3 else score(model, split)

    monkeypatch.setattr("train.epochs.score", broken_in_the_third)
    options = replace(QUICK, epochs=4, checkpoint_seconds=checkpoint_seconds)
    with pytest.raises(TrainingError, match="at the end of epoch 3") as said:
        fit(made_dataset(), options, tmp_path)
    assert f"The checkpoint of epoch {kept} is kept" in str(said.value)
    files = [file.name for file in (tmp_path / "checkpoint").glob("epoch-*.keras")]
    assert files == [f"epoch-{kept:04d}.keras"]


def test_a_full_disk_keeps_the_last_whole_epoch(tmp_path, monkeypatch):
    dataset = made_dataset()
    save = keras.Model.save

    def full(self, file, *args, **options):
        if "epoch-0002" in str(file):
            Path(file).write_bytes(b"half")
            raise FULL
        return save(self, file, *args, **options)

    monkeypatch.setattr(keras.Model, "save", full)
    with pytest.raises(TrainingError, match=r"No space left on device.*is kept\.") as raised:
        fit(dataset, QUICK, tmp_path)
    assert "\n" not in str(raised.value)
    monkeypatch.setattr(keras.Model, "save", save)
    _, history = fit(dataset, QUICK, tmp_path, resume=True)
    assert [row["epoch"] for row in history] == [1, 2, 3]


@pytest.mark.parametrize("seconds", [0.0, 1000.0], ids=["from the file", "from memory"])
def test_the_best_epoch_is_what_a_run_returns_and_not_the_last(tmp_path, monkeypatch, seconds):
    """Which epoch is the best is told, so that no chance decides; its loss is its own."""
    run = Epochs.run

    def told(self: Epochs, epoch: int, scale: float) -> Epoch:
        return replace(run(self, epoch, scale), accuracy=(0.3, 0.9, 0.5)[epoch - 1])

    monkeypatch.setattr(Epochs, "run", told)
    dataset = made_dataset()
    model, history = fit(dataset, replace(QUICK, checkpoint_seconds=seconds), tmp_path)
    losses = [row["val_loss"] for row in history]
    assert min(abs(losses[1] - losses[0]), abs(losses[1] - losses[2])) > 1e-3
    loss, _ = score(model, dataset.split("PublicTest"))
    assert loss == pytest.approx(losses[1], abs=1e-5)


def test_the_picture_of_what_is_seen_shows_changed_crops(tmp_path):
    training = made_dataset().split("Training")
    mirror = AugmentationOptions(1.0, *[0] * 6)
    options = replace(QUICK, augmentation=mirror)
    Feed(training, options, tmp_path, training).write_seen(tmp_path / SEEN_FILE)
    sheet = cv2.imread(str(tmp_path / SEEN_FILE), cv2.IMREAD_GRAYSCALE)
    first = training.images[epoch_order(training, options, 1)[: options.batch_size]]
    np.testing.assert_array_equal(sheet, contact_sheet(first[:, :, ::-1], columns=8))
    assert (sheet != contact_sheet(first, columns=8)).any()


def test_it_stops_early(tmp_path):
    # With a rate of next to nothing no epoch is better than the first.
    still = replace(QUICK, learning_rate=1e-12, epochs=20, early_stopping=2)
    _, history = fit(made_dataset(), still, tmp_path)
    assert len(history) < 20


@pytest.mark.parametrize(
    ("accuracies", "scale"),
    [([], 1), ([0.1, 0.2, 0.3], 1), ([0.3, 0.2, 0.2], 0.5), ([0.3, 0.2, 0.2, 0.1, 0.1], 0.25)],
)
def test_the_rate_falls_on_plateau(accuracies, scale):
    options = replace(QUICK, plateau_patience=2, plateau_factor=0.5)
    assert plateau_scale(accuracies, options) == scale
    assert plateau_scale(accuracies, replace(options, plateau_patience=0)) == 1


def test_targets_lean_on_the_label():
    split = made_dataset().split("Training")
    targets = soft_targets(split, replace(QUICK, label_smoothing=0.07, vote_smoothing=0.2))
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    sad = split.labels == 4
    # The made votes all say neutral.
    np.testing.assert_allclose(targets[sad][:, 4], 0.73 + 0.01, atol=1e-6)
    np.testing.assert_allclose(targets[sad][:, 6], 0.2 + 0.01, atol=1e-6)


def test_an_epoch_sees_every_image_in_batches_of_one_size():
    split = made_dataset().split("Training")
    options = replace(QUICK, batch_size=32, augmentation=AugmentationOptions(*[0] * 7))
    batches = EpochBatches(split, soft_targets(split, options), options, 1)
    drawn = [batches[index][0] for index in range(len(batches))]
    assert [len(batch) for batch in drawn] == [32, 32, 32]
    seen = {crop.astype(np.uint8).tobytes() for batch in drawn for crop in batch}
    assert seen == {image.tobytes() for image in split.images}


def test_the_command_writes_a_model_folder_that_works(data, config, tmp_path, capsys):
    dataset = made_dataset()
    out = tmp_path / "models" / "tiny"
    words = ["fit", "--data", data, "--arch", "tiny", "--out", out, "--config", config]
    assert main([str(word) for word in [*words, "--epochs", "20"]]) == 0
    assert "PrivateTest" in capsys.readouterr().out
    assert {file.name for file in out.iterdir()} == {
        "model.keras",
        "model.tflite",
        "model.int8.tflite",
        "history.csv",
        "evaluation.json",
        "card.json",
        "README.md",
        "options.json",
        "seen.png",
    }
    card = verify_model(out)
    assert card == load_card(out)
    assert set(card.files) == {"model.keras", "model.tflite", "model.int8.tflite"}
    assert card.parameters > 0
    assert card.multiply_adds > card.parameters
    evaluation = json.loads((out / "evaluation.json").read_text())
    assert set(evaluation) == {"network", "Training", "PublicTest", "PrivateTest"}
    assert evaluation["network"]["seconds_trained"] == card.training["seconds"]
    assert evaluation["network"]["bytes"] == {
        name: (out / name).stat().st_size for name in card.files
    }
    assert evaluation["PrivateTest"]["accuracy"] > 0.5, "the grids are easy to tell apart"
    with (out / "history.csv").open() as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == list(HISTORY_COLUMNS)
    assert len(rows) == 21

    main(["evaluate", "--model", str(out), "--data", str(data), "--split", "PrivateTest"])
    scored = json.loads(capsys.readouterr().out)
    assert scored["runtime"] == "litert"
    assert scored["accuracy"] == pytest.approx(evaluation["PrivateTest"]["accuracy"], abs=0.05)
    with_keras = evaluate_folder(str(out), dataset, "PrivateTest", "keras")
    assert with_keras["loss"] == pytest.approx(scored["loss"], abs=1e-3)


def test_three_channels_from_fit_to_export(data, config, tmp_path, capsys):
    """The same grey three times: the crops that a runtime is fed stay grey."""
    out = tmp_path / "three"
    words = ["fit", "--data", data, "--out", out, "--config", config]
    assert main([str(word) for word in [*words, "--channels", 3, "--epochs", 2]]) == 0
    card = load_card(out)
    assert (card.channels, card.architecture_options["channels"]) == (1, 3)
    model = keras.saving.load_model(out / "model.keras", compile=False)
    assert model.input_shape == (None, 48, 48, 1)
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    assert first.kernel.shape[2] == 3
    assert main(["export", "--model", str(out)]) == 0
    capsys.readouterr()
    scores = []
    for runtime in ("litert", "keras"):
        words = ["evaluate", "--model", out, "--data", data, "--runtime", runtime]
        assert main([str(word) for word in words]) == 0
        scores.append(json.loads(capsys.readouterr().out))
    assert scores[0]["runtime"] == "litert"
    assert scores[0]["loss"] == pytest.approx(scores[1]["loss"], abs=1e-3)
    evaluation = json.loads((out / "evaluation.json").read_text())
    assert scores[0]["loss"] == pytest.approx(evaluation["PublicTest"]["loss"], abs=1e-3)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["fit", "--data", "nowhere", "--out", "x"], 1, "There is no data set at nowhere"),
        (["fit", "--data", "{data}", "--out", "{out}", "--arch", "vgg99"], 1, "vgg99"),
        (["fit", "--data", "{data}", "--out", "{out}", "--epochs", "0"], 1, "epochs must be"),
        (["fit", "--data", "{data}", "--out", "{out}", "--resume"], 1, "nothing to resume"),
        (["evaluate", "--model", "none", "--data", "{data}"], 1, "There is no model called"),
    ],
)
def test_wrong_words_end_in_one_sentence(
    data, tmp_path, monkeypatch, capsys, words, code, sentence
):
    monkeypatch.chdir(tmp_path)
    filled = [word.format(data=data, out=tmp_path / "out") for word in words]
    assert main(filled) == code
    printed = capsys.readouterr().err
    assert sentence in printed
    assert printed.startswith("error: ")
    assert len(printed.strip().splitlines()) == 1
