// SPDX-License-Identifier: Apache-2.0
#include "bench/grid.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "interpscale/methods/registry.hpp"

namespace interpscale::bench {
namespace {

using study::CellRequest;
using study::Specimen;

constexpr std::size_t kClasses = 10;
constexpr std::uint64_t kSeed = 1;

/// The specimen with the activity wanted. A layer's pre-activations stay within seven times what
/// enters it, a unit, so that biases ten times as large from layer to layer decide.
Specimen of_activity(Specimen specimen, Activity activity) {
  if (activity == Activity::kHalf) {
    return specimen;
  }
  float bias = activity == Activity::kAll ? 100.0F : -100.0F;
  for (std::size_t layer = 0; layer + 1 < specimen.network.layers.size(); ++layer) {
    auto& biases = specimen.network.layers[layer].bias;
    std::fill(biases.begin(), biases.end(), bias);
    bias *= 10.0F;
  }
  return study::make_specimen(std::move(specimen.network), std::move(specimen.inputs),
                              std::move(specimen.labels));
}

/// The specimens that were asked for: every one, where subjects are asked for in any order (serve),
/// else the last alone, for the grid goes from one network to the next.
class SpecimenCache {
 public:
  SpecimenCache(bool keeps_all, Activity activity) : keeps_all_(keeps_all), activity_(activity) {}

  [[nodiscard]] std::shared_ptr<const Specimen> find(const nn::Topology& topology,
                                                     std::size_t batch) {
    std::shared_ptr<const Specimen>& specimen = specimens_[topology.name()];
    if (specimen == nullptr) {
      if (!keeps_all_) {
        specimens_.clear();
      }
      const auto made = std::make_shared<const Specimen>(
          of_activity(study::random_specimen(topology, batch, kSeed), activity_));
      return specimens_[topology.name()] = made;
    }
    return specimen;
  }

 private:
  bool keeps_all_;
  Activity activity_;
  std::map<std::string, std::shared_ptr<const Specimen>> specimens_;
};

void add_kernels(const Options& options, std::vector<GridEntry>& grid) {
  std::vector<measure::Subject> subjects;
  for (const std::size_t width : options.widths) {
    // The products of a hidden layer: forward, activation gradients, weight gradients.
    const std::size_t batch = options.batch;
    subjects.push_back(
        study::gemm_subject(kernels::GemmCase::kNT, {batch, width, width}, options.setting));
    subjects.push_back(
        study::gemm_subject(kernels::GemmCase::kNN, {batch, width, width}, options.setting));
    subjects.push_back(
        study::gemm_subject(kernels::GemmCase::kTN, {width, width, batch}, options.setting));
  }
  for (const std::size_t width : options.widths) {
    subjects.push_back(
        study::update_subject(nn::OptimizerKind::kSgd, width * width, options.setting));
    subjects.push_back(
        study::update_subject(nn::OptimizerKind::kAdam, width * width, options.setting));
  }
  for (measure::Subject& subject : subjects) {
    std::string name = subject.name;
    const measure::Quantities dense = subject.quantities;
    grid.push_back(
        {std::move(name), dense,
         [subject = std::move(subject)]() -> Result<measure::Subject> { return subject; }});
  }
}

std::vector<CellRequest> requests_of(const nn::Topology& topology, std::size_t batch) {
  std::vector<CellRequest> requests;
  for (const std::string& pass : study::pass_names()) {
    requests.push_back({pass, "", topology, batch, {}});
  }
  for (const methods::MethodSpec& method : methods::all_methods()) {
    for (const methods::Variant& variant : method.variants) {
      requests.push_back({method.name, variant.name, topology, batch, {}});
    }
  }
  return requests;
}

}  // namespace

std::vector<GridEntry> make_grid(const Options& options) {
  std::vector<GridEntry> grid;
  add_kernels(options, grid);
  const auto cache = std::make_shared<SpecimenCache>(options.serve, options.activity);
  for (const std::size_t width : options.widths) {
    for (const std::size_t depth : options.depths) {
      const nn::Topology topology{options.inputs, std::vector<std::size_t>(depth, width), kClasses,
                                  kernels::Activation::kRelu};
      for (const CellRequest& request : requests_of(topology, options.batch)) {
        const Result<measure::Subject> dense =
            study::make_subject(request, options.setting, nullptr);
        if (!dense || static_cast<double>(dense->quantities.flops) > options.most_flops) {
          continue;
        }
        grid.push_back(
            {dense->name, dense->quantities, [request, cache, setting = options.setting] {
               const auto specimen = cache->find(request.topology, request.batch);
               return study::make_subject(
                   request.on(*specimen, setting), setting,
                   [specimen]() -> Result<std::shared_ptr<const Specimen>> { return specimen; });
             }});
      }
    }
  }
  return grid;
}

}  // namespace interpscale::bench
