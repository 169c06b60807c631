// SPDX-License-Identifier: Apache-2.0
#include "bench/grid.hpp"

#include <memory>
#include <utility>

#include "interpscale/methods/registry.hpp"

namespace interpscale::bench {
namespace {

using study::CellRequest;
using study::Specimen;

constexpr std::size_t kInputs = 784;
constexpr std::size_t kClasses = 10;
constexpr std::size_t kWidths[] = {64, 256, 1024};
constexpr std::size_t kDepths[] = {1, 3};
constexpr std::uint64_t kSeed = 1;

/// Keeps the specimen of the last topology asked for: the grid goes from one to the next.
class SpecimenCache {
 public:
  [[nodiscard]] std::shared_ptr<const Specimen> find(const nn::Topology& topology,
                                                     std::size_t batch) {
    if (specimen_ == nullptr || specimen_->network.topology != topology ||
        specimen_->inputs.rows() != batch) {
      specimen_.reset();
      specimen_ = std::make_shared<const Specimen>(study::random_specimen(topology, batch, kSeed));
    }
    return specimen_;
  }

 private:
  std::shared_ptr<const Specimen> specimen_;
};

void add_kernels(const Options& options, std::vector<GridEntry>& grid) {
  std::vector<measure::Subject> subjects;
  for (const std::size_t width : kWidths) {
    // The products of a hidden layer: forward, activation gradients, weight gradients.
    const std::size_t batch = options.batch;
    subjects.push_back(
        study::gemm_subject(kernels::GemmCase::kNT, {batch, width, width}, options.setting));
    subjects.push_back(
        study::gemm_subject(kernels::GemmCase::kNN, {batch, width, width}, options.setting));
    subjects.push_back(
        study::gemm_subject(kernels::GemmCase::kTN, {width, width, batch}, options.setting));
  }
  for (const std::size_t width : kWidths) {
    subjects.push_back(
        study::update_subject(nn::OptimizerKind::kSgd, width * width, options.setting));
    subjects.push_back(
        study::update_subject(nn::OptimizerKind::kAdam, width * width, options.setting));
  }
  for (measure::Subject& subject : subjects) {
    std::string name = subject.name;
    grid.push_back({std::move(name), [subject = std::move(subject)]() -> Result<measure::Subject> {
                      return subject;
                    }});
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
  const auto cache = std::make_shared<SpecimenCache>();
  for (const std::size_t width : kWidths) {
    for (const std::size_t depth : kDepths) {
      const nn::Topology topology{kInputs, std::vector<std::size_t>(depth, width), kClasses,
                                  kernels::Activation::kRelu};
      for (const CellRequest& request : requests_of(topology, options.batch)) {
        const Result<measure::Subject> dense =
            study::make_subject(request, options.setting, nullptr);
        if (!dense || static_cast<double>(dense->quantities.flops) > options.most_flops) {
          continue;
        }
        grid.push_back(
            {dense->name, [request, cache, setting = options.setting] {
               const auto specimen = cache->find(request.topology, request.batch);
               CellRequest with_activity = request;
               with_activity.active_pairs = specimen->active_pairs;
               return study::make_subject(
                   with_activity, setting,
                   [specimen]() -> Result<std::shared_ptr<const Specimen>> { return specimen; });
             }});
      }
    }
  }
  return grid;
}

}  // namespace interpscale::bench
