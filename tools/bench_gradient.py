"""How fast is PyTorch's autograd? Times distance and gradient of one pair by it, plain and
channels-last, and by COMMAND, by turns, so that all see the same weather.

usage: bench_gradient.py REFERENCE_FOLDER NET WIDTH HEIGHT THREADS COMMAND...

REFERENCE_FOLDER holds reference.py, an LPIPS in PyTorch. COMMAND prints the time in ms as the
last number of its last line.
"""
import statistics
import subprocess
import sys
import time

import torch

ROUNDS = 3


def autograd(model, layout):
    a, b = ((torch.rand(1, 3, height, width) * 2 - 1).to(memory_format=layout)
            for _ in range(2))
    a.requires_grad_(True)

    def step():
        start = time.perf_counter()
        a.grad = None
        model(a, b)[0].backward()
        return 1e3 * (time.perf_counter() - start)

    step()
    return statistics.median(step() for _ in range(5))


def ours():
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True,
                                text=True).stdout.split()[-1])


folder, net, width, height, threads, *command = sys.argv[1:]
width, height = int(width), int(height)
sys.path.insert(0, folder)
import reference  # noqa: E402

torch.set_num_threads(int(threads))
model = reference.LPIPS(net)
last = reference.LPIPS(net)
for name, tensor in last.w.items():
    if tensor.dim() == 4:
        last.w[name] = tensor.contiguous(memory_format=torch.channels_last)
times = {'liblpips': [], 'torch': [], 'torch channels-last': []}
for _ in range(ROUNDS):
    times['liblpips'].append(ours())
    times['torch'].append(autograd(model, torch.contiguous_format))
    times['torch channels-last'].append(autograd(last, torch.channels_last))
best = statistics.median(times['liblpips'])
for name, t in times.items():
    print('%-20s %9.2f ms  %5.2f times liblpips' % (name, statistics.median(t),
                                                    statistics.median(t) / best))
