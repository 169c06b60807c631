// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/recipe.hpp"

#include <algorithm>
#include <utility>

#include "interpscale/methods/registry.hpp"

namespace interpscale::study {

std::string with_setting(std::string_view head, const Setting& setting) {
  std::string name = fmt::format("{}/t:{}/backend:{}", head, setting.threads, setting.backend);
  if (!setting.simd_target.empty()) {
    name += "/target:" + setting.simd_target;
  }
  return name;
}

std::string network_subject_name(std::string_view head, const CellRequest& request,
                                 const Setting& setting) {
  const nn::Topology& topology = request.topology;
  const std::vector<std::size_t>& hidden = topology.hidden;
  const bool all_equal = std::all_of(hidden.begin(), hidden.end(),
                                     [&](std::size_t width) { return width == hidden.front(); });
  const std::string widths =
      all_equal ? std::to_string(hidden.front()) : fmt::format("{}", fmt::join(hidden, "x"));
  std::string name =
      with_setting(fmt::format("{}/d:{}/w:{}/L:{}/C:{}/B:{}", head, topology.inputs, widths,
                               hidden.size(), topology.outputs, request.batch),
                   setting);
  if (topology.activation != kernels::Activation::kRelu) {
    name += fmt::format("/phi:{}", kernels::name_of(topology.activation));
  }
  if (setting.path_steps != Setting{}.path_steps) {
    name += fmt::format("/K:{}", setting.path_steps);
  }
  if (setting.permutations != Setting{}.permutations) {
    name += fmt::format("/T:{}", setting.permutations);
  }
  return name;
}

measure::Quantities network_quantities(const CellRequest& request) {
  return {.parameters = request.topology.parameters(),
          .neurons = request.topology.neurons(),
          .batch = request.batch,
          .inputs = request.topology.inputs,
          .flops = 0,
          .bytes = 0};
}

Result<void> check_request(const CellRequest& request) {
  if (const Result<nn::Topology> topology = nn::validated(request.topology); !topology) {
    return tl::unexpected(topology.error());
  }
  if (request.batch == 0) {
    return fail("{}: batch: found 0, wanted at least 1", request.subject);
  }
  require(
      request.active_pairs.empty() || request.active_pairs.size() == request.topology.hidden.size(),
      "active pairs of each hidden layer, or of none");
  return {};
}

Result<std::shared_ptr<const Specimen>> find_specimen(const SpecimenSource& source,
                                                      const CellRequest& request) {
  require(static_cast<bool>(source), "a subject that is prepared needs a source of specimens");
  Result<std::shared_ptr<const Specimen>> specimen = source();
  if (!specimen) {
    return specimen;
  }
  require(*specimen != nullptr, "a source of specimens found none and said nothing");
  if ((*specimen)->network.topology != request.topology) {
    return fail("specimen: found a network {}, wanted {}", (*specimen)->network.topology.name(),
                request.topology.name());
  }
  if ((*specimen)->inputs.rows() != request.batch) {
    return fail("specimen: found a batch of {}, wanted {}", (*specimen)->inputs.rows(),
                request.batch);
  }
  return specimen;
}

Result<measure::Subject> make_subject(const CellRequest& request, const Setting& setting,
                                      SpecimenSource specimen) {
  const std::vector<std::string> passes = pass_names();
  if (std::find(passes.begin(), passes.end(), request.subject) != passes.end()) {
    return make_pass_subject(request, setting, std::move(specimen));
  }
  std::vector<std::string> known = passes;
  for (const methods::MethodSpec& method : methods::all_methods()) {
    if (method.name == request.subject) {
      return make_method_subject(method, request, setting, std::move(specimen));
    }
    known.push_back(method.name);
  }
  return fail("subject '{}' is unknown; known are {}", request.subject, fmt::join(known, ", "));
}

}  // namespace interpscale::study
