"""Our analyses written in PyTorch: vectorised, and as loops over neurons (torch_analyses.py).

A problem is 64 inputs x [B, d], three hidden layers of w ReLUs and C logits; a method's values are
[3 w, columns], first hidden layer first, as ours are (docs/methods.md has the formulas).

SPDX-License-Identifier: Apache-2.0
"""

import json

import numpy
import torch

STEPS = 32
LAYERS = 3


def read_tensors(path):
    """Name to tensor of a safetensors file of F32."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    tensors = {}
    for name, about in header.items():
        if name != "__metadata__":
            first, last = (8 + length + offset for offset in about["data_offsets"])
            values = numpy.frombuffer(raw[first:last], dtype="<f4").reshape(about["shape"])
            tensors[name] = torch.from_numpy(values.copy())
    return tensors


class Problem:
    """What both sides are given."""

    def __init__(self, folder):
        def matrix(name):
            return read_tensors(folder / f"{name}.safetensors")[name]

        network = read_tensors(folder / "network.safetensors")
        self.weights = [network[f"{2 * layer}.weight"] for layer in range(LAYERS + 1)]
        self.biases = [network[f"{2 * layer}.bias"] for layer in range(LAYERS + 1)]
        self.turned = [weight.t().contiguous() for weight in self.weights]
        self.x, self.donor = matrix("inputs"), matrix("donor")
        self.labels = matrix("labels")[0].long()
        self.orders = [matrix(f"orders_{layer}").long() for layer in range(LAYERS)]
        self.width = self.weights[0].shape[0]
        self.batch = self.x.shape[0]
        self.readout = self.weights[-1][self.labels]  # dF/dh of the last hidden layer, [B, w]
        modules = []
        for weight, bias in zip(self.weights, self.biases):
            linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
            linear.weight.data, linear.bias.data = weight.clone(), bias.clone()
            modules += [linear, torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*modules[:-1])

    def forward(self, x):
        """z and h of the hidden layers, and the logits."""
        zs, hs = [], []
        for weight, bias in zip(self.turned[:-1], self.biases):
            zs.append(torch.addmm(bias, x, weight))
            x = torch.relu(zs[-1])
            hs.append(x)
        return zs, hs, torch.addmm(self.biases[-1], x, self.turned[-1])

    def backward(self, masks, top):
        """dF/dh of every hidden layer from that of the last one."""
        gradients = [top]
        for layer in range(LAYERS - 1, 0, -1):
            gradients.insert(0, torch.mm(gradients[0] * masks[layer], self.weights[layer]))
        return gradients

    def target(self, logits):
        return logits.gather(-1, self.labels.expand(logits.shape[:-1]).unsqueeze(-1)).squeeze(-1)

    def losses(self, logits):
        return torch.logsumexp(logits, -1) - self.target(logits)


def legendre():
    """Nodes and weights of the rule on [0, 1]."""
    positions, weights = numpy.polynomial.legendre.leggauss(STEPS)
    return tuple(torch.from_numpy(v).float() for v in ((positions + 1.0) / 2.0, weights / 2.0))


# The vectorised ways: p, rows of a block -> values [3 w, columns].


def jacobians(p, masks, start, gains, block):
    """sum_r gains[r, j] start[r, i] dh_j/dx_i, [3 w, d]: J_l = D_l W_l J_(l-1), rows side by side."""
    rows, d = start.shape
    gains = [mask if gain is None else mask * gain for mask, gain in zip(masks, gains)]
    sums = [torch.mm(start.t(), gains[0]).mul_(p.turned[0])]
    sums += [torch.zeros(d, p.width) for _ in range(LAYERS - 1)]
    buffers = torch.empty(2, min(block, rows), d, p.width)
    for first in range(0, rows, block):
        part = slice(first, min(first + block, rows))
        now, after = buffers[:, : part.stop - first]
        torch.mul(start[part, :, None], masks[0][part, None, :], out=now).mul_(p.turned[0])
        for layer in range(1, LAYERS):
            torch.mm(now.view(-1, p.width), p.turned[layer], out=after.view(-1, p.width))
            if layer == LAYERS - 1 or gains[layer] is not masks[layer]:
                torch.mul(after, gains[layer][part, None, :], out=now)
                sums[layer] += now.sum(0)
            if layer < LAYERS - 1:
                after.mul_(masks[layer][part, None, :])
                if gains[layer] is masks[layer]:
                    sums[layer] += after.sum(0)
            now, after = after, now
    return torch.cat([total.t() for total in sums])


def path(p, positions):
    """h of every layer at the nodes of the path from zeros, node by node: [K B, w]."""
    ends = torch.mm(p.x, p.turned[0])
    h = torch.relu(p.biases[0] + positions[:, None, None] * ends).view(-1, p.width)
    hs = [h]
    for layer in range(1, LAYERS):
        hs.append(torch.addmm(p.biases[layer], hs[-1], p.turned[layer]).relu_())
    return hs


def path_jacobians(p, by_target, block):
    positions, weights = legendre()
    masks = [(h > 0).float() for h in path(p, positions)]
    start = (weights[:, None, None] * p.x / p.batch).view(-1, p.x.shape[1])
    gains = p.backward(masks, p.readout.repeat(STEPS, 1)) if by_target else [None] * LAYERS
    return jacobians(p, masks, start, gains, block)


def neuron_gradient(p, block):
    masks = [(h > 0).float() for h in p.forward(p.x)[1]]
    return jacobians(p, masks, torch.full_like(p.x, 1.0 / p.batch), [None] * LAYERS, block)


def layer_conductance(p, block):
    nodes = max(1, block // p.batch)
    sums = [torch.zeros(p.batch, p.width) for _ in range(LAYERS)]
    before = path(p, torch.zeros(1))
    for first in range(0, STEPS, nodes):
        count = min(nodes, STEPS - first)
        ends = path(p, torch.arange(first + 1, first + count + 1) / STEPS)
        hs = [torch.cat([old, new]) for old, new in zip(before, ends)]
        now = [h[: count * p.batch] for h in hs]
        before = [h[count * p.batch :].clone() for h in hs]
        masks = [(h > 0).float() for h in now]
        gradients = p.backward(masks, p.readout.repeat(count, 1))
        for layer in range(LAYERS):
            steps = (hs[layer][p.batch :] - now[layer]).mul_(gradients[layer])
            sums[layer] += steps.view(count, p.batch, p.width).sum(0)
    return torch.cat([total.t() for total in sums])


def attribution_patching(p, _):
    _, hs, _ = p.forward(p.x)
    _, donors, _ = p.forward(p.donor)
    gradients = p.backward([(h > 0).float() for h in hs], p.readout)
    return torch.cat([((d - h) * g).t() for h, d, g in zip(hs, donors, gradients)])


def effects(p, zs, logits, deltas, read, block):
    """read(logits with h_j moved by deltas[:, j]), a rank-one update of the next z for each j."""
    values = []
    following = [*zs[1:], logits]
    count = max(1, block // p.batch)
    buffers = torch.empty(2, count * p.batch, p.width)
    for layer in range(LAYERS):
        moved, by = deltas[layer].t(), p.turned[layer + 1]
        if layer == LAYERS - 1:
            values.append(read(logits + moved[:, :, None] * by[:, None, :]))
            continue
        for first in range(0, p.width, count):
            some = slice(first, min(first + count, p.width))
            now, after = buffers[:, : (some.stop - first) * p.batch]
            torch.addcmul(
                following[layer],
                moved[some, :, None],
                by[some, None, :],
                out=now.view(-1, p.batch, p.width),
            ).relu_()
            for above in range(layer + 2, LAYERS):
                torch.addmm(p.biases[above], now, p.turned[above], out=after).relu_()
                now, after = after, now
            last = torch.addmm(p.biases[-1], now, p.turned[-1])
            values.append(read(last.view(-1, p.batch, last.shape[1])))
    return torch.cat(values)


def zero_ablation(p, block):
    zs, hs, logits = p.forward(p.x)
    base = p.losses(logits).mean()
    deltas = [-h for h in hs]
    return effects(
        p, zs, logits, deltas, lambda moved: p.losses(moved).mean(1, keepdim=True) - base, block
    )


def activation_patching(p, block):
    zs, hs, logits = p.forward(p.x)
    deltas = [donor - h for donor, h in zip(p.forward(p.donor)[1], hs)]
    base = p.target(logits)
    return effects(p, zs, logits, deltas, lambda moved: p.target(moved) - base, block)


def neuron_shapley(p, block):
    """All orders' chains side by side, a unit of each a step; samples in blocks."""
    _, hs, _ = p.forward(p.x)
    values = []
    for layer in range(LAYERS - 1):
        orders = p.orders[layer]
        count = orders.shape[0]
        # Mean over the batch of F less its bias, in every order before every step and after all.
        means = torch.zeros(count, p.width + 1)
        samples = max(1, min(p.batch, block // count))
        buffers = torch.empty(3, count * samples, p.width)
        for first in range(0, p.batch, samples):
            part = slice(first, min(first + samples, p.batch))
            z, now, after = buffers[:, : count * (part.stop - first)]
            z.copy_(p.biases[layer + 1].expand_as(z))
            chains = z.view(count, -1, p.width)
            h = hs[layer][part].t().contiguous()
            readout = p.readout[part].reshape(-1) / p.batch
            for step in range(p.width + 1):
                if step > 0:
                    units = orders[:, step - 1]
                    chains.addcmul_(h[units][:, :, None], p.turned[layer + 1][units][:, None, :])
                torch.clamp(z, min=0.0, out=now)
                if layer == 0:
                    torch.addmm(p.biases[2], now, p.turned[2], out=after).relu_()
                last = after if layer == 0 else now
                means[:, step] += torch.mv(last.view(count, -1), readout)
        values.append(mean_marginals(orders, means[:, 1:] - means[:, :-1]))
    # The last layer's marginals are the same in every order.
    values.append((hs[-1] * p.readout).mean(0))
    return torch.cat(values)[:, None]


def mean_marginals(orders, marginals):
    return torch.empty_like(marginals).scatter_(1, orders, marginals).mean(0)


def rows_of_a_block(p, name):
    """The block sizes to choose from; the first stands where there is no time to choose."""
    if name == "attribution_patching":
        return [p.batch]
    if "gradient" in name or name == "neuron_conductance":
        per_row = p.x.shape[1]
        return [max(1, rows // per_row) for rows in (1024, 256, 4096, 16384)]
    return [1024, 512, 4096] if name != "neuron_shapley" else [800, 200, 3200]


VEC = {
    "attribution_patching": attribution_patching,
    "neuron_gradient": neuron_gradient,
    "layer_conductance": layer_conductance,
    "zero_ablation": zero_ablation,
    "activation_patching": activation_patching,
    "neuron_integrated_gradients": lambda p, block: path_jacobians(p, False, block),
    "neuron_conductance": lambda p, block: path_jacobians(p, True, block),
    "neuron_shapley": neuron_shapley,
}


# The loops: for a piece (layer, unit; for Shapley values layer, order), a row of the values.


def hooked(p, layer, hook, x):
    handle = p.model[2 * layer + 1].register_forward_hook(hook)
    try:
        return p.model(x)
    finally:
        handle.remove()


def layer_and_logits(p, layer, x):
    saved = []
    logits = hooked(p, layer, lambda module, inputs, output: saved.append(output), x)
    return saved[0], logits


def gradient(scalars, of, stock, keep=False):
    outputs = torch.unbind(scalars) if stock else scalars.sum()
    return torch.autograd.grad(outputs, of, retain_graph=keep)[0]


def targets_of(p, logits):
    labels = p.labels.repeat(logits.shape[0] // p.batch)
    return logits.gather(1, labels[:, None]).squeeze(1)


def loop_gradient(p, _, layer, unit, stock):
    x = p.x.clone().requires_grad_()
    h, _ = layer_and_logits(p, layer, x)
    return gradient(h[:, unit], x, stock).mean(0)


def path_inputs(p, positions):
    return (positions[:, None, None] * p.x).view(-1, p.x.shape[1]).requires_grad_()


def along_path(p, gradients, weights):
    return (weights[:, None, None] * gradients.view(-1, *p.x.shape)).sum(0).mul(p.x).mean(0)


def loop_integrated_gradients(p, _, layer, unit, stock):
    positions, weights = legendre()
    x = path_inputs(p, positions)
    h, _ = layer_and_logits(p, layer, x)
    return along_path(p, gradient(h[:, unit], x, stock), weights)


def loop_conductance(p, _, layer, unit, stock):
    positions, weights = legendre()
    x = path_inputs(p, positions)
    h, logits = layer_and_logits(p, layer, x)
    above = gradient(targets_of(p, logits), h, stock, keep=True)
    return along_path(p, gradient(h[:, unit], x, stock) * above[:, unit, None], weights)


def loop_layer_conductance(p, _, layer, __, stock):
    x = path_inputs(p, torch.arange(STEPS + 1) / STEPS)
    h, logits = layer_and_logits(p, layer, x)
    above = gradient(targets_of(p, logits), h, stock).view(-1, p.batch, p.width)
    h = h.detach().view(-1, p.batch, p.width)
    return ((h[1:] - h[:-1]) * above[:-1]).sum(0).t()


def loop_ablation(p, base, layer, unit, _):
    def silence(module, inputs, output):
        output = output.clone()
        output[:, unit] = 0.0
        return output

    with torch.no_grad():
        losses = torch.nn.functional.cross_entropy(hooked(p, layer, silence, p.x), p.labels)
        return (losses - base)[None]


def clean_and_donor(p):
    with torch.no_grad():
        donors = [layer_and_logits(p, layer, p.donor)[0] for layer in range(LAYERS)]
        return targets_of(p, p.model(p.x)), donors


def loop_patching(p, clean, layer, unit, _):
    base, donors = clean

    def patch(module, inputs, output):
        output = output.clone()
        output[:, unit] = donors[layer][:, unit]
        return output

    with torch.no_grad():
        return targets_of(p, hooked(p, layer, patch, p.x)) - base


def loop_shapley(p, _, layer, order, __):
    present = torch.zeros(p.width)
    means = []
    with torch.no_grad():
        for unit in [None, *p.orders[layer][order].tolist()]:
            if unit is not None:
                present[unit] = 1.0
            logits = hooked(p, layer, lambda module, inputs, output: output * present, p.x)
            means.append(targets_of(p, logits).mean())
    return torch.stack(means).diff()


def clean_loss(p):
    with torch.no_grad():
        return torch.nn.functional.cross_entropy(p.model(p.x), p.labels)


# Method to what is done once, and once a piece.
LOOPS = {
    "neuron_gradient": (None, loop_gradient),
    "layer_conductance": (None, loop_layer_conductance),
    "zero_ablation": (clean_loss, loop_ablation),
    "activation_patching": (clean_and_donor, loop_patching),
    "neuron_integrated_gradients": (None, loop_integrated_gradients),
    "neuron_conductance": (None, loop_conductance),
    "neuron_shapley": (None, loop_shapley),
}
PATCHED = (
    "neuron_gradient",
    "layer_conductance",
    "neuron_integrated_gradients",
    "neuron_conductance",
)
