// Variants of analysis methods as subjects.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "study/subjects/method_verification.hpp"
#include "study/subjects/plant.hpp"
#include "study/subjects/recipe.hpp"
#include "study/subjects/runtime.hpp"

namespace interpscale::study {
namespace {

/// One number sets how often anything is repeated: nodes of a path, orders of players, steps of a
/// dictionary's training.
methods::MethodOptions options_of(const Setting& setting) {
  methods::MethodOptions options;
  options.steps = setting.path_steps;
  options.permutations = setting.permutations;
  options.dictionary_steps = setting.path_steps;
  return options;
}

class TimedMethod : public measure::Timed {
 public:
  TimedMethod(MethodRun run, std::shared_ptr<const Specimen> specimen, Runtime<float> runtime)
      : run_(std::move(run)),
        specimen_(std::move(specimen)),
        runtime_(std::move(runtime)),
        donor_(donor_of(specimen_->inputs)),
        tape_(specimen_->network.topology, specimen_->inputs.rows()),
        plant_(plant_of(run_.method.name)) {
    const methods::Problem problem{.topology = specimen_->network.topology,
                                   .batch = specimen_->inputs.rows(),
                                   .options = run_.options,
                                   .active_pairs = specimen_->active_pairs};
    out_ = Matrix<float>(run_.method.rows(problem), run_.method.column_count(problem));
  }

  void run() override {
    do {
      run_.variant.run({.network = specimen_->network,
                        .inputs = specimen_->inputs,
                        .labels = specimen_->labels,
                        .baseline = {},
                        .donor = donor_,
                        .options = run_.options,
                        .tape = tape_},
                       runtime_.context(), out_);
    } while (plant_.again());
  }
  Result<measure::Verification> verify() override {
    run();
    return verify_method(run_, *specimen_, out_, runtime_.context());
  }

 private:
  MethodRun run_;
  std::shared_ptr<const Specimen> specimen_;
  Runtime<float> runtime_;
  Matrix<float> donor_;
  nn::Tape<float> tape_;
  Plant plant_;
  Matrix<float> out_;  // [n, columns]
};

/// The variant that a request gets: the one it names, but for what this build plants.
methods::Variant planted_variant(const methods::MethodSpec& method, const methods::Variant& variant,
                                 const nn::Topology& topology) {
  const Plant plant = plant_of(method.name);
  const std::size_t widest = *std::max_element(topology.hidden.begin(), topology.hidden.end());
  if (plant.naive_from == 0 || widest < plant.naive_from) {
    return variant;
  }
  for (const methods::Variant& other : method.variants) {
    if (other.name == "naive") {
      return other;
    }
  }
  return variant;
}

}  // namespace

CellRequest CellRequest::on(const Specimen& specimen, const Setting& setting) const {
  Setting counting;
  counting.backend = kernels::backend_names<float>().front();
  const Result<Runtime<float>> runtime = Runtime<float>::make(counting);
  require(runtime.has_value(), "the default backend can be made");
  nn::Tape<float> tape(specimen.network.topology, specimen.inputs.rows());
  const Matrix<float> donor = donor_of(specimen.inputs);
  CellRequest request = *this;
  request.problem = methods::problem_of<float>({.network = specimen.network,
                                                .inputs = specimen.inputs,
                                                .labels = specimen.labels,
                                                .baseline = {},
                                                .donor = donor,
                                                .options = options_of(setting),
                                                .tape = tape},
                                               runtime->context());
  request.active_pairs = request.problem->active_pairs;
  return request;
}

Result<measure::Subject> make_method_subject(const methods::MethodSpec& method,
                                             const CellRequest& request, const Setting& setting,
                                             SpecimenSource specimen) {
  if (const Result<void> checked = check_request(request); !checked) {
    return tl::unexpected(checked.error());
  }
  const auto variant = std::find_if(
      method.variants.begin(), method.variants.end(),
      [&](const methods::Variant& candidate) { return candidate.name == request.variant; });
  if (variant == method.variants.end()) {
    std::vector<std::string> known;
    for (const methods::Variant& candidate : method.variants) {
      known.push_back(candidate.name);
    }
    return fail("{}: variant '{}' is unknown; known are {}", method.name, request.variant,
                fmt::join(known, ", "));
  }
  measure::Subject subject;
  subject.name = network_subject_name(fmt::format("method/{}/{}", method.name, variant->name),
                                      request, setting);
  subject.quantities = network_quantities(request);
  const methods::Cost cost = variant->cost(
      request.problem.value_or(methods::Problem{.topology = request.topology,
                                                .batch = request.batch,
                                                .options = options_of(setting),
                                                .active_pairs = request.active_pairs}));
  subject.quantities.flops = cost.flops;
  subject.quantities.bytes = cost.bytes;
  subject.prepare = [run = MethodRun{subject.name, method,
                                     planted_variant(method, *variant, request.topology),
                                     options_of(setting)},
                     request, setting,
                     source = std::move(specimen)]() -> Result<std::unique_ptr<measure::Timed>> {
    Result<std::shared_ptr<const Specimen>> found = find_specimen(source, request);
    if (!found) {
      return tl::unexpected(found.error());
    }
    Result<Runtime<float>> runtime = Runtime<float>::make(setting);
    if (!runtime) {
      return tl::unexpected(runtime.error());
    }
    return std::make_unique<TimedMethod>(run, std::move(*found), std::move(*runtime));
  };
  return subject;
}

}  // namespace interpscale::study
