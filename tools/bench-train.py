#!/usr/bin/env python3
"""Time of one training step of all weights of alex: lpips-learn train beside PyTorch.

usage: tools/bench-train.py [THREADS]        2 by default; needs torch and `make learn`

Both take 50 trials of 64x64: features of 150 pictures, dropout on the lin layers, the ranking
network, cross-entropy, the way back to all weights, Adam, the projection.  Ours is the time
that two more epochs of 5 steps take a whole run, so two checkpoints are in it; PyTorch's is the
mean of 5 steps after a first one.  They run by turns, three times each, and the best counts.
The time of all processors together is printed beside: it tells more on a busy machine.
"""

import os
import random
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
LEARN = os.path.join(ROOT, "build", "bin", "lpips-learn")
BATCH, STEPS, TURNS = 50, 5, 3

# Convolutions of alex: input and output channels, kernel, stride, padding, a pool before.
LAYERS = [
    (3, 64, 11, 4, 2, False),
    (64, 192, 5, 1, 2, True),
    (192, 384, 3, 1, 1, True),
    (384, 256, 3, 1, 1, False),
    (256, 256, 3, 1, 1, False),
]


def make_trials(folder):
    """Trials of noise: a step's time does not depend on what it sees."""
    import program
    import trials

    chance = random.Random(1)
    for part in ("ref", "p0", "p1", "judge"):
        os.makedirs(os.path.join(folder, part))
    for i in range(BATCH * STEPS):
        for part in ("ref", "p0", "p1"):
            rows = [chance.randbytes(192) for _ in range(64)]
            with open(f"{folder}/{part}/{i:06d}.png", "wb") as f:
                f.write(program.png(rows, 64))
        with open(f"{folder}/judge/{i:06d}.npy", "wb") as f:
            f.write(trials.npy(i % 2))


def children():
    """Seconds on the clock, and of processors in children."""
    used = os.times()
    return time.monotonic(), used.children_user + used.children_system


def difference(after, before):
    return [a - b for a, b in zip(after, before)]


def ours(folder, threads):
    spent = []
    for epochs in (1, 3):
        with tempfile.TemporaryDirectory() as out:
            begun = children()
            subprocess.run(
                [LEARN, "train", folder, "-o", out, "--mode", "scratch", "-q", "-j", str(threads)]
                + ["--epochs", str(epochs), "--decay", "0", "--batch", str(BATCH)],
                check=True,
            )
            spent.append(difference(children(), begun))
    return [s / (2 * STEPS) for s in difference(spent[1], spent[0])]


class Peer:
    """The same in PyTorch."""

    def __init__(self, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch, F = torch, torch.nn.functional
        self.F = F
        nn = torch.nn
        self.convolutions = nn.ModuleList(
            nn.Conv2d(i, o, k, stride=s, padding=p) for i, o, k, s, p, _ in LAYERS
        )
        self.lin = nn.ParameterList(torch.full((1, l[1], 1, 1), 0.1) for l in LAYERS)
        self.ranker = nn.Sequential(
            nn.Linear(5, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)
        )
        every = [p for m in (self.convolutions, self.lin, self.ranker) for p in m.parameters()]
        self.adam = torch.optim.Adam(every, lr=1e-4, betas=(0.5, 0.999))
        self.pictures = torch.rand(3, BATCH, 3, 64, 64) * 4 - 2
        self.judge = torch.randint(0, 2, (BATCH, 1)).float()

    def features(self, x):
        taps = []
        for layer, how in zip(self.convolutions, LAYERS):
            x = self.F.relu(layer(self.F.max_pool2d(x, 3, 2) if how[5] else x))
            taps.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return taps

    def step(self):
        F, torch = self.F, self.torch
        ref, *sides = (self.features(p) for p in self.pictures)
        d0, d1 = (
            sum(
                (F.dropout((a - b).square(), 0.5) * w).sum(1).mean((1, 2))
                for a, b, w in zip(ref, side, self.lin)
            )
            for side in sides
        )
        x = torch.stack((d0, d1, d0 - d1, d0 / (d1 + 0.1), d1 / (d0 + 0.1)), 1)
        loss = F.binary_cross_entropy_with_logits(self.ranker(x), self.judge)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        with torch.no_grad():
            for w in self.lin:
                w.clamp_(min=0)

    def seconds(self):
        self.step()
        begun = time.monotonic(), time.process_time()
        for _ in range(STEPS):
            self.step()
        spent = difference((time.monotonic(), time.process_time()), begun)
        return [s / STEPS for s in spent]


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    peer = Peer(threads)
    with tempfile.TemporaryDirectory() as folder:
        make_trials(folder)
        turns = [(ours(folder, threads), peer.seconds()) for _ in range(TURNS)]
    print(f"a step of alex, all weights, {BATCH} trials of 64x64, {threads} threads")
    for i, what in enumerate(("on the clock", "of processors")):
        mine, theirs = (1000 * min(turn[who][i] for turn in turns) for who in (0, 1))
        print(
            f"{what}: lpips-learn {mine:.0f} ms, PyTorch {peer.torch.__version__} {theirs:.0f} ms, "
            f"{theirs / mine:.2f} times"
        )


if __name__ == "__main__":
    main()
