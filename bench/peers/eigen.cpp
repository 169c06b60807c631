// Eigen, compiled for this very processor with its own threads, and the training step that one
// would write with its expressions in an afternoon.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <Eigen/Core>
#include <vector>

#include "bench/peers/peer.hpp"

namespace interpscale::bench::peers {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::Matrix<float, 1, Eigen::Dynamic>;
using Map = Eigen::Map<RowMajor, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstMap = Eigen::Map<const RowMajor, Eigen::Unaligned, Eigen::OuterStride<>>;

Eigen::Index index(std::size_t extent) {
  return static_cast<Eigen::Index>(extent);
}

ConstMap map(MatrixView<const float> x) {
  return {x.data(), index(x.rows()), index(x.cols()),
          Eigen::OuterStride<>(index(x.leading_dimension()))};
}

void multiply(const Operands& p) {
  Map c(p.c.data(), index(p.c.rows()), index(p.c.cols()),
        Eigen::OuterStride<>(index(p.c.leading_dimension())));
  switch (p.which) {
    case kernels::GemmCase::kNT:
      c.noalias() = map(p.a) * map(p.b).transpose();
      return;
    case kernels::GemmCase::kNN:
      c.noalias() = map(p.a) * map(p.b);
      return;
    case kernels::GemmCase::kTN:
      c.noalias() = map(p.a).transpose() * map(p.b);
      return;
  }
}

struct Layer {
  RowMajor weights;  // [out, in]
  Row bias;
  RowMajor output;
  RowMajor delta;
  RowMajor weight_gradient;
  Row bias_gradient;
};

class EigenTrainer : public Trainer {
 public:
  explicit EigenTrainer(const TrainingProblem& problem)
      : topology_(problem.network.topology),
        inputs_(map(problem.inputs)),
        labels_(problem.labels.begin(), problem.labels.end()),
        rate_(problem.rate) {
    for (const nn::DenseLayer<float>& dense : problem.network.layers) {
      Layer layer;
      layer.weights = map(dense.weights);
      layer.bias = Eigen::Map<const Row>(dense.bias.data(), index(dense.bias.size()));
      layers_.push_back(std::move(layer));
    }
  }

  void step() override {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      layer.output.noalias() = below(l) * layer.weights.transpose();
      layer.output.rowwise() += layer.bias;
      if (l + 1 < layers_.size()) {
        layer.output = layer.output.cwiseMax(0.0F);
      }
    }
    output_gradient();
    for (std::size_t l = layers_.size(); l-- > 0;) {
      Layer& layer = layers_[l];
      layer.weight_gradient.noalias() = layer.delta.transpose() * below(l);
      layer.bias_gradient = layer.delta.colwise().sum();
      if (l > 0) {
        Layer& next = layers_[l - 1];
        next.delta.noalias() = layer.delta * layer.weights;
        next.delta = (next.output.array() > 0.0F).select(next.delta, 0.0F);
      }
    }
    for (Layer& layer : layers_) {
      layer.weights -= rate_ * layer.weight_gradient;
      layer.bias -= rate_ * layer.bias_gradient;
    }
  }

  [[nodiscard]] nn::Mlp<float> network() const override {
    nn::Mlp<float> network{topology_, nn::zero_layers<float>(topology_)};
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Matrix<float>& weights = network.layers[l].weights;
      Map(weights.padded().data(), index(weights.rows()), index(weights.cols()),
          Eigen::OuterStride<>(index(weights.leading_dimension()))) = layers_[l].weights;
      Eigen::Map<Row>(network.layers[l].bias.data(), layers_[l].bias.size()) = layers_[l].bias;
    }
    return network;
  }

 private:
  [[nodiscard]] const RowMajor& below(std::size_t l) const {
    return l == 0 ? inputs_ : layers_[l - 1].output;
  }

  void output_gradient() {
    const RowMajor& logits = layers_.back().output;
    RowMajor& delta = layers_.back().delta;
    delta = (logits.colwise() - logits.rowwise().maxCoeff()).array().exp();
    const float scale = 1.0F / static_cast<float>(delta.rows());
    const Eigen::VectorXf factors = scale * delta.rowwise().sum().cwiseInverse();
    delta.array().colwise() *= factors.array();
    for (std::size_t b = 0; b < labels_.size(); ++b) {
      delta(index(b), index(labels_[b])) -= scale;
    }
  }

  nn::Topology topology_;
  RowMajor inputs_;
  std::vector<std::uint32_t> labels_;
  float rate_;
  std::vector<Layer> layers_;
};

}  // namespace

Peer make_peer(int threads) {
  Eigen::setNbThreads(threads);
  return {.name = "eigen",
          .version = fmt::format("{}.{}.{}, {}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION,
                                 EIGEN_MINOR_VERSION, Eigen::SimdInstructionSetsInUse()),
          .setup = "compiled with " INTERPSCALE_PEER_FLAGS,
          .prepare_product = [](const Operands& operands) -> Work {
            return [operands] { multiply(operands); };
          },
          .optimizers = {nn::OptimizerKind::kSgd},
          .make_trainer = [](const TrainingProblem& problem) -> std::unique_ptr<Trainer> {
            return std::make_unique<EigenTrainer>(problem);
          }};
}

}  // namespace interpscale::bench::peers
