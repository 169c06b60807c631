// Forward and backward passes and training steps as subjects.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/passes.hpp"

#include <algorithm>
#include <utility>

#include "interpscale/nn/training_step.hpp"
#include "study/subjects/pass_verification.hpp"
#include "study/subjects/recipe.hpp"
#include "study/subjects/runtime.hpp"

namespace interpscale::study {
namespace {

using measure::Verification;

/// What every pass is prepared with.
struct PassSetup {
  std::string name;
  std::shared_ptr<const Specimen> specimen;
  Runtime<float> runtime;
};

class TimedForward : public measure::Timed {
 public:
  explicit TimedForward(PassSetup setup)
      : setup_(std::move(setup)),
        tape_(setup_.specimen->network.topology, setup_.specimen->inputs.rows()) {}

  void run() override {
    nn::forward<float>(setup_.specimen->network, setup_.specimen->inputs, tape_,
                       setup_.runtime.context());
  }
  Result<Verification> verify() override {
    run();
    return verify_forward(setup_.name, *setup_.specimen, tape_);
  }

 private:
  PassSetup setup_;
  nn::Tape<float> tape_;
};

class TimedBackward : public measure::Timed {
 public:
  explicit TimedBackward(PassSetup setup)
      : setup_(std::move(setup)),
        tape_(setup_.specimen->network.topology, setup_.specimen->inputs.rows()),
        output_gradient_(tape_.logits.rows(), tape_.logits.cols()),
        gradients_(nn::zero_layers<float>(setup_.specimen->network.topology)) {
    const Specimen& specimen = *setup_.specimen;
    nn::forward<float>(specimen.network, specimen.inputs, tape_, setup_.runtime.context());
    AlignedVector<float> losses(specimen.labels.size());
    [[maybe_unused]] const double mean_loss = nn::loss_and_gradient<float>(
        nn::Loss::kCrossEntropy, tape_.output(), nn::Targets<float>{.labels = specimen.labels},
        losses, output_gradient_, setup_.runtime.context());
  }

  void run() override {
    nn::backward<float>(setup_.specimen->network, setup_.specimen->inputs, tape_, output_gradient_,
                        gradients_, setup_.runtime.context());
  }
  Result<Verification> verify() override {
    run();
    return verify_backward(setup_.name, *setup_.specimen, tape_, setup_.runtime.context());
  }

 private:
  PassSetup setup_;
  nn::Tape<float> tape_;
  Matrix<float> output_gradient_;
  std::vector<nn::DenseLayer<float>> gradients_;
};

class TimedTrainingStep : public measure::Timed {
 public:
  TimedTrainingStep(PassSetup setup, nn::OptimizerKind kind)
      : setup_(std::move(setup)),
        kind_(kind),
        network_(setup_.specimen->network),
        step_(network_.topology, setup_.specimen->inputs.rows(), nn::Loss::kCrossEntropy,
              {.kind = kind}) {}

  void run() override {
    step_.run(network_, setup_.specimen->inputs, {.labels = setup_.specimen->labels}, kStandingRate,
              setup_.runtime.context());
  }
  Result<Verification> verify() override {
    run();
    if (const Result<void> stands = verify_standing(setup_.name, network_, *setup_.specimen);
        !stands) {
      return tl::unexpected(stands.error());
    }
    return verify_training_step(setup_.name, *setup_.specimen, kind_, setup_.runtime.context());
  }

 private:
  PassSetup setup_;
  nn::OptimizerKind kind_;
  nn::Mlp<float> network_;
  nn::TrainingStep<float> step_;
};

/// One of `pass_names()`: its cost, and how it is prepared.
struct PassRecipe {
  std::string name;
  std::function<kernels::Flops(const nn::Topology&, std::size_t batch)> flops;
  /// Floats that one run must read or write, beside the batch's inputs and labels: operands and
  /// results, each once.
  std::function<std::uint64_t(const nn::Topology&, std::size_t batch)> floats;
  std::function<std::unique_ptr<measure::Timed>(PassSetup)> prepare;
};

/// Activations of all layers, and the logits.
std::uint64_t tape_floats(const nn::Topology& topology, std::size_t batch) {
  return std::uint64_t{batch} * (topology.neurons() + topology.outputs);
}

PassRecipe training_step_recipe(std::string name, nn::OptimizerKind kind, std::uint64_t passes) {
  return {std::move(name),
          [kind](const nn::Topology& topology, std::size_t batch) {
            return nn::training_step_flops(topology, batch, nn::Loss::kCrossEntropy, kind);
          },
          [passes](const nn::Topology& topology, std::size_t) {
            return passes * topology.parameters();
          },
          [kind](PassSetup setup) -> std::unique_ptr<measure::Timed> {
            return std::make_unique<TimedTrainingStep>(std::move(setup), kind);
          }};
}

std::vector<PassRecipe> pass_recipes() {
  return {
      {"forward", nn::forward_flops,
       [](const nn::Topology& topology, std::size_t batch) {
         return topology.parameters() + tape_floats(topology, batch);
       },
       [](PassSetup setup) -> std::unique_ptr<measure::Timed> {
         return std::make_unique<TimedForward>(std::move(setup));
       }},
      // Reads weights and tape, writes as many gradients.
      {"backward", nn::backward_flops,
       [](const nn::Topology& topology, std::size_t batch) {
         return 2 * topology.parameters() + tape_floats(topology, batch);
       },
       [](PassSetup setup) -> std::unique_ptr<measure::Timed> {
         return std::make_unique<TimedBackward>(std::move(setup));
       }},
      // Weights and moments are read and written; activations and gradients could stay in a cache.
      training_step_recipe("training_step", nn::OptimizerKind::kSgd, 4),
      training_step_recipe("training_step_adam", nn::OptimizerKind::kAdam, 6),
  };
}

}  // namespace

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const PassRecipe& recipe : pass_recipes()) {
    names.push_back(recipe.name);
  }
  return names;
}

Result<measure::Subject> make_pass_subject(const CellRequest& request, const Setting& setting,
                                           SpecimenSource specimen) {
  if (const Result<void> checked = check_request(request); !checked) {
    return tl::unexpected(checked.error());
  }
  if (!request.variant.empty()) {
    return fail("{}: found variant '{}', but a pass has none", request.subject, request.variant);
  }
  const std::vector<PassRecipe> recipes = pass_recipes();
  const auto recipe =
      std::find_if(recipes.begin(), recipes.end(),
                   [&](const PassRecipe& candidate) { return candidate.name == request.subject; });
  require(recipe != recipes.end(), "make_pass_subject: not one of pass_names()");
  measure::Subject subject;
  subject.name = network_subject_name("pass/" + recipe->name, request, setting);
  subject.quantities = network_quantities(request);
  subject.quantities.flops = recipe->flops(request.topology, request.batch);
  subject.quantities.bytes =
      sizeof(float) * (recipe->floats(request.topology, request.batch) +
                       std::uint64_t{request.batch} * (request.topology.inputs + 1));
  subject.prepare = [name = subject.name, prepare = recipe->prepare, request, setting,
                     source = std::move(specimen)]() -> Result<std::unique_ptr<measure::Timed>> {
    Result<std::shared_ptr<const Specimen>> found = find_specimen(source, request);
    if (!found) {
      return tl::unexpected(found.error());
    }
    Result<Runtime<float>> runtime = Runtime<float>::make(setting);
    if (!runtime) {
      return tl::unexpected(runtime.error());
    }
    return prepare({name, std::move(*found), std::move(*runtime)});
  };
  return subject;
}

}  // namespace interpscale::study
