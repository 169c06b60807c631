// The network, batch and values of tests/data/mlp_reference.json (see the README beside it).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::testing {

/// A rectangular nested list as a matrix.
[[nodiscard]] inline Matrix<double> json_matrix(const nlohmann::json& rows) {
  Matrix<double> matrix(rows.size(), rows.at(0).size());
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    for (std::size_t j = 0; j < matrix.cols(); ++j) {
      matrix(i, j) = rows.at(i).at(j).get<double>();
    }
  }
  return matrix;
}

[[nodiscard]] inline std::vector<double> json_vector(const nlohmann::json& values) {
  return values.get<std::vector<double>>();
}

/// Parameters from nested lists [l][out][in] and [l][out].
[[nodiscard]] inline std::vector<nn::DenseLayer<double>> json_layers(const nlohmann::json& weights,
                                                                     const nlohmann::json& biases) {
  std::vector<nn::DenseLayer<double>> layers;
  for (std::size_t l = 0; l < weights.size(); ++l) {
    const std::vector<double> bias = json_vector(biases.at(l));
    layers.push_back({json_matrix(weights.at(l)), {bias.begin(), bias.end()}});
  }
  return layers;
}

/// One of the recorded trainings.
struct ReferenceTraining {
  std::vector<double> losses;                  ///< before each step
  std::vector<nn::DenseLayer<double>> layers;  ///< after the last
};

/// Reads the file once; then everything by name. A missing name or file is an exception, which
/// fails the test.
class ReferenceValues {
 public:
  ReferenceValues() {
    const std::string path = std::string(INTERPSCALE_TEST_DATA) + "/mlp_reference.json";
    std::ifstream stream(path);
    if (!stream) {
      throw std::runtime_error("cannot read " + path);
    }
    values_ = nlohmann::json::parse(stream);
  }

  [[nodiscard]] const nlohmann::json& field(const std::string& name) const {
    return values_.at(name);
  }
  [[nodiscard]] double number(const std::string& name) const { return field(name).get<double>(); }
  [[nodiscard]] std::vector<double> vector(const std::string& name) const {
    return json_vector(field(name));
  }
  /// A field [rows][cols].
  [[nodiscard]] Matrix<double> matrix(const std::string& name) const {
    return json_matrix(field(name));
  }
  /// A field [l][rows][cols], at one l.
  [[nodiscard]] Matrix<double> matrix(const std::string& name, std::size_t layer) const {
    return json_matrix(field(name).at(layer));
  }
  /// A field [l][outer][rows][cols], at one l and outer index.
  [[nodiscard]] Matrix<double> matrix(const std::string& name, std::size_t layer,
                                      std::size_t outer) const {
    return json_matrix(field(name).at(layer).at(outer));
  }

  [[nodiscard]] nn::Topology topology() const {
    return {field("d").get<std::size_t>(), field("widths").get<std::vector<std::size_t>>(),
            field("classes").get<std::size_t>(), kernels::Activation::kRelu};
  }
  [[nodiscard]] nn::Mlp<double> network() const {
    return {topology(), json_layers(field("weights"), field("biases"))};
  }
  [[nodiscard]] Matrix<double> inputs() const { return matrix("inputs"); }
  [[nodiscard]] std::vector<std::uint32_t> labels() const {
    return field("labels").get<std::vector<std::uint32_t>>();
  }
  /// Gradients of the mean loss.
  [[nodiscard]] std::vector<nn::DenseLayer<double>> gradients() const {
    return json_layers(field("grad_weights"), field("grad_biases"));
  }
  [[nodiscard]] ReferenceTraining training(const std::string& name) const {
    const nlohmann::json& record = field(name);
    return {json_vector(record.at("losses_before_each_of_10_steps")),
            json_layers(record.at("weights_after_10"), record.at("biases_after_10"))};
  }

 private:
  nlohmann::json values_;
};

}  // namespace interpscale::testing
