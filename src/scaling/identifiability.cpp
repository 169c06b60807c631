// SPDX-License-Identifier: Apache-2.0
#include "scaling/identifiability.hpp"

#include <fmt/format.h>

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace interpscale::scaling {
namespace {

/// Half the digits of a double: a direction with less is made of the logarithms' rounding errors.
constexpr double kRankTolerance = 1.5e-8;

std::string why_not(const Design& design, const Identifiability& found) {
  const auto cells = static_cast<std::size_t>(design.log_columns.rows());
  if (found.rank < found.columns) {
    return fmt::format("{} predictors but rank {}: they move together or not at all in this design",
                       found.columns, found.rank);
  }
  if (cells < found.columns + 2) {
    return fmt::format("{} cells for {} exponents, wanted at least {}", cells, found.columns,
                       found.columns + 2);
  }
  if (found.largest_vif > kLargestVif) {
    return fmt::format(
        "largest variance inflation factor {:.1f}, wanted at most {:g}: add slanted cells (deep "
        "and "
        "narrow, shallow and wide, other input sizes)",
        found.largest_vif, kLargestVif);
  }
  return {};
}

}  // namespace

DesignDiagnosis diagnose(const Design& design) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Eigen::Index predictors = design.log_columns.cols();
  Eigen::MatrixXd scaled = design.log_columns.rowwise() - design.log_columns.colwise().mean();
  for (Eigen::Index j = 0; j < predictors; ++j) {
    const double length = scaled.col(j).norm();
    const bool varies = length > kRankTolerance * (1 + design.log_columns.col(j).norm());
    scaled.col(j) *= varies ? 1 / length : 0;
  }
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(scaled, Eigen::ComputeThinV);
  const Eigen::VectorXd& singular = svd.singularValues();

  DesignDiagnosis diagnosis;
  Identifiability& found = diagnosis.identifiability;
  found.columns = static_cast<std::size_t>(predictors);
  found.rank = static_cast<std::size_t>((singular.array() > kRankTolerance).count());
  diagnosis.vifs.assign(found.columns, kInfinity);
  found.condition_number = kInfinity;
  if (found.rank == found.columns) {
    found.condition_number = singular(0) / singular(predictors - 1);
    for (Eigen::Index j = 0; j < predictors; ++j) {
      diagnosis.vifs[static_cast<std::size_t>(j)] =
          (svd.matrixV().row(j).transpose().array() / singular.array()).square().sum();
    }
  }
  found.largest_vif = *std::max_element(diagnosis.vifs.begin(), diagnosis.vifs.end());
  found.reason = why_not(design, found);
  found.identified = found.reason.empty();
  return diagnosis;
}

}  // namespace interpscale::scaling
