// SPDX-License-Identifier: Apache-2.0
#include "modules/normalised_laplacian.hpp"

#include <Spectra/SymEigsSolver.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace interpscale::modules {
namespace {

using Index = Eigen::Index;

/// Up to this many units the dense solver takes a few milliseconds.
constexpr std::size_t kLargestDense = 200;
/// Of an eigenvalue's residual: far below what moves a cluster, far above rounding.
constexpr double kTolerance = 1e-6;
constexpr Index kMostRestarts = 2000;
/// Lanczos vectors for k eigenvalues: at the edge of a random bulk more of them save restarts.
constexpr std::size_t kLanczosPerEigenvalue = 4;
constexpr std::size_t kLeastLanczos = 48;

/// D^(-1/2) A D^(-1/2) of the connected units, with the eigenvectors of eigenvalue 1, one for each
/// connected component, moved to -1: then Lanczos need not find the members of one eigenspace.
class DeflatedAdjacency {
 public:
  using Scalar = double;

  DeflatedAdjacency(const WeightGraph& graph, const std::vector<std::size_t>& connected,
                    int threads)
      : graph_(graph),
        connected_(connected),
        threads_(threads),
        root_degree_(connected.size()),
        component_(connected.size()),
        x_(graph.units(), 0.0),
        product_(graph.units(), 0.0) {
    const std::vector<std::size_t> numbers = graph.components();
    std::vector<std::size_t> ranks(graph.units(), graph.units());
    std::vector<double> volumes;
    for (std::size_t i = 0; i < connected.size(); ++i) {
      const double degree = graph.degrees()[connected[i]];
      root_degree_[i] = std::sqrt(degree);
      std::size_t& rank = ranks[numbers[connected[i]]];
      if (rank == graph.units()) {
        rank = volumes.size();
        volumes.push_back(0);
      }
      component_[i] = rank;
      volumes[rank] += degree;
    }
    volumes_ = std::move(volumes);
  }

  [[nodiscard]] Index rows() const { return static_cast<Index>(connected_.size()); }
  [[nodiscard]] Index cols() const { return rows(); }
  [[nodiscard]] std::size_t components() const { return volumes_.size(); }
  [[nodiscard]] const std::vector<double>& volumes() const { return volumes_; }
  [[nodiscard]] double root_degree(std::size_t i) const { return root_degree_[i]; }
  /// Element i of the unit eigenvector of a component.
  [[nodiscard]] double component_vector(std::size_t component, std::size_t i) const {
    return component_[i] == component ? root_degree_[i] / std::sqrt(volumes_[component]) : 0.0;
  }

  void perform_op(const double* in, double* out) const {
    std::vector<double> inside(components(), 0.0);
    for (std::size_t i = 0; i < connected_.size(); ++i) {
      x_[connected_[i]] = in[i] / root_degree_[i];
      inside[component_[i]] += in[i] * root_degree_[i];
    }
    graph_.multiply(x_, product_, threads_);
    for (std::size_t i = 0; i < connected_.size(); ++i) {
      const std::size_t c = component_[i];
      out[i] =
          product_[connected_[i]] / root_degree_[i] - 2 * inside[c] * root_degree_[i] / volumes_[c];
    }
  }

 private:
  const WeightGraph& graph_;
  const std::vector<std::size_t>& connected_;
  int threads_;
  std::vector<double> root_degree_;
  std::vector<std::size_t> component_;
  std::vector<double> volumes_;
  mutable std::vector<double> x_;
  mutable std::vector<double> product_;
};

struct Eigenpairs {
  Eigen::VectorXd values;  ///< of the adjacency, descending
  Eigen::MatrixXd vectors;
};

Eigenpairs dense_pairs(const DeflatedAdjacency& adjacency, Index count) {
  const Index n = adjacency.rows();
  Eigen::MatrixXd matrix(n, n);
  for (Index j = 0; j < n; ++j) {
    const Eigen::VectorXd unit = Eigen::VectorXd::Unit(n, j);
    adjacency.perform_op(unit.data(), matrix.col(j).data());
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
  return {solver.eigenvalues().tail(count).reverse(),
          solver.eigenvectors().rightCols(count).rowwise().reverse()};
}

Result<Eigenpairs> lanczos_pairs(const DeflatedAdjacency& adjacency, Index count) {
  const std::size_t wanted =
      std::max(kLeastLanczos, kLanczosPerEigenvalue * static_cast<std::size_t>(count));
  const Index vectors = std::min(static_cast<Index>(wanted), adjacency.rows());
  DeflatedAdjacency operation = adjacency;
  Spectra::SymEigsSolver<DeflatedAdjacency> solver(operation, count, vectors);
  solver.init();
  const Index found = solver.compute(Spectra::SortRule::LargestAlge, kMostRestarts, kTolerance);
  if (solver.info() != Spectra::CompInfo::Successful || found < count) {
    return fail("spectral clustering: {} of {} eigenvectors converged in {} restarts", found, count,
                kMostRestarts);
  }
  return Eigenpairs{solver.eigenvalues(), solver.eigenvectors(count)};
}

/// Components by falling volume (ties: the first).
std::vector<std::size_t> largest_components(const DeflatedAdjacency& adjacency) {
  std::vector<std::size_t> order(adjacency.components());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return adjacency.volumes()[a] > adjacency.volumes()[b];
  });
  return order;
}

}  // namespace

Result<LaplacianSpectrum> smallest_eigenvectors(const WeightGraph& graph,
                                                const std::vector<std::size_t>& connected,
                                                std::size_t k, int threads) {
  const DeflatedAdjacency adjacency(graph, connected, threads);
  LaplacianSpectrum spectrum;
  spectrum.embedding = Matrix<double>(connected.size(), k);
  const std::vector<std::size_t> components = largest_components(adjacency);
  const std::size_t exact = std::min(k, components.size());
  for (std::size_t column = 0; column < exact; ++column) {
    spectrum.eigenvalues.push_back(0);
    for (std::size_t i = 0; i < connected.size(); ++i) {
      spectrum.embedding(i, column) =
          adjacency.component_vector(components[column], i) / adjacency.root_degree(i);
    }
  }
  const auto others = static_cast<Index>(k - exact);
  if (others == 0) {
    return spectrum;
  }
  const Result<Eigenpairs> pairs = connected.size() <= kLargestDense
                                       ? Result<Eigenpairs>(dense_pairs(adjacency, others))
                                       : lanczos_pairs(adjacency, others);
  if (!pairs) {
    return tl::unexpected(pairs.error());
  }
  for (Index e = 0; e < others; ++e) {
    spectrum.eigenvalues.push_back(1 - pairs->values[e]);
    for (std::size_t i = 0; i < connected.size(); ++i) {
      spectrum.embedding(i, exact + static_cast<std::size_t>(e)) =
          pairs->vectors(static_cast<Index>(i), e) / adjacency.root_degree(i);
    }
  }
  return spectrum;
}

}  // namespace interpscale::modules
