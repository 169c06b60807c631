// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/kernel_replay.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "study/subjects/recipe.hpp"
#include "study/subjects/replay_stage.hpp"
#include "study/subjects/runtime.hpp"

namespace interpscale::study {
namespace {

using kernels::Activation;
using kernels::KernelCall;
using Context = kernels::Context<float>;

kernels::GemmCase gemm_case(const Stage& stage) {
  if (stage.has("nt")) {
    return kernels::GemmCase::kNT;
  }
  return stage.has("nn") ? kernels::GemmCase::kNN : kernels::GemmCase::kTN;
}

Replay replay_gemm(Stage& stage) {
  const kernels::GemmCase which = gemm_case(stage);
  const std::size_t m = stage.extent(0);
  const std::size_t n = stage.extent(1);
  const std::size_t k = stage.extent(2);
  const bool tn = which == kernels::GemmCase::kTN;
  const bool nt = which == kernels::GemmCase::kNT;
  return [which, a = stage.matrix(0, tn ? k : m, tn ? m : k),
          b = stage.matrix(1, nt ? n : k, nt ? k : n), c = stage.matrix(2, m, n),
          bias = std::vector<float>(stage.has("+bias") ? n : 0, 0.1F),
          mask = Matrix<float>(stage.has("+mask") ? m : 0, stage.has("+mask") ? n : 0),
          alpha = stage.has("+alpha") ? 0.5F : 1.0F, beta = stage.has("+beta") ? 0.5F : 0.0F,
          relu = stage.has("+relu")](const Context& context) {
    context.backend.gemm(which, a->take(), b->take(), c->take(),
                         {.alpha = alpha, .beta = beta, .bias = bias, .relu = relu, .mask = mask},
                         context);
  };
}

Replay replay_activate(Stage& stage) {
  return [phi = stage.activation(), z = stage.matrix(0, stage.extent(0), stage.extent(1)),
          h = stage.matrix(1, stage.extent(0), stage.extent(1))](const Context& context) {
    context.backend.activate(phi, z->take(), h->take(), context);
  };
}

Replay replay_multiply_by_slope(Stage& stage) {
  return [phi = stage.activation(), h = stage.matrix(0, stage.extent(0), stage.extent(1)),
          g = stage.matrix(1, stage.extent(0), stage.extent(1))](const Context& context) {
    context.backend.multiply_by_slope(phi, h->take(), g->take(), context);
  };
}

Replay replay_multiply(Stage& stage) {
  return [a = stage.matrix(0, stage.extent(0), stage.extent(1)),
          b = stage.matrix(1, stage.extent(0), stage.extent(1)),
          out = stage.matrix(2, stage.extent(0), stage.extent(1))](const Context& context) {
    context.backend.multiply(a->take(), b->take(), out->take(), context);
  };
}

Replay replay_accumulate_path_step(Stage& stage) {
  return [next = stage.matrix(0, stage.extent(0), stage.extent(1)),
          now = stage.matrix(1, stage.extent(0), stage.extent(1)),
          gradient = stage.matrix(2, stage.extent(0), stage.extent(1)),
          out = stage.matrix(3, stage.extent(0), stage.extent(1))](const Context& context) {
    context.backend.accumulate_path_step(next->take(), now->take(), gradient->take(), out->take(),
                                         context);
  };
}

Replay replay_interpolate(Stage& stage) {
  return [from = stage.matrix(0, stage.extent(0), stage.extent(1)),
          to = stage.matrix(1, stage.extent(0), stage.extent(1)),
          out = stage.matrix(2, stage.extent(0), stage.extent(1))](const Context& context) {
    context.backend.interpolate(from->take(), to->take(), 0.3F, out->take(), context);
  };
}

Replay replay_column_sums(Stage& stage) {
  return [a = stage.matrix(0, stage.extent(0), stage.extent(1)),
          out = stage.vector(1, stage.extent(1)),
          beta = stage.has("beta") ? 0.5F : 0.0F](const Context& context) {
    context.backend.column_sums(a->take(), beta, out->take_vector(), context);
  };
}

Replay replay_column_moments(Stage& stage) {
  const std::size_t cols = stage.extent(1);
  return [a = stage.matrix(0, stage.extent(0), cols), mean = std::vector<float>(cols),
          variance = std::vector<float>(cols),
          positive = std::vector<float>(cols)](const Context& context) mutable {
    context.backend.column_moments(a->take(), {mean, variance, positive}, context);
  };
}

Replay replay_cross_entropy(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  return [logits = stage.matrix(0, rows, stage.extent(1)),
          labels = cyclic_labels(rows, stage.extent(1)),
          losses = std::vector<float>(rows)](const Context& context) mutable {
    context.backend.cross_entropy(logits->take(), labels, losses, context);
  };
}

Replay replay_cross_entropy_gradient(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  return [logits = stage.matrix(0, rows, stage.extent(1)),
          gradient = stage.matrix(1, rows, stage.extent(1)),
          labels = cyclic_labels(rows, stage.extent(1)),
          losses = std::vector<float>(rows)](const Context& context) mutable {
    context.backend.cross_entropy_gradient(logits->take(), labels, 1.0F, losses, gradient->take(),
                                           context);
  };
}

/// Each sample certain of one class.
Replay replay_soft_cross_entropy(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t classes = stage.extent(1);
  const std::shared_ptr<Ring> targets = stage.matrix(1, rows, classes);
  for (std::size_t i = 0; i < targets->all().rows(); ++i) {
    std::ranges::fill(targets->all().row(i), 0.0F);
    targets->all()(i, i % classes) = 1.0F;
  }
  return [logits = stage.matrix(0, rows, classes), targets, losses = std::vector<float>(rows),
          magnitudes = std::vector<float>(rows)](const Context& context) mutable {
    context.backend.soft_cross_entropy(logits->take(), targets->take(), losses, magnitudes,
                                       context);
  };
}

Replay replay_squared_error_gradient(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  return [predictions = stage.matrix(0, rows, stage.extent(1)),
          targets = stage.matrix(1, rows, stage.extent(1)),
          gradient = stage.matrix(2, rows, stage.extent(1)),
          losses = std::vector<float>(rows)](const Context& context) mutable {
    context.backend.squared_error_gradient(predictions->take(), targets->take(), 1.0F, losses,
                                           gradient->take(), context);
  };
}

// At rates at which weights stay what they are.
Replay replay_sgd_step(Stage& stage) {
  return [gradient = stage.vector(0, stage.extent(0)), velocity = stage.vector(1, stage.extent(0)),
          weights = stage.vector(2, stage.extent(0))](const Context& context) {
    context.backend.sgd_step({1e-20F, 0.9F}, gradient->take_vector(), velocity->take_vector(),
                             weights->take_vector(), context);
  };
}

Replay replay_adam_step(Stage& stage) {
  const std::shared_ptr<Ring> second = stage.vector(2, stage.extent(0));
  for (std::size_t i = 0; i < second->all().rows(); ++i) {
    std::ranges::transform(second->all().row(i), second->all().row(i).begin(),
                           [](float value) { return std::abs(value); });
  }
  return [gradient = stage.vector(0, stage.extent(0)), first = stage.vector(1, stage.extent(0)),
          second, weights = stage.vector(3, stage.extent(0))](const Context& context) {
    context.backend.adam_step({1e-20F, 0.9F, 0.999F, 1e-8F, 10}, gradient->take_vector(),
                              first->take_vector(), second->take_vector(), weights->take_vector(),
                              context);
  };
}

/// Rows as a sweep has them: sample by sample, every other unit. Where there are as many samples as
/// rows, each has one, as chains do. A change is one of `units` parts of a pre-activation, root(2 /
/// units) of its spread at He's initial values: so few units wake up, and what that costs depends
/// on how many.
struct SweptRows {
  SweptRows(std::size_t rows, std::size_t samples, std::size_t units)
      : sample(rows), unit(rows), delta(rows, -std::sqrt(2.0F / static_cast<float>(units))) {
    const std::size_t active = std::max<std::size_t>(units / 2, 1);
    for (std::size_t r = 0; r < rows; ++r) {
      sample[r] = static_cast<std::uint32_t>(rows <= samples ? r : r / active % samples);
      unit[r] = static_cast<std::uint32_t>(2 * (r % active) % units);
    }
  }

  std::vector<std::uint32_t> sample;
  std::vector<std::uint32_t> unit;
  std::vector<float> delta;
};

Replay replay_rank_one_rows(Stage& stage) {
  return [z = stage.matrix(0, stage.extent(2), stage.extent(1)),
          columns = stage.matrix(1, stage.extent(3), stage.extent(1)),
          out = stage.matrix(2, stage.extent(0), stage.extent(1)),
          swept = SweptRows(stage.extent(0), stage.extent(2), stage.extent(3)),
          relu = stage.has("relu")](const Context& context) {
    context.backend.rank_one_rows(z->take(), columns->take(),
                                  {swept.sample, swept.unit, swept.delta}, relu, out->take(),
                                  context);
  };
}

Replay replay_transpose(Stage& stage) {
  return [a = stage.matrix(0, stage.extent(0), stage.extent(1)),
          out = stage.matrix(1, stage.extent(1), stage.extent(0))](const Context& context) {
    context.backend.transpose(a->take(), out->take(), context);
  };
}

Replay replay_scale_jacobian_rows(Stage& stage) {
  const std::size_t units = stage.extent(0);
  const std::size_t samples = stage.extent(1);
  const std::size_t inputs = stage.extent(2);
  return [phi = stage.activation(), inputs, h = stage.matrix(0, samples, units),
          jacobian = stage.matrix(1, units, samples * inputs)](const Context& context) {
    context.backend.scale_jacobian_rows(phi, h->take(), inputs, jacobian->take(), context);
  };
}

Replay replay_first_jacobian(Stage& stage) {
  const std::size_t units = stage.extent(0);
  const std::size_t samples = stage.extent(1);
  const std::size_t inputs = stage.extent(2);
  return [phi = stage.activation(), h = stage.matrix(0, samples, units),
          weights = stage.matrix(1, units, inputs),
          jacobian = stage.matrix(2, units, samples * inputs)](const Context& context) {
    context.backend.first_jacobian(phi, h->take(), weights->take(), jacobian->take(), context);
  };
}

Replay replay_accumulate_jacobian(Stage& stage) {
  const std::size_t units = stage.extent(0);
  const std::size_t inputs = stage.extent(2);
  return [jacobian = stage.matrix(0, units, stage.extent(1) * inputs),
          out = stage.matrix(1, units, inputs),
          absolute = stage.has("absolute")](const Context& context) {
    context.backend.accumulate_jacobian(jacobian->take(), 0.5F, absolute, out->take(), context);
  };
}

Replay replay_first_active_jacobian(Stage& stage) {
  const std::size_t samples = stage.extent(0);
  const std::size_t units = stage.extent(1);
  const std::size_t inputs = stage.extent(2);
  return [h = stage.matrix(0, samples, units), weights = stage.matrix(1, units, inputs),
          jacobian = stage.matrix(2, samples * units, inputs),
          factors = Matrix<float>(stage.has("factors") ? samples : 0,
                                  stage.has("factors") ? inputs : 0)](const Context& context) {
    context.backend.first_active_jacobian(h->take(), weights->take(), factors, jacobian->take(),
                                          context);
  };
}

Replay replay_next_active_jacobian(Stage& stage) {
  const std::size_t samples = stage.extent(0);
  const std::size_t units = stage.extent(1);
  const std::size_t below = stage.extent(2);
  const std::size_t inputs = stage.extent(3);
  return [h_below = stage.matrix(0, samples, below), h = stage.matrix(1, samples, units),
          weights = stage.matrix(2, units, below), from = stage.matrix(3, samples * below, inputs),
          to = stage.matrix(4, samples * units, inputs)](const Context& context) {
    context.backend.next_active_jacobian({h_below->take(), h->take(), weights->take()},
                                         from->take(), to->take(), context);
  };
}

// With a scale at which the sums stay finite however often they are added to.
Replay replay_accumulate_active_jacobian(Stage& stage) {
  const std::size_t samples = stage.extent(0);
  const std::size_t units = stage.extent(1);
  const std::size_t inputs = stage.extent(2);
  return [h = stage.matrix(0, samples, units), jacobian = stage.matrix(1, samples * units, inputs),
          out = stage.matrix(2, units, inputs), absolute = stage.has("absolute"),
          gains = Matrix<float>(stage.has("gains") ? samples : 0, stage.has("gains") ? units : 0)](
             const Context& context) {
    context.backend.accumulate_active_jacobian({h->take(), gains, 1e-20F, absolute},
                                               jacobian->take(), out->take(), context);
  };
}

Replay replay_rank_one_products(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t outputs = stage.extent(1);
  const std::size_t width = stage.extent(2);
  const std::size_t samples = stage.extent(3);
  const std::size_t units = stage.extent(4);
  return [z = stage.matrix(0, samples, width), columns = stage.matrix(1, units, width),
          next = stage.matrix(2, width, outputs), out = stage.matrix(3, rows, outputs),
          swept = SweptRows(rows, samples, units), bias = std::vector<float>(outputs, 0.1F),
          relu = stage.has("relu")](const Context& context) {
    context.backend.rank_one_products({z->take(), columns->take(), next->take(), bias, relu},
                                      {swept.sample, swept.unit, swept.delta}, out->take(),
                                      context);
  };
}

Recipes all_recipes() {
  Recipes all = {{"gemm", {3, 3, replay_gemm}},
                 {"activate", {2, 2, replay_activate}},
                 {"multiply_by_slope", {2, 2, replay_multiply_by_slope}},
                 {"multiply", {2, 3, replay_multiply}},
                 {"accumulate_path_step", {2, 4, replay_accumulate_path_step}},
                 {"interpolate", {2, 3, replay_interpolate}},
                 {"column_sums", {2, 2, replay_column_sums}},
                 {"column_moments", {2, 1, replay_column_moments}},
                 {"cross_entropy", {2, 1, replay_cross_entropy}},
                 {"cross_entropy_gradient", {2, 2, replay_cross_entropy_gradient}},
                 {"soft_cross_entropy", {2, 2, replay_soft_cross_entropy}},
                 {"squared_error_gradient", {2, 3, replay_squared_error_gradient}},
                 {"sgd_step", {1, 3, replay_sgd_step}},
                 {"adam_step", {1, 4, replay_adam_step}},
                 {"rank_one_rows", {4, 3, replay_rank_one_rows}},
                 {"transpose", {2, 2, replay_transpose}},
                 {"scale_jacobian_rows", {3, 2, replay_scale_jacobian_rows}},
                 {"first_jacobian", {3, 3, replay_first_jacobian}},
                 {"accumulate_jacobian", {3, 2, replay_accumulate_jacobian}},
                 {"first_active_jacobian", {3, 3, replay_first_active_jacobian}},
                 {"next_active_jacobian", {4, 5, replay_next_active_jacobian}},
                 {"accumulate_active_jacobian", {3, 3, replay_accumulate_active_jacobian}},
                 {"rank_one_products", {5, 4, replay_rank_one_products}}};
  all.insert(analysis_recipes().begin(), analysis_recipes().end());
  return all;
}

const Recipes& recipes() {
  static const Recipes all = all_recipes();
  return all;
}

class TimedReplay : public measure::Timed {
 public:
  TimedReplay(const Recipe& recipe, const KernelCall& call, Runtime<float> runtime)
      : runtime_(std::move(runtime)) {
    Stage stage(call);
    replay_ = recipe.make(stage);
    rings_ = stage.rings();
  }

  void run() override { replay_(runtime_.context()); }

  Result<measure::Verification> verify() override {
    run();
    for (const std::shared_ptr<Ring>& ring : rings_) {
      for (std::size_t i = 0; i < ring->all().rows(); ++i) {
        if (!std::ranges::all_of(ring->all().row(i),
                                 [](float value) { return std::isfinite(value); })) {
          return fail("replay: a value is not finite");
        }
      }
    }
    return measure::Verification{0, 0, "nothing: all values finite"};
  }

 private:
  Runtime<float> runtime_;
  std::vector<std::shared_ptr<Ring>> rings_;
  Replay replay_;
};

}  // namespace

std::vector<std::string_view> replayable_operations() {
  std::vector<std::string_view> names;
  for (const auto& [name, recipe] : recipes()) {
    names.push_back(name);
  }
  return names;
}

Result<measure::Subject> replay_subject(const KernelCall& call, const Setting& setting) {
  const auto found = recipes().find(call.operation);
  if (found == recipes().end()) {
    return fail("replay: operation '{}' is unknown; known are {}", call.operation,
                fmt::join(replayable_operations(), ", "));
  }
  const Recipe& recipe = found->second;
  if (call.extents.size() != recipe.extents || call.reuse.size() != recipe.operands) {
    return fail("replay: {}: found {} extents and {} operands, wanted {} and {}",
                kernels::name_of(call), call.extents.size(), call.reuse.size(), recipe.extents,
                recipe.operands);
  }
  measure::Subject subject;
  subject.name = with_setting("replay/" + kernels::name_of(call), setting);
  subject.prepare = [call, recipe, setting]() -> Result<std::unique_ptr<measure::Timed>> {
    return Runtime<float>::make(setting).map([&](Runtime<float> runtime) {
      return std::unique_ptr<measure::Timed>(
          std::make_unique<TimedReplay>(recipe, call, std::move(runtime)));
    });
  };
  return subject;
}

}  // namespace interpscale::study
