// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/gemm.hpp"

#include <algorithm>
#include <array>

#include "kernels/support.hpp"

namespace interpscale::kernels {
namespace {

using testing::all_backends;
using testing::gamma;
using testing::in_double;
using testing::Operand;
using testing::random_operand;
using testing::random_vector;

constexpr std::array kCases = {GemmCase::kNT, GemmCase::kNN, GemmCase::kTN};

struct EpilogueChoice {
  double alpha;
  double beta;
  bool bias;
  bool relu;
  bool mask;
};

template <class T>
struct Problem {
  GemmCase which;
  GemmShape shape;
  Operand<T> a;
  Operand<T> b;
  Operand<T> c;
  Operand<T> mask;
  std::vector<T> bias;

  Problem(GemmCase which_in, GemmShape s)
      : which(which_in),
        shape(s),
        a(which == GemmCase::kTN ? random_operand<T>(s.k, s.m, 1) : random_operand<T>(s.m, s.k, 1)),
        b(which == GemmCase::kNT ? random_operand<T>(s.n, s.k, 2) : random_operand<T>(s.k, s.n, 2)),
        c(random_operand<T>(s.m, s.n, 3)),
        mask(random_operand<T>(s.m, s.n, 4)),
        bias(random_vector<T>(s.n, 5)) {}
};

template <class T>
Epilogue<T> epilogue_of(const EpilogueChoice& choice, const std::vector<T>& bias,
                        MatrixView<const T> mask) {
  Epilogue<T> epilogue;
  epilogue.alpha = static_cast<T>(choice.alpha);
  epilogue.beta = static_cast<T>(choice.beta);
  if (choice.bias) {
    epilogue.bias = bias;
  }
  epilogue.relu = choice.relu;
  if (choice.mask) {
    epilogue.mask = mask;
  }
  return epilogue;
}

/// |alpha| sum |a||b| + |beta c| + |bias|, by the reference on magnitudes.
template <class T>
Operand<double> magnitudes(const Problem<T>& problem, const EpilogueChoice& choice,
                           const Execution& with) {
  const auto absolute = [](Operand<double> operand) {
    for (std::size_t i = 0; i < operand.view().rows(); ++i) {
      for (double& value : operand.view().row(i)) {
        value = std::abs(value);
      }
    }
    return operand;
  };
  std::vector<double> bias = in_double(problem.bias);
  for (double& value : bias) {
    value = std::abs(value);
  }
  const EpilogueChoice positive{std::abs(choice.alpha), std::abs(choice.beta), choice.bias, false,
                                false};
  const Operand<double> a = absolute(in_double(problem.a));
  const Operand<double> b = absolute(in_double(problem.b));
  Operand<double> sums = absolute(in_double(problem.c));
  testing::reference().gemm(problem.which, a, b, sums, epilogue_of<double>(positive, bias, {}),
                            with);
  return sums;
}

/// Every backend's product against the reference in double.
template <class T>
void check_against_reference(const std::vector<testing::BackendPointer<T>>& backends,
                             const Problem<T>& problem, const EpilogueChoice& choice) {
  Workspace workspace;
  const Execution with{1, workspace};
  Operand<double> wanted = in_double(problem.c);
  const Operand<double> mask = in_double(problem.mask);
  const std::vector<double> bias = in_double(problem.bias);
  testing::reference().gemm(problem.which, in_double(problem.a), in_double(problem.b), wanted,
                            epilogue_of<double>(choice, bias, mask), with);
  const Operand<double> magnitude = magnitudes(problem, choice, with);
  // k products and sums; alpha, beta, their sum and the bias; beta C again for each block of the
  // depth, at most one in 64.
  const double relative = gamma<T>(problem.shape.k + 4 + problem.shape.k / 64);
  for (const auto& backend : backends) {
    Operand<T> got = problem.c;
    backend->gemm(problem.which, problem.a, problem.b, got,
                  epilogue_of<T>(choice, problem.bias, problem.mask), with);
    INFO(backend->name() << " " << backend->target() << " case " << static_cast<int>(problem.which)
                         << " m " << problem.shape.m << " n " << problem.shape.n << " k "
                         << problem.shape.k);
    CHECK(testing::outside<T>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
            return relative * magnitude.view()(i, j);
          }) == 0);
    CHECK(got.padding_is_untouched());
  }
}

TEMPLATE_TEST_CASE("gemm: products equal the reference on awkward shapes", "[kernels][gemm]", float,
                   double) {
  constexpr std::array kShapes = {
      GemmShape{1, 1, 1},    GemmShape{1, 65, 7},   GemmShape{7, 15, 16},   GemmShape{6, 64, 64},
      GemmShape{8, 17, 33},  GemmShape{13, 63, 3},  GemmShape{14, 129, 65}, GemmShape{65, 100, 129},
      GemmShape{100, 10, 4}, GemmShape{90, 10, 40}, GemmShape{31, 31, 31},  GemmShape{9, 1, 100},
      GemmShape{3, 48, 0}};
  const auto backends = all_backends<TestType>();
  for (const GemmCase which : kCases) {
    for (const GemmShape& shape : kShapes) {
      check_against_reference(backends, Problem<TestType>(which, shape),
                              {1.0, 0.0, false, false, false});
    }
  }
}

TEMPLATE_TEST_CASE("gemm: scaling, bias, ReLU and mask epilogues equal the reference",
                   "[kernels][gemm]", float, double) {
  const auto backends = all_backends<TestType>();
  for (const GemmCase which : kCases) {
    const Problem<TestType> problem(which, {11, 37, 19});
    for (const auto& [alpha, beta] : {std::pair{1.0, 1.0}, {0.5, 0.0}, {-0.75, 0.25}}) {
      for (unsigned bits = 0; bits < 8; ++bits) {
        check_against_reference(
            backends, problem, {alpha, beta, (bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0});
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm: products that are cut into blocks equal the reference", "[kernels][gemm]",
                   float, double) {
  // Depths above one block, right operands above the second-level cache, and packed left operands.
  // Panels with one, two and five columns too many, in rows enough for the kernels for few columns.
  constexpr std::array kShapes = {GemmShape{41, 75, 2501},  GemmShape{35, 2100, 131},
                                  GemmShape{519, 515, 270}, GemmShape{110, 1202, 1090},
                                  GemmShape{65, 261, 67},   GemmShape{8, 1041, 300}};
  auto backends = all_backends<TestType>();
  std::erase_if(backends, [](const auto& backend) { return backend->name() == "reference"; });
  for (const GemmShape& shape : kShapes) {
    for (const GemmCase which : kCases) {
      check_against_reference(backends, Problem<TestType>(which, shape),
                              {0.5, -1.0, true, true, true});
    }
  }
}

TEMPLATE_TEST_CASE("gemm: products with few columns equal the reference", "[kernels][gemm]", float,
                   double) {
  const auto backends = all_backends<TestType>();
  for (const std::size_t columns : {1U, 2U, 3U, 7U, 10U, 13U, 16U, 17U}) {
    for (const std::size_t depth : {31U, 64U, 100U, 257U, 1100U}) {
      for (const std::size_t rows : {1U, 4U, 11U}) {
        check_against_reference(backends, Problem<TestType>(GemmCase::kNT, {rows, columns, depth}),
                                {0.5, -1.0, true, true, true});
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm: products with few rows or columns equal the reference in all cases",
                   "[kernels][gemm]", float, double) {
  auto backends = all_backends<TestType>();
  std::erase_if(backends, [](const auto& backend) { return backend->name() == "reference"; });
  for (const GemmCase which : kCases) {
    for (const std::size_t few : {1U, 2U, 3U, 5U, 8U, 11U}) {
      for (const std::size_t many : {32U, 71U}) {
        for (const std::size_t depth : {3U, 22U, 1031U}) {
          check_against_reference(backends, Problem<TestType>(which, {few, many, depth}),
                                  {0.5, -1.0, true, true, true});
          check_against_reference(backends, Problem<TestType>(which, {many, few, depth}),
                                  {1.0, 0.0, false, false, false});
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm: a row's bits do not depend on the rows around it", "[kernels][gemm]",
                   float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kRows = 45;
  auto backends = all_backends<TestType>();
  // Eigen and OpenBLAS make no such promise.
  std::erase_if(backends, [](const auto& backend) {
    return backend->name() == "eigen" || backend->name() == "blas";
  });
  for (const auto& backend : backends) {
    for (const std::size_t columns : {1U, 10U, 40U, 65U, 131U}) {
      const Problem<TestType> problem(GemmCase::kNT, {kRows, columns, 600});
      Operand<TestType> all(kRows, columns);
      backend->gemm(problem.which, problem.a, problem.b, all, {}, with);
      for (const std::size_t first : {0U, 1U, 13U, 44U}) {
        for (const std::size_t count : {1U, 2U, 7U, 32U}) {
          const std::size_t rows = std::min<std::size_t>(count, kRows - first);
          Operand<TestType> some(rows, columns);
          backend->gemm(problem.which, problem.a.view().rows_from(first, rows), problem.b, some, {},
                        with);
          INFO(backend->name() << " " << backend->target() << " columns " << columns << " first "
                               << first << " rows " << rows);
          CHECK(testing::same_bits<TestType>(some, all.view().rows_from(first, rows)));
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm: part of a transposed A's columns gives the same bits", "[kernels][gemm]",
                   float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  // Rows enough, in long ones of C, for A to be packed; then too few.
  const Problem<TestType> problem(GemmCase::kTN, {97, 4097, 520});
  auto backends = all_backends<TestType>();
  std::erase_if(backends, [](const auto& backend) { return backend->name() != "simd"; });
  for (const auto& backend : backends) {
    Operand<TestType> all(97, 4097);
    backend->gemm(problem.which, problem.a, problem.b, all, {}, with);
    Operand<TestType> some(30, 4097);
    backend->gemm(problem.which, problem.a.view().cols_from(64, 30), problem.b, some, {}, with);
    INFO(backend->target());
    CHECK(testing::same_bits<TestType>(some, all.view().rows_from(64, 30)));
  }
}

TEMPLATE_TEST_CASE("gemm: bits do not depend on whether few columns are made by tiles",
                   "[kernels][gemm]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  auto backends = all_backends<TestType>();
  std::erase_if(backends, [](const auto& backend) { return backend->name() != "simd"; });
  // With so many rows, kernels for few columns; with so few, tiles. One row or depth of zeros.
  for (const GemmCase which : {GemmCase::kNN, GemmCase::kTN}) {
    for (const std::size_t columns : {1U, 3U, 10U, 65U}) {
      Problem<TestType> problem(which, {71, columns, 370});
      for (std::size_t j = 0; j < problem.a.view().cols(); ++j) {
        problem.a.view()(5, j) = TestType{0};
      }
      Operand<TestType> all(71, columns);
      for (const auto& backend : backends) {
        backend->gemm(which, problem.a, problem.b, all, {}, with);
        for (const std::size_t first : {0U, 4U, 60U}) {
          Operand<TestType> some(9, columns);
          const MatrixView<const TestType> rows = which == GemmCase::kTN
                                                      ? problem.a.view().cols_from(first, 9)
                                                      : problem.a.view().rows_from(first, 9);
          backend->gemm(which, rows, problem.b, some, {}, with);
          INFO(backend->target() << " columns " << columns << " first " << first);
          CHECK(testing::same_bits<TestType>(some, all.view().rows_from(first, 9)));
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm: C may be its own mask", "[kernels][gemm]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t depth : {std::size_t{20}, std::size_t{2500}}) {
      const Problem<TestType> problem(GemmCase::kNN, {9, 33, depth});
      Operand<TestType> wanted = problem.mask;
      Operand<TestType> got = problem.mask;
      Epilogue<TestType> epilogue;
      epilogue.mask = problem.mask;
      backend->gemm(problem.which, problem.a, problem.b, wanted, epilogue, with);
      epilogue.mask = got;
      backend->gemm(problem.which, problem.a, problem.b, got, epilogue, with);
      INFO(backend->name() << " " << backend->target());
      CHECK(testing::same_bits<TestType>(got, wanted));
    }
  }
}

TEMPLATE_TEST_CASE("gemm: one and two threads give the same bits", "[kernels][gemm]", float,
                   double) {
  constexpr std::array kShapes = {GemmShape{130, 129, 100}, GemmShape{5, 900, 130},
                                  GemmShape{131, 10, 300},  GemmShape{70, 65, 1100},
                                  GemmShape{300, 513, 300}, GemmShape{64, 1030, 140}};
  Workspace workspace;
  for (const auto& backend : all_backends<TestType>()) {
    for (const GemmCase which : kCases) {
      for (const GemmShape& shape : kShapes) {
        const Problem<TestType> problem(which, shape);
        const Epilogue<TestType> epilogue =
            epilogue_of<TestType>({0.5, 0.5, true, true, true}, problem.bias, problem.mask);
        Operand<TestType> one = problem.c;
        backend->gemm(which, problem.a, problem.b, one, epilogue, {1, workspace});
        for (const int threads : {2, 3}) {
          Operand<TestType> more = problem.c;
          backend->gemm(which, problem.a, problem.b, more, epilogue, {threads, workspace});
          INFO(backend->name() << " " << backend->target() << " m " << shape.m);
          CHECK(testing::same_bits<TestType>(one, more));
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm: operands that do not fit are a contract violation", "[kernels][gemm]",
                   float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    const Problem<TestType> problem(GemmCase::kNN, {4, 5, 6});
    Operand<TestType> c = problem.c;
    const Operand<TestType> wrong(7, 5);
    CHECK_THROWS_AS(backend->gemm(GemmCase::kNN, problem.a, wrong, c, {}, with), ContractViolation);
    CHECK_THROWS_AS(backend->gemm(GemmCase::kNT, problem.a, problem.b, c, {}, with),
                    ContractViolation);
    Operand<TestType> narrow(4, 4);
    CHECK_THROWS_AS(backend->gemm(GemmCase::kNN, problem.a, problem.b, narrow, {}, with),
                    ContractViolation);
    const std::vector<TestType> bias(4);
    Epilogue<TestType> epilogue;
    epilogue.bias = bias;
    CHECK_THROWS_AS(backend->gemm(GemmCase::kNN, problem.a, problem.b, c, epilogue, with),
                    ContractViolation);
    epilogue.bias = {};
    epilogue.mask = wrong;
    CHECK_THROWS_AS(backend->gemm(GemmCase::kNN, problem.a, problem.b, c, epilogue, with),
                    ContractViolation);
  }
}

}  // namespace
}  // namespace interpscale::kernels
