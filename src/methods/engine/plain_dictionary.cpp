// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/plain_dictionary.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "interpscale/core/random.hpp"
#include "methods/engine/dictionary.hpp"
#include "methods/engine/plain.hpp"

namespace interpscale::methods::engine {
namespace {

using Rows = std::vector<std::vector<double>>;

double product(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    sum += a[j] * b[j];
  }
  return sum;
}

/// Random atoms of unit length, [m, w].
void fill_atoms(std::uint64_t seed, std::size_t layer, MatrixView<double> atoms) {
  const RandomStream random(seed, atoms_stream(layer));
  for (std::size_t i = 0; i < atoms.rows(); ++i) {
    const std::span<double> atom = atoms.row(i);
    for (std::size_t j = 0; j < atom.size(); ++j) {
      atom[j] = random.normal(i * atom.size() + j);
    }
    const double length = std::sqrt(product(atom, atom));
    for (double& value : atom) {
      value /= length;
    }
  }
}

/// Keeps the k largest codes (of equal ones, those of the earlier latents), zeroes the others;
/// chosen[i] := 1 or 0.
void keep_largest(std::size_t k, std::span<double> codes, std::span<double> chosen) {
  std::vector<std::size_t> order(codes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [codes](std::size_t a, std::size_t b) { return codes[a] > codes[b]; });
  for (std::size_t r = 0; r < order.size(); ++r) {
    chosen[order[r]] = r < k ? 1.0 : 0.0;
    codes[order[r]] = r < k ? codes[order[r]] : 0.0;
  }
}

/// One sample's way through a dictionary.
struct Coding {
  std::vector<double> codes;     ///< z [m], zero where not chosen
  std::vector<double> chosen;    ///< [m], one or zero
  std::vector<double> residual;  ///< xhat - x, [w]
};

class PlainDictionary {
 public:
  PlainDictionary(const MethodOptions& options, std::size_t layer, std::size_t width)
      : rate_(options.dictionary_rate),
        active_(active_of(options, width)),
        atoms_(latents_of(options, width), width),
        encoder_(atoms_.rows(), width),
        latent_bias_(atoms_.rows(), 0.0),
        unit_bias_(width, 0.0) {
    fill_atoms(options.seed, layer, atoms_.view());
    encoder_ = atoms_;
  }

  [[nodiscard]] std::size_t latents() const { return atoms_.rows(); }
  [[nodiscard]] std::size_t width() const { return atoms_.cols(); }

  [[nodiscard]] Coding code(std::span<const double> x) const {
    Coding coding{std::vector<double>(latents()), std::vector<double>(latents()), unit_bias_};
    for (std::size_t i = 0; i < latents(); ++i) {
      coding.codes[i] = product(encoder_.row(i), x) + latent_bias_[i];
    }
    keep_largest(active_, coding.codes, coding.chosen);
    for (std::size_t j = 0; j < width(); ++j) {
      coding.residual[j] -= x[j];
      for (std::size_t i = 0; i < latents(); ++i) {
        coding.residual[j] += coding.codes[i] * atoms_(i, j);
      }
    }
    return coding;
  }

  /// One step on the mean loss of a block.
  void step(const Rows& block) {
    Matrix<double> encoder_slope(latents(), width());
    Matrix<double> atom_slope(latents(), width());
    std::vector<double> latent_slope(latents(), 0.0);
    std::vector<double> unit_slope(width(), 0.0);
    for (const std::vector<double>& x : block) {
      const Coding coding = code(x);
      for (std::size_t i = 0; i < latents(); ++i) {
        const double slope =
            coding.chosen[i] > 0.0 ? 2.0 * product(coding.residual, atoms_.row(i)) : 0.0;
        latent_slope[i] += slope;
        for (std::size_t j = 0; j < width(); ++j) {
          encoder_slope(i, j) += slope * x[j];
          atom_slope(i, j) += 2.0 * coding.codes[i] * coding.residual[j];
        }
      }
      for (std::size_t j = 0; j < width(); ++j) {
        unit_slope[j] += 2.0 * coding.residual[j];
      }
    }
    const double factor = rate_ / static_cast<double>(block.size());
    for (std::size_t i = 0; i < latents(); ++i) {
      latent_bias_[i] -= factor * latent_slope[i];
      for (std::size_t j = 0; j < width(); ++j) {
        encoder_(i, j) -= factor * encoder_slope(i, j);
        atoms_(i, j) -= factor * atom_slope(i, j);
      }
    }
    for (std::size_t j = 0; j < width(); ++j) {
      unit_bias_[j] -= factor * unit_slope[j];
    }
  }

  /// Density, explained variance and the layer's, of all samples; out [m, 3].
  void measure(const Rows& samples, MatrixView<double> out) const {
    double squares = 0.0;
    double residuals = 0.0;
    std::vector<double> sums(width(), 0.0);
    std::vector<double> grows(latents(), 0.0);
    std::vector<double> counts(latents(), 0.0);
    for (const std::vector<double>& x : samples) {
      const Coding coding = code(x);
      squares += product(x, x);
      residuals += product(coding.residual, coding.residual);
      for (std::size_t j = 0; j < width(); ++j) {
        sums[j] += x[j];
      }
      for (std::size_t i = 0; i < latents(); ++i) {
        // norm(residual - z d)^2 - norm(residual)^2.
        const double z = coding.codes[i];
        grows[i] += z * z * product(atoms_.row(i), atoms_.row(i)) -
                    2.0 * z * product(coding.residual, atoms_.row(i));
        counts[i] += coding.chosen[i];
      }
    }
    const double variance = variance_to_explain(squares, product(sums, sums), samples.size());
    for (std::size_t i = 0; i < latents(); ++i) {
      out(i, 0) = counts[i] / static_cast<double>(samples.size());
      out(i, 1) = share_of(grows[i], variance);
      out(i, 2) = share_of(variance - residuals, variance);
    }
  }

 private:
  double rate_;
  std::size_t active_;
  Matrix<double> atoms_;
  Matrix<double> encoder_;
  std::vector<double> latent_bias_;
  std::vector<double> unit_bias_;
};

Rows scaled_activations(const Probe<double>& probe, std::size_t layer) {
  const MatrixView<const double> inputs = probe.streamed_inputs();
  Rows rows;
  for (std::size_t s = 0; s < inputs.rows(); ++s) {
    rows.push_back(plain_forward(probe.network, inputs.row(s)).h[layer]);
  }
  const std::size_t first_block = std::min(probe.inputs.rows(), rows.size());
  double squares = 0.0;
  for (std::size_t s = 0; s < first_block; ++s) {
    squares += product(rows[s], rows[s]);
  }
  const double inverse = inverse_scale(squares, first_block);
  for (std::vector<double>& row : rows) {
    for (double& value : row) {
      value *= inverse;
    }
  }
  return rows;
}

}  // namespace

void plain_dictionaries(const Probe<double>& probe, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const Rows samples = scaled_activations(probe, layer);
    PlainDictionary dictionary(probe.options, layer, topology.hidden[layer]);
    const std::size_t block = probe.inputs.rows();
    const std::size_t blocks = (samples.size() + block - 1) / block;
    for (int step = 0; step < probe.options.dictionary_steps; ++step) {
      const std::size_t first = static_cast<std::size_t>(step) % blocks * block;
      const std::size_t end = std::min(first + block, samples.size());
      dictionary.step({samples.begin() + static_cast<std::ptrdiff_t>(first),
                       samples.begin() + static_cast<std::ptrdiff_t>(end)});
    }
    dictionary.measure(samples, out.rows_from(row, dictionary.latents()));
    row += dictionary.latents();
  }
}

}  // namespace interpscale::methods::engine
