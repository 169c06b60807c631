// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/plain_ridge.hpp"

#include <cmath>

namespace interpscale::methods::engine {

double ridge_penalty(double ridge, double sum_of_squares, std::size_t width) {
  return sum_of_squares > 0.0 ? ridge * sum_of_squares / static_cast<double>(width) : 1.0;
}

std::vector<PlainTrace> plain_traces(const Probe<double>& probe) {
  const MatrixView<const double> inputs = probe.streamed_inputs();
  std::vector<PlainTrace> traces;
  for (std::size_t s = 0; s < inputs.rows(); ++s) {
    traces.push_back(plain_forward(probe.network, inputs.row(s)));
  }
  return traces;
}

NormalEquations plain_normal_equations(const Probe<double>& probe,
                                       const std::vector<PlainTrace>& traces, std::size_t layer) {
  const std::size_t width = probe.network.topology.hidden[layer];
  const std::size_t classes = probe.network.topology.outputs;
  const auto labels = probe.streamed_labels();
  const auto samples = static_cast<double>(traces.size());
  std::vector<double> mean(width, 0.0);
  std::vector<double> share(classes, 0.0);
  double squares = 0.0;
  for (std::size_t s = 0; s < traces.size(); ++s) {
    share[labels[s]] += 1.0 / samples;
    for (std::size_t j = 0; j < width; ++j) {
      mean[j] += traces[s].h[layer][j] / samples;
      squares += traces[s].h[layer][j] * traces[s].h[layer][j];
    }
  }
  NormalEquations equations{Matrix<double>(width, width), Matrix<double>(width, classes)};
  for (std::size_t s = 0; s < traces.size(); ++s) {
    for (std::size_t i = 0; i < width; ++i) {
      const double centred = traces[s].h[layer][i] - mean[i];
      for (std::size_t j = 0; j < width; ++j) {
        equations.gram(i, j) += centred * (traces[s].h[layer][j] - mean[j]);
      }
      for (std::size_t c = 0; c < classes; ++c) {
        equations.rhs(i, c) += centred * ((c == labels[s] ? 1.0 : 0.0) - share[c]);
      }
    }
  }
  for (std::size_t i = 0; i < width; ++i) {
    equations.gram(i, i) += ridge_penalty(probe.options.ridge, squares, width);
  }
  return equations;
}

void plain_solve(Matrix<double>& a, MatrixView<double> x) {
  const std::size_t n = a.rows();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) {
        a(i, j) -= a(i, k) * a(j, k);
      }
      a(i, j) = i == j ? std::sqrt(a(j, j)) : a(i, j) / a(j, j);
    }
  }
  for (std::size_t c = 0; c < x.cols(); ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        x(i, c) -= a(i, k) * x(k, c);
      }
      x(i, c) /= a(i, i);
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t k = i + 1; k < n; ++k) {
        x(i, c) -= a(k, i) * x(k, c);
      }
      x(i, c) /= a(i, i);
    }
  }
}

}  // namespace interpscale::methods::engine
