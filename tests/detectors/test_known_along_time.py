"""Methods along time or under a condition, where the right answer is known."""

import numpy as np
import pytest
import torch

from mmdmad.detectors.base import load_detector, make_detector
from mmdmad.detectors.kit.tracks import common_group, futures, gap, tracks, windows
from mmdmad.diffusion.decomposition import robust_trend, rolling_median
from mmdmad.diffusion.imputation import change, grating, impute, observed_by_change
from mmdmad.diffusion.noise import add_noise, noise_bank
from mmdmad.errors import ConfigError, DataError
from mmdmad.tokens import Layout, Tokens

RNG = np.random.default_rng


def steps(values, groups=1):
    """Values (T, groups, D) as an item of T steps."""
    values = np.asarray(values, np.float32)
    length = len(values)
    names = tuple(f"c{g}" for g in range(groups)) * length
    layout = Layout("steps", (length, groups), channels=names, position=np.tile(np.arange(groups), length))
    return Tokens(values.reshape(length * groups, -1), layout)


class TestTracks:
    def test_overlapping_windows_never_share_a_track(self):
        start = np.arange(0.0, 20.0, 1.0)
        where = np.repeat(np.stack([start, start + 4.0], axis=1), 2, axis=0)
        layout = Layout("steps", (20, 2), where=where)
        assert gap(layout) == 4
        together = tracks(layout, 2)
        assert len(together) == 4
        assert sorted(np.concatenate([t.ravel() for t in together])) == list(range(40))
        for track in together:
            spans = where[track[:, 0]]
            assert (spans[1:, 0] >= spans[:-1, 1]).all()
        assert all(len(set(track[:, 0] % 2)) == 1 for track in tracks(layout, 1))  # a channel of its own

    def test_a_track_that_only_overlaps_is_many_tracks_of_one(self):
        layout = Layout("steps", (3, 1), where=np.array([[0, 9], [1, 10], [2, 11]]))
        assert [t.tolist() for t in tracks(layout, 1)] == [[[0]], [[1]], [[2]]]

    def test_cells_beyond_the_limit_go_apart_and_other_groups_are_refused(self):
        clip = Layout("frames", (4, 5, 5))
        assert common_group([clip], 16) == 1
        assert common_group([clip], 32) == 25
        assert common_group([clip, Layout("frames", (4, 2, 2))], 32) == 1
        assert len(tracks(clip, 1)) == 25
        with pytest.raises(DataError, match="25 tokens a time step"):
            tracks(clip, 4)

    @pytest.mark.parametrize("overlap", [False, True])
    def test_windows_hold_every_token(self, overlap):
        for length in (1, 3, 4, 5, 11):
            cut = windows(np.arange(2 * length).reshape(length, 2), 8, overlap)
            assert cut.shape[1] == 8
            assert set(cut[cut >= 0]) == set(range(2 * length))

    def test_futures_hold_every_token_once_as_a_future(self):
        cut = futures(np.arange(10).reshape(5, 2), past=3, horizon=2, every=2)
        assert cut.shape == (3, 10)
        assert sorted(c for c in cut[:, 6:].ravel() if c >= 0) == list(range(10))
        assert cut[1].tolist() == [-1, -1, 0, 1, 2, 3, 4, 5, 6, 7]


class TestImputation:
    def test_gratings_are_complementary(self):
        first, second = grating(20, 3, blocks=10)
        assert (first ^ second).all()
        assert first.reshape(20, 3)[:4].tolist() == [[False] * 3] * 2 + [[True] * 3] * 2
        checker = grating(4, 3, blocks=4, checker=True)[0].reshape(4, 3)
        assert (checker[:, 0] ^ checker[:, 1]).all()

    def test_change_is_where_the_series_changes_and_nothing_is_observed_there(self):
        series = np.concatenate([RNG(0).normal(size=20), 8 + RNG(1).normal(size=20)])[:, None]
        assert abs(int(change(series, 4).argmax()) - 20) <= 1
        assert change(np.zeros((30, 1)), 4).max() < 0.2
        chosen = observed_by_change(series, 0.25)
        assert 0.15 < chosen.mean() < 0.4
        around = np.abs(np.arange(40) - 20) <= 3
        assert chosen[around].mean() < chosen[~around].mean()

    @pytest.mark.parametrize("conditional", [True, False])
    def test_the_reverse_process_with_the_exact_denoiser_reads_the_hidden_token_off(self, conditional):
        """Two tokens, each the other's negative, of unit variance: the exact v of that Gaussian is known."""
        clean = torch.tensor([[[1.3], [-1.3]]])
        observed = torch.tensor([[True, False]])

        def velocity(noisy, time):
            a = float(np.cos(np.pi / 2 * time) ** 2)
            if conditional:
                x0 = -noisy[:, :1]
            else:  # posterior mean of x_0 from two noised copies of it
                x0 = -(a**0.5) * (noisy[:, :1] - noisy[:, 1:]) / (2 * a + 1 - a)
            x0 = torch.cat([-x0, x0], dim=1)
            eps = (noisy - a**0.5 * x0) / max(1 - a, 1e-9) ** 0.5
            return a**0.5 * eps - (1 - a) ** 0.5 * x0

        levels = [1 - step / 50 for step in range(50)]
        noises = [torch.randn(2, 1, generator=torch.Generator().manual_seed(s)) for s in range(50)]
        beliefs = impute(velocity, clean, observed, levels, torch.full((2, 1), 0.5), noises, conditional)
        assert float(beliefs[-1][0, 1, 0]) == pytest.approx(-1.3, abs=1e-4 if conditional else 0.25)

    def test_a_hidden_channel_is_recovered_from_the_one_that_determines_it(self):
        rng = RNG(0)

        def item():
            a = rng.normal(size=(8, 1))
            return steps(np.stack([a, 1 - 2 * a], axis=1), groups=2)

        fitted = make_detector(
            "imdiffusion", checker=True, window=16, blocks=8, steps=300, inner=32, depth=1, learning_rate=5e-3
        ).fit([item() for _ in range(200)])
        test = [item() for _ in range(30)]
        data, _, _ = fitted._gather(test)
        observed = data.extra > 0
        wrong = ((fitted.beliefs(data, observed)[-1].detach() - data.values) ** 2)[~observed]
        assert float(wrong.mean()) < 0.05  # of a variance of 1
        values = test[0].values.copy()
        values[5] += 1.5  # within the range of normal, but not what the other channel says
        scores = fitted.token_scores([Tokens(values, test[0].layout)])[0]
        assert set(np.argsort(scores)[-2:]) == {4, 5}
        assert scores.max() > 1.0 > np.median(fitted.decision_scores_)  # votes

    def test_diffad_observes_few_points_and_finds_a_spike(self):
        rng = RNG(1)
        curve = np.sin(np.arange(32) * 0.4 + rng.uniform(0, 6, size=(150, 1)))
        fitted = make_detector(
            "imdiffusion", observed="diffad", window=32, share=0.2, steps=200, inner=16, depth=1, learning_rate=5e-3
        ).fit([steps(row[:, None, None]) for row in curve])
        masks = fitted._gather([steps(curve[0][:, None, None])])[0].extra
        assert 0.1 < float(masks.mean()) < 0.4
        odd = curve[1].copy()
        odd[13] += 4.0
        assert fitted.token_scores([steps(odd[:, None, None])])[0].argmax() == 13

    def test_wrong_settings_are_refused(self):
        items = [steps(np.zeros((4, 1, 1))) for _ in range(3)]
        for wrong in ({"voting": 11}, {"observed": "all"}, {"share": 1.0}, {"vote_rate": 0.0}, {"inner": 6}):
            with pytest.raises(ConfigError, match="allowed"):
                make_detector("imdiffusion", **wrong).fit(items)


class TestForecast:
    def test_the_score_of_a_first_order_process_is_its_innovation(self):
        rng = RNG(0)

        def series(length=40):
            x = np.zeros(length)
            x[0] = rng.normal()
            for t in range(1, length):
                x[t] = 0.9 * x[t - 1] + 0.19**0.5 * rng.normal()
            return x

        fitted = make_detector(
            "forecast", false_alarm_rate=None, past=3, steps=300, batch=64, inner=32, depth=1, learning_rate=5e-3
        ).fit([steps(series()[:, None, None]) for _ in range(150)])
        test = [series() for _ in range(20)]
        innovation = np.concatenate([(x[1:] - 0.9 * x[:-1]) ** 2 for x in test])
        scores = fitted.token_scores([steps(x[:, None, None]) for x in test])
        assert np.corrcoef(innovation, np.concatenate([s[1:] for s in scores]))[0, 1] > 0.9
        # With no past the usual error is the variance of the process, later that of the innovation.
        assert 3.0 < fitted.usual_[0, 0, 0] / fitted.usual_[3, 0, 0] < 7.0

    def test_no_more_past_is_used_than_training_items_have(self):
        rng = RNG(3)

        def wave(length):
            phase = rng.uniform(0, 6.28) + 0.5 * np.arange(length)
            return steps(
                (np.stack([np.sin(phase), np.cos(phase)], axis=1) + 0.1 * rng.normal(size=(length, 2)))[:, None]
            )

        fitted = make_detector("forecast", past=8, steps=200, inner=32, depth=1, learning_rate=5e-3).fit(
            [wave(4) for _ in range(100)]
        )
        assert fitted.width_ == 4
        scores = np.concatenate(fitted.token_scores([wave(40) for _ in range(10)]))
        assert 0.5 < scores.mean() < 2.0  # in units of the usual error of training tokens with as much past

    def test_a_break_of_phase_scores_highest_at_the_break(self):
        rng = RNG(1)

        def wave(broken=None):
            phase = rng.uniform(0, 6.28) + 0.5 * np.arange(30)
            if broken:
                phase[broken:] += np.pi
            return steps(np.stack([np.sin(phase), np.cos(phase)], axis=1)[:, None])

        fitted = make_detector("forecast", past=3, steps=200, inner=32, depth=1, learning_rate=5e-3).fit(
            [wave() for _ in range(60)]
        )
        normal = max(s.max() for s in fitted.token_scores([wave() for _ in range(10)]))
        for broken in (5, 14, 25):
            scores = fitted.token_scores([wave(broken)])[0]
            assert scores.argmax() == broken
            assert scores.max() > 3 * normal

    def test_a_token_is_judged_by_its_past_alone(self):
        items = [steps(RNG(s).normal(size=(12, 1, 2))) for s in range(30)]
        fitted = make_detector("forecast", past=2, steps=30, inner=16, depth=1).fit(items)
        values = items[0].values.copy()
        values[7:] += 9.0
        changed = fitted.token_scores([Tokens(values, items[0].layout)])[0]
        before = fitted.token_scores(items[:1])[0]
        assert np.array_equal(changed[:7], before[:7])
        assert (changed[7:9] != before[7:9]).all()
        with pytest.raises(ConfigError, match="at least 1"):
            make_detector("forecast", past=0).fit(items)


class TestMotionForecast:
    def clip(self, rng, side=None, odd=False):
        """Three joints rest, then all go left or all go right; in an odd clip one of them does neither."""
        side = rng.choice([-1, 1]) if side is None else side
        joints = np.zeros((2, 3, 2))
        joints[:, :, 1] = np.arange(3)
        joints[1, :, 0] = 2.0 * side
        if odd:
            joints[1, 1, 0] = 0.0
        layout = Layout("frames", (2, 3, 1), position=np.tile(np.arange(3), 2))
        return Tokens((joints + 0.1 * rng.normal(size=joints.shape)).reshape(6, 2), layout)

    def test_both_futures_are_generated_and_what_lies_between_them_is_odd(self):
        rng = RNG(0)
        fitted = make_detector(
            "mocodad", past=1, horizon=1, generations=6, steps=300, batch=64, inner=32, depth=1, learning_rate=5e-3
        ).fit([self.clip(rng) for _ in range(150)])
        data, _, _ = fitted._gather([self.clip(rng, side=1)])
        ends = fitted.futures(data)[-1, :, :, 0].detach().numpy()  # standardised: near +-1.4
        assert (np.abs(ends) > 0.7).all()
        assert set(np.sign(ends).sum(axis=1)) == {-3.0, 3.0}
        normal = fitted.decision_function([self.clip(rng) for _ in range(20)])
        odd = fitted.token_scores([self.clip(rng, odd=True)])[0]
        assert odd.max() > 2 * normal.max()
        assert odd.argmax() == 4  # the joint that stays

    def test_the_nearest_future_is_what_counts(self):
        rng = RNG(0)
        clips = [self.clip(rng) for _ in range(40)]
        errors = {}
        for aggregate in ("min", "median", "mean"):
            fitted = make_detector("mocodad", aggregate=aggregate, steps=20, inner=16, depth=1, walk=2).fit(clips)
            data, _, _ = fitted._gather(clips[:8])
            errors[aggregate] = fitted._errors(data).detach().nanmean(dim=(1, 2, 3))
        assert (errors["min"] <= errors["median"] + 1e-6).all()
        assert (errors["min"] <= errors["mean"] + 1e-6).all()
        with pytest.raises(ConfigError, match="aggregate"):
            make_detector("mocodad", aggregate="max").fit(clips)


class TestDrift:
    def test_medians_see_lines_and_not_spikes(self):
        line = torch.arange(16.0)[None, :, None] * 0.5 + 3
        spiked = line.clone()
        spiked[0, 6] += 100
        there = torch.ones(1, 16, dtype=torch.bool)
        torch.testing.assert_close(robust_trend(spiked, there, "line"), line)
        level = robust_trend(spiked, there, "level")
        assert float(level.std()) == 0.0
        assert float(level[0, 0, 0]) == 7.0  # the lower of the two middle ones
        there[0, 10:] = False  # what is not there does not count
        torch.testing.assert_close(robust_trend(spiked, there, "line")[:, :10], line[:, :10])
        assert np.array_equal(rolling_median(spiked[0].numpy(), 3)[6], [6.5])

    def test_drift_does_not_raise_the_score_and_a_spike_does(self):
        rng = RNG(0)

        def series(drift=0.0, spike=None):
            time = np.arange(64)
            x = np.sin(0.4 * time + rng.uniform(0, 6.28)) + 0.1 * rng.normal(size=64) + rng.uniform(-1, 1)
            x += drift * rng.choice([-1, 1]) * time / 64
            if spike is not None:
                x[spike] += 2.5
            return steps(x[:, None, None])

        train = [series(drift=0.5) for _ in range(80)]
        fitted = make_detector("d3r", window=32, steps=250, batch=32, inner=32, depth=1, learning_rate=5e-3).fit(train)
        normal = fitted.decision_function([series() for _ in range(15)])
        drifting = fitted.decision_function([series(drift=6.0) for _ in range(15)])  # four times what training showed
        assert np.median(drifting) < 1.25 * np.median(normal)
        spikes = [series(drift=6.0, spike=20) for _ in range(15)]
        scores = fitted.token_scores(spikes)
        assert np.mean([s.argmax() == 20 for s in scores]) > 0.7
        assert np.median([s.max() for s in scores]) > 1.3 * max(np.median(normal), np.median(drifting))
        # The level that the trend has at test lies outside training: a detector without a trend takes it for a fault.
        plain = make_detector("forecast", past=8, steps=60, batch=32, inner=16, depth=1, learning_rate=5e-3).fit(train)
        assert np.median(plain.decision_function([series(drift=6.0) for _ in range(10)])) > 2 * np.median(
            plain.decision_function([series() for _ in range(10)])
        )

    def test_a_level_that_stays_wrong_is_drift_unless_reach_bounds_it(self, tmp_path):
        rng = RNG(0)

        def series(shift=0.0, drift=0.5):
            x = np.sin(0.4 * np.arange(64) + rng.uniform(0, 6.28)) + 0.1 * rng.normal(size=64)
            x += drift * rng.choice([-1, 1]) * np.linspace(-1, 1, 64)
            x[20:] += shift
            return steps(x[:, None, None])

        fitted = make_detector("d3r", window=16, steps=250, batch=32, inner=32, depth=1, learning_rate=5e-3).fit(
            [series() for _ in range(80)]
        )
        shifted, slow = [series(shift=5.0) for _ in range(10)], [series() for _ in range(10)]

        def later(items):
            """Median score of the steps after the shift's own window, in units of the same steps of normal series."""
            scores, usual = (np.stack(fitted.token_scores(x))[:, 36:] for x in (items, slow))
            return np.median(scores) / np.median(usual)

        assert later(shifted) < 1.5  # as in the paper: the trend takes it
        before = fitted.token_scores(slow)
        fitted.set_params(reach=1.5)
        fitted._fitted_with = fitted.get_params()  # as if it had been fitted so: the network would be the same
        assert later(shifted) > 5.0
        for one, other in zip(before, fitted.token_scores(slow)):  # a drift like that of training is still taken off
            assert np.array_equal(one, other)
        fitted.save(tmp_path)
        assert np.array_equal(load_detector(tmp_path).token_scores(shifted), fitted.token_scores(shifted))

    def test_wrong_settings_are_refused(self):
        items = [steps(np.zeros((4, 1, 1))) for _ in range(3)]
        for wrong in ({"trend": "curve"}, {"level": 0}, {"period": 1}, {"draws": 0}, {"reach": 0.0}):
            with pytest.raises(ConfigError, match="allowed"):
                make_detector("d3r", **wrong).fit(items)


class TestCondition:
    def items(self, count, seed, swapped=False):
        """Two kinds whose tokens lie at -1 and +1; the summary says which, or the wrong one."""
        rng = RNG(seed)
        kinds = rng.choice([-1.0, 1.0], size=count)
        layout = Layout("grid", (2, 2), size=(8, 8))
        return [
            Tokens(
                kind + 0.3 * rng.normal(size=(4, 2)),
                layout,
                summary=np.array([-kind if swapped else kind, 0.0, 5.0]) + 0.1 * rng.normal(size=3),
            )
            for kind in kinds
        ], kinds

    def fitted(self, **params):
        train, _ = self.items(150, seed=0)
        return make_detector(
            "clip-conditioned", axes=2, steps=250, batch=64, inner=32, depth=1, learning_rate=5e-3, **params
        ).fit(train)

    def test_guidance_zero_and_one_are_the_unconditional_and_the_conditional_model(self):
        fitted = self.fitted()
        data, _, _ = fitted._gather(self.items(6, seed=1)[0])
        noise = noise_bank(8, (4, 2), seed=0)[0]  # the lowest of 8 levels is time 0.1
        noisy = add_noise(data.values, noise.expand_as(data.values), float(np.cos(np.pi / 2 * 0.1) ** 2))
        alone, given = (fitted.predicted_noise(data, noisy, 0.1, c).detach() for c in (None, data.extra))
        assert not torch.allclose(alone, given, atol=0.01)
        for weight, guess in ((0.0, alone), (1.0, given), (2.0, 2 * given - alone)):
            errors = fitted.set_params(guidance=weight)._errors(data).detach()
            torch.testing.assert_close(errors[:, :, 0], (noise - guess) ** 2, atol=1e-4, rtol=1e-3)

    def test_tokens_that_contradict_their_summary_stand_out(self):
        test, wrong = self.items(20, seed=2)[0], self.items(20, seed=3, swapped=True)[0]
        fitted = self.fitted(rule="difference", top=1.0)
        scores = fitted.decision_function([*test, *wrong])
        assert scores[20:].min() > scores[:20].max()
        assert scores[:20].mean() < 0 < scores[20:].min()  # the own condition helps, the wrong one harms
        errors = fitted.set_params(rule="error").fit(self.items(150, seed=0)[0]).decision_function([*test, *wrong])
        assert errors[20:].min() > errors[:20].max()

    def test_the_diffusion_classifier_tells_the_kinds_apart(self):
        fitted = self.fitted(rule="difference", given=[1.0, 0.0, 5.0], other=[-1.0, 0.0, 5.0], top=1.0)
        test, kinds = self.items(40, seed=4)
        assert ((fitted.decision_function(test) > 0) == (kinds < 0)).all()

    def test_conditions_of_another_width_are_refused(self):
        train, _ = self.items(30, seed=0)
        with pytest.raises(ConfigError, match="given has shape"):
            make_detector("clip-conditioned", given=[1.0], steps=5).fit(train)
        bare = [Tokens(item.values, item.layout) for item in train]
        with pytest.raises(DataError, match="summary, or none"):
            make_detector("clip-conditioned", steps=5).fit([*train, *bare])
        fitted = make_detector("clip-conditioned", steps=5, inner=16, depth=1).fit(train)
        with pytest.raises(DataError, match="width 2"):
            fitted.decision_function(bare)

    def test_fixed_conditions_survive_saving(self, tmp_path):
        fitted = make_detector(
            "clip-conditioned", rule="difference", other=[1.0, 0.0, 5.0], steps=5, inner=16, depth=1
        ).fit(self.items(30, seed=0)[0])
        fitted.save(tmp_path)
        test = self.items(5, seed=1)[0]
        assert np.array_equal(load_detector(tmp_path).decision_function(test), fitted.decision_function(test))
