// What every method of the registry promises, held against every variant and backend: a new file in
// src/methods is tested here without a change.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "interpscale/kernels/counting_backend.hpp"
#include "methods/specimen.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

using methods::MethodSpec;
using methods::Problem;
using methods::Variant;

Matrix<float> run(const Variant& variant, const MethodSpec& method, Specimen& specimen,
                  const kernels::Context<float>& context) {
  const Problem problem = specimen.problem();
  Matrix<float> out(method.rows(problem), method.column_count(problem));
  // A value left alone shows.
  for (std::size_t i = 0; i < out.rows(); ++i) {
    std::fill(out.row(i).begin(), out.row(i).end(), std::nanf(""));
  }
  variant.run(specimen.probe(), context, out);
  return out;
}

/// body(method, variant, specimen) for all of them.
template <class Body>
void for_each_variant(const Body& body) {
  for (const Case& problem : awkward_cases()) {
    Specimen specimen(problem);
    for (const MethodSpec& method : methods::all_methods()) {
      for (const Variant& variant : method.variants) {
        INFO(method.name << "/" << variant.name << " on " << problem.topology.name()
                         << ", B = " << problem.batch);
        body(method, variant, specimen);
      }
    }
  }
}

void check_identities(const MethodSpec& method, const methods::DoubleSpecimen& exact,
                      MatrixView<const double> values, double epsilon) {
  for (const methods::Identity& identity : method.identities) {
    const auto verdict = identity.check(exact.probe(), exact.context(), values, epsilon);
    INFO(identity.statement);
    CHECK(std::isfinite(verdict.allowed));
    CHECK(verdict.deviation <= verdict.allowed);
  }
}

TEST_CASE("methods: every variant equals its reference within the method's tolerance",
          "[methods][contract]") {
  for (const std::string& name : kernels::backend_names<float>()) {
    const Bench bench(name);
    INFO("backend " << name);
    for_each_variant([&](const MethodSpec& method, const Variant& variant, Specimen& specimen) {
      const auto verification = methods::verify(method, variant, specimen.probe(), bench.context());
      CHECK(verification.deviation <= verification.allowed);
    });
  }
}

TEST_CASE("methods: every value is written, and finite", "[methods][contract]") {
  const Bench bench("reference");
  for_each_variant([&](const MethodSpec& method, const Variant& variant, Specimen& specimen) {
    const Matrix<float> out = run(variant, method, specimen, bench.context());
    for (std::size_t i = 0; i < out.rows(); ++i) {
      CHECK(std::all_of(out.row(i).begin(), out.row(i).end(),
                        [](float value) { return std::isfinite(value); }));
    }
  });
}

TEST_CASE("methods: one and two threads give the same bits", "[methods][contract]") {
  for (const std::string& name : kernels::backend_names<float>()) {
    const Bench one(name, 1);
    const Bench two(name, 2);
    INFO("backend " << name);
    for_each_variant([&](const MethodSpec& method, const Variant& variant, Specimen& specimen) {
      const Matrix<float> expected = run(variant, method, specimen, one.context());
      const Matrix<float> computed = run(variant, method, specimen, two.context());
      for (std::size_t i = 0; i < expected.rows(); ++i) {
        CHECK(std::equal(expected.row(i).begin(), expected.row(i).end(), computed.row(i).begin()));
      }
    });
  }
}

TEST_CASE("methods: identities hold of every reference to double precision",
          "[methods][contract]") {
  for (const Case& problem : awkward_cases()) {
    Specimen specimen(problem);
    const methods::DoubleSpecimen exact(specimen.probe());
    for (const MethodSpec& method : methods::all_methods()) {
      INFO(method.name << " on " << problem.topology.name());
      Matrix<double> values(method.rows(specimen.problem()),
                            method.column_count(specimen.problem()));
      method.reference(exact.probe(), exact.context(), values);
      check_identities(method, exact, values, 0x1p-53);
    }
  }
}

TEST_CASE("methods: identities hold of every variant to float precision", "[methods][contract]") {
  for (const std::string& name : kernels::backend_names<float>()) {
    const Bench bench(name);
    INFO("backend " << name);
    for_each_variant([&](const MethodSpec& method, const Variant& variant, Specimen& specimen) {
      const Matrix<float> out = run(variant, method, specimen, bench.context());
      Matrix<double> values(out.rows(), out.cols());
      copy(out.view(), values.view());
      check_identities(method, methods::DoubleSpecimen(specimen.probe()), values, 0x1p-24);
    });
  }
}

TEST_CASE("methods: the kernels count as many FLOPs as the cost declares", "[methods][contract]") {
  const Bench reference("reference");
  const auto counting = kernels::make_counting_backend(reference.backend());
  const Bench bench(*counting);
  for_each_variant([&](const MethodSpec& method, const Variant& variant, Specimen& specimen) {
    const Problem problem = specimen.problem();
    counting->reset();
    (void)run(variant, method, specimen, bench.context());
    CHECK(counting->flops() == variant.cost(problem).flops);
  });
}

TEST_CASE("methods: a run takes no more scratch than declared, and no new memory the second time",
          "[methods][contract]") {
  for_each_variant([](const MethodSpec& method, const Variant& variant, Specimen& specimen) {
    const Bench bench("reference");  // which packs nothing
    (void)run(variant, method, specimen, bench.context());
    CHECK(bench.workspace().peak_bytes() <= variant.workspace_bytes(specimen.problem()));
    const std::size_t held = bench.workspace().capacity_bytes();
    (void)run(variant, method, specimen, bench.context());
    CHECK(bench.workspace().capacity_bytes() == held);
  });
}

TEST_CASE("methods: a run moves at least its parameters and results", "[methods][contract]") {
  for_each_variant([](const MethodSpec& method, const Variant& variant, Specimen& specimen) {
    const Problem problem = specimen.problem();
    const std::uint64_t numbers =
        method.rows(problem) * method.column_count(problem) + problem.topology.parameters();
    CHECK(variant.cost(problem).bytes >= sizeof(float) * numbers);
  });
}

TEST_CASE("methods: names are unique and every specification is complete", "[methods][registry]") {
  const std::vector<MethodSpec> all = methods::all_methods();
  CHECK(all.size() >= 5);
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(all[i].name);
    CHECK((i == 0 || all[i - 1].name < all[i].name));
    CHECK_FALSE(all[i].summary.empty());
    CHECK_FALSE(all[i].formula.empty());
    CHECK_FALSE(all[i].source.empty());
    CHECK_FALSE(all[i].variants.empty());
    CHECK_FALSE(all[i].identities.empty());
    CHECK(all[i].statistics.empty() == (all[i].columns != methods::Columns::kStatistics));
  }
}

}  // namespace
}  // namespace interpscale::testing
